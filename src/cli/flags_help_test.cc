// SPDX-License-Identifier: Apache-2.0
#include "cli/flags_help.h"

#include <gtest/gtest.h>

#include "cli/flags_test_command.h"

namespace hearth {
namespace {

TEST(FlagsHelp, golden) {
  const Command tune = command<TuneFlags>("tune", "tune a model on your own text", nullptr);
  EXPECT_EQ(help_text("hearth", tune.name, tune.summary, tune.make().table),
            R"(hearth tune: tune a model on your own text

usage: hearth tune --model DIR --data FILE [flags]

files:
  -m, --model DIR          folder with config.json and *.safetensors (needed)
  --data FILE              text to learn from (needed)

LoRA:
  --lora-rank N            rank of the adapter (default: 8, from 1 to 4096)
  --lora-targets TEXT,...  linear layers that get an adapter: names, or
                           all-linear (default: q_proj,v_proj)
  --layers N,...           only these layers (default: none, at least 0)

training:
  --lr X                   learning rate (default: 0.0002, above 0)
  --dropout X              share of activations that are dropped (default: 0,
                           from 0 to 1)
  --batch-size N           blocks in a batch (default: 8, at least 1)
  --dtype f32|bf16         type of the arithmetic (default: f32)
  --formats svg|tensorboard,...
                           pictures to leave (default: none)
  --stop TEXT              text that ends the output (default: none)
  --[no-]shuffle           take the blocks in random order (default: on)
  --resume                 continue from the last checkpoint, bit for bit
                           (default: off)
  --max-steps N            stop after this many steps (default: none, at least
                           1)
  --seed N                 seed of all random numbers (default: 0)

common flags:
  --quiet                  print no progress and no remarks, only results and
                           errors (default: off)
  --json                   print the result as JSON (default: off)
  --threads N              threads to compute with (default: 0 = all processors)
  --config FILE            JSON or YAML file of flag: value; the command line
                           wins over it (default: none)
  -h, --help               show this text
)");
}

TEST(FlagsHelp, no_line_is_wider_than_80) {
  std::string word;
  const std::vector<HelpRow> rows = {
      {"--a", "many words that go on and on until the line is full and then some more of them"},
      {"--a-very-long-flag-name-for-sure FOLDER", "starts a line of its own"}};
  std::string longest, line;
  for (char c : help_columns(rows)) {
    if (c != '\n') line += c;
    if (line.size() > longest.size()) longest = line;
    if (c == '\n') line.clear();
  }
  EXPECT_LE(longest.size(), 80u) << longest;
  EXPECT_EQ(help_columns({{"--a-very-long-flag-name-for-sure X", "text"}, {"--b", "t"}}),
            "  --a-very-long-flag-name-for-sure X\n       text\n  --b  t\n");
}

}  // namespace
}  // namespace hearth
