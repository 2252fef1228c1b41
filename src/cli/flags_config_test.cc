// SPDX-License-Identifier: Apache-2.0
#include "cli/flags_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file_test_folder.h"
#include "cli/flags_parse.h"
#include "cli/flags_test_command.h"

namespace hearth {
namespace {

TuneFlags configured(const std::string& text) {
  TuneFlags flags;
  CommonFlags common;
  FlagTable table;
  flags.visit(table);
  common.visit(table);
  apply_config_text(table, text, "run.yaml");
  return flags;
}

std::string refusal(const std::string& text) {
  return error_of(Kind::value, [&] { configured(text); });
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    path_ = (std::filesystem::temp_directory_path() / cat("hearth_flags_", getpid(), ".conf")).string();
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(FlagsConfig, yaml_sets_flags_with_dash_or_underscore) {
  const TuneFlags flags = configured(
      "# a run\nmodel: some/folder\nlora-rank: 16\nbatch_size: 2\nlr: 1e-3\nlora_targets: [q_proj, 'a,b']\n"
      "shuffle: no\nstop:\n  - x\n  - y,z\nmax_steps: 5\nlayers: 1,2\ndropout:\n");
  EXPECT_EQ(flags.model, "some/folder");
  EXPECT_EQ(flags.rank, 16);
  EXPECT_EQ(flags.batch_size, 2);
  EXPECT_EQ(flags.lr, 1e-3f);
  EXPECT_EQ(flags.targets, (std::vector<std::string>{"q_proj", "a,b"}));
  EXPECT_FALSE(flags.shuffle);
  EXPECT_EQ(flags.stop, (std::vector<std::string>{"x", "y,z"}));
  EXPECT_EQ(flags.max_steps, 5);
  EXPECT_EQ(flags.layers, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(flags.dropout, 0);
}

TEST(FlagsConfig, json_sets_flags) {
  const TuneFlags flags = configured(
      "\n{\"model\": \"a\\u00e9\", \"lora_rank\": 4,\t\"lora-targets\": [\"k\"], \"shuffle\": false, \"lr\": 1e-3, "
      "\"max-steps\": null}");
  EXPECT_EQ(flags.model, "a\u00e9");
  EXPECT_EQ(flags.rank, 4);
  EXPECT_EQ(flags.targets, (std::vector<std::string>{"k"}));
  EXPECT_FALSE(flags.shuffle);
  EXPECT_EQ(flags.lr, 1e-3f);
  EXPECT_FALSE(flags.max_steps.has_value());
}

TEST(FlagsConfig, the_resolved_configuration_reads_back_equal) {
  TuneFlags flags;
  flags.model = "with \"quotes\", commas and \n";
  flags.lr = 0.1f;
  flags.dropout = 0.1 + 0.2;
  flags.seed = 18446744073709551615u;
  flags.targets = {};
  flags.stop = {"a,b", "", "c"};
  EXPECT_EQ(flags_json(configured(flags_json(flags).dump(2))).dump(), flags_json(flags).dump());
  flags.max_steps = 9;
  EXPECT_EQ(flags_json(configured(flags_json(flags).dump(2))).dump(), flags_json(flags).dump());
}

TEST(FlagsConfig, an_empty_file_changes_nothing) {
  EXPECT_EQ(flags_json(configured("")).dump(), flags_json(TuneFlags{}).dump());
  EXPECT_EQ(flags_json(configured("{}")).dump(), flags_json(TuneFlags{}).dump());
  EXPECT_EQ(flags_json(configured("# nothing\n")).dump(), flags_json(TuneFlags{}).dump());
}

TEST(FlagsConfig, the_command_line_wins) {
  const TemporaryFile file("model: a\ndata: b\nlora-rank: 4\nshuffle: false\nlora-targets: [k]\n");
  TuneFlags flags;
  CommonFlags common;
  FlagTable table;
  flags.visit(table);
  common.visit(table);
  EXPECT_EQ(parse_flags(table, {"--config", file.path(), "--lora-rank", "32", "--shuffle"}).config_path, file.path());
  EXPECT_EQ(flags.model, "a");  // a needed flag may come from the file
  EXPECT_EQ(flags.rank, 32);
  EXPECT_TRUE(flags.shuffle);
  EXPECT_EQ(flags.targets, (std::vector<std::string>{"k"}));
  EXPECT_TRUE(table.find("shuffle")->given);
  EXPECT_FALSE(table.find("seed")->given);
}

TEST(FlagsConfig, wrong_keys) {
  EXPECT_EQ(refusal("lora_rnak: 4"), "run.yaml: unknown key 'lora_rnak'; did you mean lora-rank?");
  EXPECT_EQ(refusal("{\"zebra\": 4}"), "run.yaml: unknown key 'zebra'");
  EXPECT_EQ(refusal("seed: 1\nseed: 2"), "run.yaml: seed is given twice");
  EXPECT_EQ(refusal("{\"seed\": 1, \"seed\": 1}"), "run.yaml: seed is given twice");
  EXPECT_EQ(refusal("lora_rank: 1\nlora-rank: 1"), "run.yaml: lora-rank is given twice");
  EXPECT_EQ(refusal("config: other.yaml"), "run.yaml: config cannot be set in a file");
  EXPECT_EQ(refusal("[1, 2]: x"), "run.yaml: a key is not a word");
}

TEST(FlagsConfig, wrong_values) {
  EXPECT_EQ(refusal("batch_size: many"), "run.yaml: batch_size: 'many' is not a whole number");
  EXPECT_EQ(refusal("{\"batch_size\": 1.5}"), "run.yaml: batch_size: '1.5' is not a whole number");
  EXPECT_EQ(refusal("batch_size: [1]"), "run.yaml: batch_size takes one value, not a list");
  EXPECT_EQ(refusal("lora-rank: 0"), "run.yaml: lora-rank: 0 is out of range; it must be from 1 to 4096");
  EXPECT_EQ(refusal("shuffle: maybe"), "run.yaml: shuffle: 'maybe' is neither true nor false");
  EXPECT_EQ(refusal("dtype: f16"), "run.yaml: dtype: 'f16' is not one of f32, bf16; did you mean bf16?");
  const char* nested = " holds a mapping or a list of lists; a flag takes one value or a list of values";
  EXPECT_EQ(refusal("lora: {rank: 4}"), std::string("run.yaml: lora") + nested);
  EXPECT_EQ(refusal("layers: [[1]]"), std::string("run.yaml: layers") + nested);
  EXPECT_EQ(refusal("{\"layers\": {\"a\": 1}}"), std::string("run.yaml: layers") + nested);
  EXPECT_EQ(refusal("{\"layers\": [null]}"), std::string("run.yaml: layers") + nested);
}

TEST(FlagsConfig, text_that_is_no_configuration) {
  EXPECT_EQ(refusal("just words"), "run.yaml: the file must hold a mapping from flags to values");
  EXPECT_EQ(refusal("- a\n- b"), "run.yaml: the file must hold a mapping from flags to values");
  EXPECT_TRUE(refusal("a: [1").starts_with("run.yaml: not valid YAML: ")) << refusal("a: [1");
  EXPECT_TRUE(refusal("{\"a\": }").starts_with("run.yaml: not valid JSON: parse error at line 1"))
      << refusal("{\"a\": }");
}

TEST(FlagsConfig, damaged_and_hostile_text_only_throws) {
  const std::string deep_json = "{\"a\":" + std::string(100000, '[');
  const std::string deep_yaml = "a: " + std::string(100000, '[');
  const std::string bomb = "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nseed: *c\n";
  const std::string loop = "seed: &a [*a]";
  for (const std::string& text :
       {deep_json, deep_yaml, bomb, loop, std::string("\0\0\0", 3), std::string("\xff\xfe\x00", 3),
        std::string("{\"model\": \"\xff\"}"), std::string("? : :\n- {")})
    EXPECT_NE(refusal(text), "") << text.substr(0, 40);
}

TEST(FlagsConfig, very_many_keys_end_quickly) {
  std::string text = "{\"seed\": 1";
  for (int i = 0; i < 60000; ++i) text += cat(",\"k", i, "\":1");
  EXPECT_EQ(refusal(text + "}"), "run.yaml: unknown key 'k0'");
}

TEST(FlagsConfig, mutated_text_never_crashes) {
  const std::string seed_text =
      "model: a\nlora-targets: [q, 'v']\nlr: 1e-3 # x\n&b shuffle: !!bool yes\nstop:\n  - |\n    t\n";
  uint64_t state = 1;
  for (int round = 0; round < 3000; ++round) {
    std::string text = round % 2 ? seed_text : "{\"model\": \"a\\u00e9\", \"stop\": [\"q\", 1], \"lr\": 1e-3}";
    for (int edit = 0; edit < 3; ++edit) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      text[(state >> 33) % text.size()] = static_cast<char>(state >> 56);
    }
    try {
      configured(text);
    } catch (const UsageError&) {  // anything else would end the test
    }
  }
}

TEST(FlagsConfig, files_that_cannot_be_read) {
  TuneFlags flags;
  FlagTable table = flag_table(flags);
  const auto message = [&](const std::string& path) {
    return error_of(Kind::value, [&] { apply_config_file(table, path); });
  };
  EXPECT_EQ(message("/no/such/file"), "--config: there is no file '/no/such/file'");
  EXPECT_EQ(message("/"), "--config: '/' is a folder, not a file");
  const TemporaryFile large(std::string((1 << 20) + 1, ' '));
  EXPECT_EQ(message(large.path()),
            "--config: '" + large.path() + "' is larger than 1048576 bytes; is it a configuration?");
}

}  // namespace
}  // namespace hearth
