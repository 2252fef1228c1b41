// SPDX-License-Identifier: Apache-2.0
// Small tokenizer.json files of both dialects and the byte-level form, and files that must be refused.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/file_test_folder.h"
#include "text/tokenizer.h"

namespace hearth {

using Ids = std::vector<int32_t>;
using nlohmann::json;

// corpus: llama_new llama_old flags byte_level small
static json corpus(const std::string& name) {
  return json::parse(read_file(source_file("tests/corpus/tokenizer_json/" + name + ".json"), 1 << 20));
}

static std::vector<std::string> tokens(const Tokenizer& tokenizer, const std::string& text,
                                       EncodeOptions options = {}) {
  std::vector<std::string> out;
  for (const int32_t id : tokenizer.encode(text, options)) out.push_back(tokenizer.token(id));
  return out;
}

static Tokenizer parse(const json& file) { return Tokenizer::parse_json(file.dump(), "t.json"); }

using Strings = std::vector<std::string>;
static const std::string kMeta = "\xE2\x96\x81";

TEST(TokenizerJson, new_dialect) {
  const Tokenizer tokenizer = parse(corpus("llama_new"));
  EXPECT_EQ(tokens(tokenizer, "Hello world"), (Strings{"<s>", kMeta, "Hello", kMeta + "world"}));
  EXPECT_EQ(tokens(tokenizer, "</s>Hello", {.add_special = false}),
            (Strings{"</s>", "Hello"}));  // only the first gets a mark
  EXPECT_EQ(tokens(tokenizer, "\n"), (Strings{"<s>", kMeta, "<0x0A>"}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("Hello world\n")), "Hello world\n");
  EXPECT_EQ(tokenizer.bos_id(), 1);  // from the template
  EXPECT_EQ(tokenizer.eos_id(), -1);
}

TEST(TokenizerJson, old_dialect) {
  const Tokenizer tokenizer = parse(corpus("llama_old"));
  EXPECT_EQ(tokens(tokenizer, "Hello world"), (Strings{"<s>", kMeta, "Hello", kMeta + "world"}));
  EXPECT_EQ(tokens(tokenizer, "</s>Hello", {.add_special = false}),
            (Strings{"</s>", kMeta, "Hello"}));  // every piece does
}

TEST(TokenizerJson, byte_level) {
  const Tokenizer tokenizer = parse(corpus("byte_level"));
  EXPECT_EQ(tokens(tokenizer, "He He\n"), (Strings{"He", "\xC4\xA0", "He", "\xC4\x8A"}));
  const Ids ids = tokenizer.encode("caf\xC3\xA9 <|b|>\xF0\x9F\x98\x80");
  EXPECT_EQ(tokenizer.decode(ids), "caf\xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(tokenizer.decode(std::span(ids).first(4)), "caf\xEF\xBF\xBD");  // half a character
}

TEST(TokenizerJson, unknown_characters) {
  json file = corpus("small");
  file.erase("pre_tokenizer");
  file["decoder"] = nullptr;
  EXPECT_EQ(tokens(parse(file), "abxyab"), (Strings{"ab", "<u>", "<u>", "ab"}));
  file["model"]["fuse_unk"] = true;
  EXPECT_EQ(tokens(parse(file), "abxyab"), (Strings{"ab", "<u>", "ab"}));
  file["model"]["unk_token"] = nullptr;
  EXPECT_EQ(tokens(parse(file), "axyb"), (Strings{"ab"}));  // dropped before merging, as the tokenizers library does
  EXPECT_EQ(parse(file).decode(Ids{0, 1}), "a b");          // no decoder: joined with spaces
}

TEST(TokenizerJson, added_token_flags) {
  json file = corpus("llama_new");
  json& eos = file["added_tokens"][2];
  const auto split = [&](const std::string& text) { return tokens(parse(file), text, {.add_special = false}); };
  eos["single_word"] = true;
  EXPECT_EQ(split("He</s>")[0], kMeta);
  EXPECT_EQ(split("He</s>").back(), ">");
  EXPECT_EQ(split("He </s>").back(), "</s>");
  eos["single_word"] = false;
  eos["lstrip"] = eos["rstrip"] = true;
  EXPECT_EQ(split("He  </s>  \n He"), (Strings{kMeta, "He", "</s>", "He"}));
}

// A token with lstrip and rstrip whose next occurrence lies in the white space it took: that one is gone.
TEST(TokenizerJson, added_token_of_white_space) {
  json file = corpus("llama_new");
  const int id = static_cast<int>(file["model"]["vocab"].size());
  file["added_tokens"].push_back({{"id", id}, {"content", "\n\n"}, {"lstrip", true}, {"rstrip", true}});
  EXPECT_EQ(parse(file).encode("\n\n\n\n", {.add_special = false}), (Ids{id}));
}

TEST(TokenizerJson, nfc) {
  json file = corpus("llama_new");
  file["normalizer"] = {{"type", "NFC"}};
  const auto same = [&](const std::string& a, const std::string& b) {
    return parse(file).encode(a) == parse(corpus("llama_new")).encode(b);
  };
  EXPECT_TRUE(same("e\xCC\x81", "\xC3\xA9"));                                 // e, acute
  EXPECT_TRUE(same("q\xCC\x87\xCC\xA3", "q\xCC\xA3\xCC\x87"));                // marks in order
  EXPECT_TRUE(same("\xE2\x84\xAB", "\xC3\x85"));                              // Angstrom sign
  EXPECT_TRUE(same("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C"));  // Hangul
  EXPECT_FALSE(same("\xEF\xAC\x81", "fi"));                                   // a ligature stays
}

// ---- files that must be refused
// --------------------------------------------------------------------------------------

static void refused(const json& file, Kind kind, const std::string& part) {
  const std::string text = error_of(kind, [&] { parse(file); });
  EXPECT_TEXT(text, part);
  EXPECT_TEXT(text, "t.json");
}

TEST(TokenizerJson, what_is_not_done_is_refused_by_name) {
  const std::vector<std::pair<std::string, std::function<void(json&)>>> cases = {
      {"model Fancy", [](json& f) { f["model"]["type"] = "Fancy"; }},
      {"model.dropout", [](json& f) { f["model"]["dropout"] = 0.1; }},
      {"has \"novelty\"", [](json& f) { f["model"]["novelty"] = 1; }},
      {"has \"novelty\"", [](json& f) { f["novelty"] = 1; }},
      {"version 2.0", [](json& f) { f["version"] = "2.0"; }},
      {"normalizer Fancy",
       [](json& f) {
         f["normalizer"] = {{"type", "Fancy"}};
       }},
      {"pre_tokenizer Fancy",
       [](json& f) {
         f["pre_tokenizer"] = {{"type", "Fancy"}};
       }},
      {"decoder Fancy",
       [](json& f) {
         f["decoder"] = {{"type", "Fancy"}};
       }},
      {"post_processor Fancy",
       [](json& f) {
         f["post_processor"] = {{"type", "Fancy"}};
       }},
      {"Split behavior Odd",
       [](json& f) {
         f["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"String", "a"}}}, {"behavior", "Odd"}};
       }},
      {"prepend_scheme last", [](json& f) { f["pre_tokenizer"]["prepend_scheme"] = "last"; }},
      {"a template", [](json& f) { f["post_processor"]["single"].erase(1); }},
  };
  for (const auto& [part, change] : cases) {
    json file = corpus("llama_new");
    change(file);
    refused(file, Kind::unsupported, part);
  }
}

TEST(TokenizerJson, foreign_regular_expressions_are_refused) {
  for (const char* pattern :
       {"(a)\\1", "\\Ga", "a\\X", "[a&&]", "[a[b[c]d&&e]]",   "(?<n>a)",     "(*FAIL)", "(?m)a",     "a(?i)b",
        "a{2}?",  "(",    "[a",   "[]a]",  "\\p{Alphabetic}", "[[:alnum:]]", "\\xE9",   "\\x{D800}", "[b-a]",
        "a)",     "\\p{", "\\"}) {
    json file = corpus("llama_new");
    file["pre_tokenizer"] = {
        {"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
    refused(file, Kind::unsupported, "pattern: " + std::string(pattern));
  }
}

TEST(TokenizerJson, a_regular_expression_that_runs_away_is_stopped) {
  json file = corpus("byte_level");
  file["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(a|aa)+(b|c)";
  EXPECT_THROW(parse(file).encode(std::string(5000, 'a')), Error);
}

TEST(TokenizerJson, damaged_files) {
  const std::vector<std::pair<std::string, std::function<void(json&)>>> cases = {
      {"'model' is missing", [](json& f) { f.erase("model"); }},
      {"'model' must be a JSON object", [](json& f) { f["model"] = 7; }},
      {"'model.vocab' is missing", [](json& f) { f["model"].erase("vocab"); }},
      {"empty",
       [](json& f) {
         f["model"]["vocab"] = json::object(), f["model"]["merges"] = json::array(), f["added_tokens"] = nullptr;
       }},
      {"has id -1", [](json& f) { f["model"]["vocab"]["x"] = -1; }},
      {"ids must be in", [](json& f) { f["model"]["vocab"]["x"] = 4294967296; }},
      {"ids must be in", [](json& f) { f["model"]["vocab"]["x"] = UINT64_MAX; }},
      {"two tokens have id 5", [](json& f) { f["model"]["vocab"]["x"] = 5; }},
      {"a whole number", [](json& f) { f["model"]["vocab"]["x"] = 1.5; }},
      {"merge 0 ('q', 'r')",
       [](json& f) {
         f["model"]["merges"] = json::array({json::array({"q", "r"})});
       }},
      {"model.merges[0]", [](json& f) { f["model"]["merges"] = json::array({"a b c"}); }},
      {"model.merges[0]", [](json& f) { f["model"]["merges"] = json::array({json::array({"a"})}); }},
      {"merge 0 ('H', 'e'): the right part lacks", [](json& f) { f["model"]["continuing_subword_prefix"] = "##"; }},
      {"normalizer Precompiled: no base64 text",
       [](json& f) {
         f["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "a*=="}};
       }},
      {"the precompiled character map has 3 bytes",
       [](json& f) {
         f["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "AAAA"}};
       }},
      {"model.vocab[1] must be [token, score]",
       [](json& f) {
         f["model"] = {{"type", "Unigram"}, {"vocab", json::array({json::array({"a", 0.5}), json::array({"a"})})}};
       }},
      {"model.unk_id is 3",
       [](json& f) {
         f["model"] = {{"type", "Unigram"}, {"unk_id", 3}, {"vocab", json::array({json::array({"a", 0.5})})}};
       }},
      {"max_input_chars_per_word",
       [](json& f) {
         f["model"]["type"] = "WordPiece";
         for (const char* key :
              {"merges", "fuse_unk", "byte_fallback", "dropout", "end_of_word_suffix", "ignore_merges"})
           f["model"].erase(key);
         f["model"]["unk_token"] = "<unk>";
         f["model"]["continuing_subword_prefix"] = "##";
       }},
      {"must be a list [token, id]",
       [](json& f) {
         f["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"</s>", -2}}, {"cls", {"<s>", 1}}};
       }},
      {"'decoder.suffix' must be a string that is not empty",
       [](json& f) {
         f["decoder"] = {{"type", "BPEDecoder"}, {"suffix", ""}};
       }},
      {"says id 7", [](json& f) { f["added_tokens"][0]["id"] = 7; }},
      {"which is no token", [](json& f) { f["post_processor"]["special_tokens"]["<s>"]["ids"] = {99999}; }},
  };
  for (const auto& [part, change] : cases) {
    json file = corpus("llama_new");
    change(file);
    refused(file, Kind::format, part);
  }
}

// A character that no token covers is the text's matter, where a file names no token for such.
TEST(TokenizerJson, a_text_that_no_token_covers) {
  json file = corpus("small");
  file["model"]["unk_token"] = "nix";
  EXPECT_TEXT(error_of(Kind::value, [&] { parse(file).encode("axb"); }), "unk_token 'nix' is not in the vocabulary");
  file["model"] = {{"type", "WordLevel"}, {"vocab", {{"a", 0}}}, {"unk_token", "nix"}};
  EXPECT_TEXT(error_of(Kind::value, [&] { parse(file).encode("b"); }), "no token covers 'b'");
  file["model"] = {{"type", "Unigram"}, {"vocab", json::array({json::array({"a", 0.5})})}};
  EXPECT_TEXT(error_of(Kind::value, [&] { parse(file).encode("b"); }), "the model has no unk_id");
}

TEST(TokenizerJson, broken_json_names_byte_and_reason) {
  EXPECT_TEXT(error_of(Kind::format, [] { Tokenizer::parse_json("{\"version\": \"1.0\", oops}", "t.json"); }),
              "t.json: not valid JSON at byte 19");
  EXPECT_THROW(Tokenizer::parse_json("", "t.json"), Error);
  EXPECT_THROW(Tokenizer::parse_json(std::string(100000, '['), "t.json"), Error);
  EXPECT_THROW(Tokenizer::parse_json("{\"model\":{\"vocab\":{\"a\":0,\"a\":1},\"merges\":[]}}", "t.json"), Error);
}

}  // namespace hearth
