// SPDX-License-Identifier: Apache-2.0
#include "cli/flags_parse.h"

#include <gtest/gtest.h>

#include "base/file_test_folder.h"
#include "cli/flags_test_command.h"

namespace hearth {
namespace {

struct Parsed {
  TuneFlags flags;
  CommonFlags common;
  bool help = false;
};

Parsed parse(std::vector<std::string> words) {
  Parsed parsed;
  FlagTable table;
  parsed.flags.visit(table);
  parsed.common.visit(table);
  parsed.help = parse_flags(table, words).help;
  return parsed;
}

// The message that these words end in; the two needed flags are added.
std::string refusal(std::vector<std::string> words, bool add_needed = true) {
  if (add_needed) words.insert(words.begin(), {"--model", "m", "--data", "d"});
  return error_of(Kind::value, [&] { parse(words); });
}

Parsed parse_more(std::vector<std::string> words) {
  words.insert(words.begin(), {"--model", "m", "--data", "d"});
  return parse(words);
}

TEST(Flags, defaults_stay_without_flags) {
  const Parsed p = parse_more({});
  EXPECT_EQ(p.flags.model, "m");
  EXPECT_EQ(p.flags.rank, 8);
  EXPECT_EQ(p.flags.lr, 2e-4f);
  EXPECT_TRUE(p.flags.shuffle);
  EXPECT_FALSE(p.flags.max_steps.has_value());
  EXPECT_EQ(p.flags.targets, (std::vector<std::string>{"q_proj", "v_proj"}));
  EXPECT_FALSE(p.common.json);
}

TEST(Flags, every_kind_is_stored) {
  const Parsed p = parse_more({"--lora-rank=16",
                               "--lora-targets",
                               "o_proj,k_proj",
                               "--layers",
                               "0,3",
                               "--lr",
                               "1e-3",
                               "--dropout",
                               ".5",
                               "--batch-size",
                               "+4",
                               "--dtype",
                               "bf16",
                               "--stop",
                               "a,b",
                               "--stop",
                               "c",
                               "--no-shuffle",
                               "--resume",
                               "--max-steps",
                               "7",
                               "--seed",
                               "18446744073709551615",
                               "--trace",
                               "--threads",
                               "2",
                               "--json",
                               "--quiet"});
  EXPECT_EQ(p.flags.rank, 16);
  EXPECT_EQ(p.flags.targets, (std::vector<std::string>{"o_proj", "k_proj"}));
  EXPECT_EQ(p.flags.layers, (std::vector<int64_t>{0, 3}));
  EXPECT_EQ(p.flags.lr, 1e-3f);
  EXPECT_EQ(p.flags.dropout, 0.5);
  EXPECT_EQ(p.flags.batch_size, 4);
  EXPECT_EQ(p.flags.dtype, "bf16");
  EXPECT_EQ(p.flags.stop, (std::vector<std::string>{"a,b", "c"}));
  EXPECT_FALSE(p.flags.shuffle);
  EXPECT_TRUE(p.flags.resume);
  EXPECT_EQ(p.flags.max_steps, 7);
  EXPECT_EQ(p.flags.seed, 18446744073709551615u);
  EXPECT_TRUE(p.flags.trace);
  EXPECT_EQ(p.common.threads, 2);
  EXPECT_TRUE(p.common.json && p.common.quiet);
}

TEST(Flags, values_reach_the_field_untouched) {
  for (const char* value :
       {"[x]", "[a,b]", "{}", "-a", "- item", "--", "\"q\"", "%", "a b\nc", "ü", "x=y", "-1", "true"}) {
    EXPECT_EQ(parse({"--data", "d", "--model", value}).flags.model, value);
    EXPECT_EQ(parse({"--data", "d", std::string("--model=") + value}).flags.model, value);
  }
  EXPECT_EQ(parse({"--model", "", "--data", "d"}).flags.model, "");
  EXPECT_EQ(parse({"--model=", "--data", "d"}).flags.model, "");
  EXPECT_EQ(parse({"--model=--data", "--data", "d"}).flags.model, "--data");
  EXPECT_EQ(parse({"-m", "x", "--data", "d"}).flags.model, "x");
}

TEST(Flags, empty_text_is_an_empty_list) { EXPECT_TRUE(parse_more({"--lora-targets", ""}).flags.targets.empty()); }

TEST(Flags, a_repeated_list_flag_appends) {
  EXPECT_EQ(parse_more({"--layers", "1,2", "--layers", "3"}).flags.layers, (std::vector<int64_t>{1, 2, 3}));
}

TEST(Flags, help_wins_over_what_is_missing) {
  EXPECT_TRUE(parse({"--help"}).help);
  EXPECT_TRUE(parse({"-h"}).help);
  EXPECT_TRUE(parse({"--modle", "x", "--help"}).help);
}

TEST(Flags, unknown_flags_name_the_nearest) {
  EXPECT_EQ(refusal({"--modle", "x"}, false), "unknown flag --modle; did you mean --model?");
  EXPECT_EQ(refusal({"--modle=x"}), "unknown flag --modle; did you mean --model?");
  EXPECT_EQ(refusal({"-lr", "x"}), "unknown flag -lr; did you mean --lr?");
  EXPECT_EQ(refusal({"--shufle"}), "unknown flag --shufle; did you mean --shuffle?");
  EXPECT_EQ(refusal({"--no-shufle"}), "unknown flag --no-shufle; did you mean --no-shuffle?");
  EXPECT_EQ(refusal({"--batch"}), "unknown flag --batch; did you mean --batch-size?");
  EXPECT_EQ(refusal({"--lora-alpha", "16"}), "unknown flag --lora-alpha");
  EXPECT_EQ(refusal({"--trase"}), "unknown flag --trase");  // a hidden flag is not suggested
  EXPECT_EQ(refusal({"---"}), "unknown flag ---");
  EXPECT_EQ(refusal({"--=x"}), "unknown flag --");
}

TEST(Flags, stray_words_are_refused) {
  EXPECT_EQ(refusal({"extra"}), "unexpected argument 'extra'");
  EXPECT_EQ(refusal({""}), "unexpected argument ''");
  EXPECT_EQ(refusal({"a\nb"}), "unexpected argument 'a\\x0ab'");
  EXPECT_EQ(refusal({"--a\nb"}), "unknown flag --a\\x0ab");
}

TEST(Flags, missing_things_are_named) {
  EXPECT_EQ(refusal({}, false), "missing --model DIR (folder with config.json and *.safetensors)");
  EXPECT_EQ(refusal({"--model", "m"}, false), "missing --data FILE (text to learn from)");
  EXPECT_EQ(refusal({"--lr"}), "--lr needs a value");
  EXPECT_EQ(refusal({"--model", "--data", "x"}, false), "--model needs a value, but is followed by the flag --data");
  EXPECT_EQ(refusal({"--model", "--help"}, false), "--model needs a value, but is followed by the flag --help");
}

TEST(Flags, numbers_of_the_wrong_form) {
  EXPECT_EQ(refusal({"--batch-size", "x"}), "--batch-size: 'x' is not a whole number");
  EXPECT_EQ(refusal({"--batch-size", ""}), "--batch-size: '' is not a whole number");
  EXPECT_EQ(refusal({"--batch-size", "1.5"}), "--batch-size: '1.5' is not a whole number");
  EXPECT_EQ(refusal({"--batch-size", " 1"}), "--batch-size: ' 1' is not a whole number");
  EXPECT_EQ(refusal({"--batch-size", "1x"}), "--batch-size: '1x' is not a whole number");
  EXPECT_EQ(refusal({"--batch-size", "+-1"}), "--batch-size: '+-1' is not a whole number");
  EXPECT_EQ(refusal({"--lr", "fast"}), "--lr: 'fast' is not a number");
  EXPECT_EQ(refusal({"--lr", "nan"}), "--lr: 'nan' is not a finite number");
  EXPECT_EQ(refusal({"--dropout", "inf"}), "--dropout: 'inf' is not a finite number");
  EXPECT_EQ(refusal({"--lr", "1e99"}), "--lr: '1e99' is beyond what a floating-point number holds");
  EXPECT_EQ(refusal({"--layers", "1,two"}), "--layers: 'two' is not a whole number");
  EXPECT_EQ(refusal({"--max-steps", "none"}), "--max-steps: 'none' is not a whole number");
}

TEST(Flags, numbers_out_of_range) {
  EXPECT_EQ(refusal({"--lora-rank", "0"}), "--lora-rank: 0 is out of range; it must be from 1 to 4096");
  EXPECT_EQ(refusal({"--batch-size", "0"}), "--batch-size: 0 is out of range; it must be at least 1");
  EXPECT_EQ(refusal({"--lr", "0"}), "--lr: 0 is out of range; it must be above 0");
  EXPECT_EQ(refusal({"--dropout", "1.01"}), "--dropout: 1.01 is out of range; it must be from 0 to 1");
  EXPECT_EQ(refusal({"--seed", "-1"}), "--seed: -1 is negative; it must be at least 0");
  EXPECT_EQ(refusal({"--batch-size", "2147483648"}),
            "--batch-size: '2147483648' is too large; the limit is 2147483647");
  EXPECT_EQ(refusal({"--batch-size", "-2147483649"}),
            "--batch-size: '-2147483649' is too small; the limit is -2147483648");
  EXPECT_EQ(refusal({"--layers", "1,-1"}), "--layers: -1 is out of range; it must be at least 0");
}

TEST(Flags, values_that_are_not_allowed) {
  EXPECT_EQ(refusal({"--dtype", "f33"}), "--dtype: 'f33' is not one of f32, bf16; did you mean f32?");
  EXPECT_EQ(refusal({"--dtype", "x"}), "--dtype: 'x' is not one of f32, bf16");
  EXPECT_EQ(refusal({"--formats", "svg,png"}), "--formats: 'png' is not one of svg, tensorboard");
  EXPECT_EQ(refusal({"--dtype", std::string(200, 'y')}),
            "--dtype: '" + std::string(57, 'y') + "...' is not one of f32, bf16");
  EXPECT_EQ(refusal({"--dtype", "a\nb"}), "--dtype: 'a\\x0ab' is not one of f32, bf16");
}

TEST(Flags, things_given_twice) {
  EXPECT_EQ(refusal({"--lr", "1", "--lr", "2"}), "--lr is given twice: '1' and '2'");
  EXPECT_EQ(refusal({"--lr", "1", "--lr", "1", "--lr", "3"}), "--lr is given 3 times: '1' and '1'");
  EXPECT_EQ(refusal({"--resume", "--resume"}), "--resume is given twice");
  EXPECT_EQ(refusal({"--no-shuffle", "--shuffle"}), "--shuffle and --no-shuffle contradict each other");
  EXPECT_EQ(refusal({"--lora-targets", "q,v,q"}), "--lora-targets: 'q' is named twice");
  EXPECT_EQ(refusal({"--lora-targets", "q,,v"}), "--lora-targets: 'q,,v' has an empty item");
  EXPECT_EQ(refusal({"--lora-targets", "q,"}), "--lora-targets: 'q,' has an empty item");
}

TEST(Flags, a_switch_takes_no_value) {
  EXPECT_EQ(refusal({"--resume=yes"}), "--resume takes no value; write --resume or --no-resume");
  EXPECT_EQ(refusal({"--no-shuffle=1"}), "--no-shuffle takes no value; write --shuffle or --no-shuffle");
}

TEST(Flags, json_has_every_flag_with_its_type) {
  TuneFlags flags;
  flags.model = "m";
  flags.max_steps = 3;
  const nlohmann::ordered_json json = flags_json(flags);
  EXPECT_EQ(json.size(), 16u);
  EXPECT_EQ(json["lr"].dump(), "0.0002");  // a float keeps its short form
  EXPECT_EQ(json["max-steps"].dump(), "3");
  EXPECT_EQ(json["lora-targets"].dump(), R"(["q_proj","v_proj"])");
  EXPECT_EQ(json["shuffle"].dump(), "true");
  EXPECT_EQ(flags_json(TuneFlags{})["max-steps"].dump(), "null");
  EXPECT_EQ(json.begin().key(), "model");
}

TEST(Flags, declaring_a_flag_twice_is_our_mistake) {
  FlagTable table;
  int n = 0;
  table("n", n, "a number");
  EXPECT_THROW(table("n", n, "again"), Error);
}

TEST(Flags, likely_name_needs_likeness) {
  EXPECT_EQ(likely_name("modle", {"data", "model"}), "model");
  EXPECT_EQ(likely_name("temp", {"help", "temperature"}), "temperature");
  EXPECT_EQ(likely_name("model-path", {"data", "model"}), "model");
  EXPECT_EQ(likely_name("zzz", {"data", "model"}), "");
  EXPECT_EQ(likely_name("", {"data"}), "");
  EXPECT_EQ(likely_name(std::string(1 << 20, 'a'), {"data"}), "");
}

}  // namespace
}  // namespace hearth
