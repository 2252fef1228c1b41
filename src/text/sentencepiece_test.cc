// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file_test_folder.h"
#include "text/tokenizer.h"

namespace hearth {

using Ids = std::vector<int32_t>;

static std::string corpus_bytes(const std::string& name) {
  return read_file(source_file("tests/corpus/tokenizer_model/" + name + ".model"), 1 << 20);
}

static Tokenizer parse(const std::string& bytes) { return Tokenizer::parse_sentencepiece(bytes, "t.model"); }

static std::string field(int number, const std::string& bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
}
static std::string number(int field, int value) {
  return std::string(1, static_cast<char>(field << 3)) + static_cast<char>(value);
}
static std::string piece(const std::string& text, int type) { return field(1, field(1, text) + number(3, type)); }

static void refused(const std::string& bytes, Kind kind, const std::string& part) {
  const std::string text = error_of(kind, [&] { parse(bytes); });
  EXPECT_TEXT(text, "t.model");
  EXPECT_TEXT(text, part);
}

TEST(SentencePiece, merges_come_from_the_order_of_pieces) {
  const std::string bpe = field(2, number(3, 2)), plain = field(3, number(4, 0));
  const std::string start = piece("<unk>", 2) + piece("a", 1) + piece("b", 1) + piece("c", 1);
  EXPECT_EQ(parse(start + piece("ab", 1) + piece("bc", 1) + bpe + plain).encode("abc"), (Ids{0, 4, 3}));
  EXPECT_EQ(parse(start + piece("bc", 1) + piece("ab", 1) + bpe + plain).encode("abc"), (Ids{0, 1, 4}));
}

TEST(SentencePiece, user_defined_pieces_are_found_in_a_text) {
  const Tokenizer tokenizer = parse(corpus_bytes("llama"));
  const int32_t user = tokenizer.id("<u>");
  ASSERT_GE(user, 0);
  EXPECT_EQ(tokenizer.encode("<u>", {.add_special = false}), (Ids{user}));
  EXPECT_EQ(tokenizer.decode(Ids{1, user}), "<u>");  // not special, so decoding keeps it
}

TEST(SentencePiece, white_space_as_the_model_was_trained) {
  const Tokenizer merging = parse(corpus_bytes("no_bytes"));  // remove_extra_whitespaces
  EXPECT_EQ(merging.encode("  He   ll  "), merging.encode("He ll"));
  const Tokenizer bare = parse(corpus_bytes("no_prefix"));  // add_dummy_prefix false
  EXPECT_EQ(bare.encode("Hello", {.add_special = false}), (Ids{bare.id("Hello")}));
}

TEST(SentencePiece, what_is_not_done_is_refused_by_name) {
  const std::string start = piece("<unk>", 2) + piece("a", 1), bpe = field(2, number(3, 2));
  refused(start + field(2, number(3, 3)), Kind::unsupported, "type word");
  refused(start + bpe + field(3, field(1, "nmt_nfkc") + field(2, "xx")), Kind::unsupported, "normalization 'nmt_nfkc'");
  refused(start + field(2, number(3, 2) + "\xC0\x01\x01"), Kind::unsupported, "treat_whitespace_as_suffix");
  refused(start + bpe + field(3, number(5, 0)), Kind::unsupported, "escape_whitespaces");
  refused(start + bpe + field(5, field(2, "x")), Kind::unsupported, "denormalizer");
  refused(start + bpe + piece("u", 5), Kind::unsupported, "unused");
  refused(start + bpe + piece("u", 9), Kind::unsupported, "type 9");
}

// 'hello' costs less whole than in parts; "<s>" in a text that nobody trusts is no control piece.
TEST(SentencePiece, unigram) {
  const Tokenizer tokenizer = parse(corpus_bytes("unigram_charsmap"));
  EXPECT_EQ(tokenizer.encode("  the  "), tokenizer.encode("the"));
  EXPECT_EQ(tokenizer.encode("A"), tokenizer.encode("a"));  // by the file's character map
  const Ids ids = tokenizer.encode("hello <s> z", {.add_special = false, .parse_special = false});
  EXPECT_EQ(std::count(ids.begin(), ids.end(), tokenizer.bos_id()), 0);
  EXPECT_GT(std::count(ids.begin(), ids.end(), tokenizer.id("<unk>")), 0);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("hello world")), "hello world");
}

TEST(SentencePiece, damaged_files) {
  const std::string bpe = field(2, number(3, 2));
  refused("", Kind::format, "it has no pieces");
  refused(bpe, Kind::format, "it has no pieces");
  refused(piece("", 1) + bpe, Kind::format, "piece 0 is empty");
  refused(piece("\xFF", 1) + bpe, Kind::format, "not valid UTF-8");
  refused(piece("a", 1) + piece("a", 1) + bpe, Kind::format, "is there twice");
  refused(piece("<0x00>", 6) + bpe, Kind::format, "1 byte pieces");
  refused(std::string("\x0A\x7F", 2) + "abc", Kind::format, "longer than the data at byte 2");
  refused("\x0B", Kind::format, "wire type");
  refused(std::string(11, '\xFF'), Kind::format, "number");
  refused("this is no model", Kind::format, "t.model");
  const std::string whole = corpus_bytes("llama");
  for (size_t size = 0; size < whole.size(); size += 7) {  // cut short: an error or a smaller model, never a crash
    try {
      parse(whole.substr(0, size)).encode("Hello");
    } catch (const Error& e) {
      EXPECT_NE(e.kind(), Kind::bug) << e.what();
    }
  }
}

}  // namespace hearth
