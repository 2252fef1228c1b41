// SPDX-License-Identifier: Apache-2.0
// Cases of tuning that broke other libraries. Those that other files hold are named in edge_cases_elsewhere_test.cc.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file_test_folder.h"
#include "text/chat_template.h"
#include "text/examples.h"
#include "train/optimizer_state.h"
#include "train/trainer.h"

namespace hearth {
namespace {

const LanguageModel& prose() {
  static const LanguageModel model = LanguageModel::load(source_file("assets/prose-14m"));
  return model;
}

int64_t count_of(const std::vector<int32_t>& ids, int32_t id) { return std::count(ids.begin(), ids.end(), id); }

TEST(TuningEdgeCases, a_pad_token_that_is_the_end_hides_no_end) {
  const TestFolder folder;
  const std::string source = source_file("assets/prose-14m");
  write_file_atomic(folder / "tokenizer.json", read_file(join_path(source, "tokenizer.json"), 1 << 24));
  write_file_atomic(folder / "tokenizer_config.json",
                    R"({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>"})");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  const int32_t eos = tokenizer.eos_id();
  ASSERT_EQ(tokenizer.token(eos), "</s>");
  for (const char* example : {R"({"text": "My lord"})", R"({"prompt": "My", "completion": " lord"})"}) {
    const std::vector<int32_t> ids = tokenize_example(tokenizer, nullptr, Json::parse(example), {});
    EXPECT_EQ(ids.back(), eos) << example;  // ~eos would be hidden
  }
}

TEST(TuningEdgeCases, a_template_that_writes_the_beginning_gets_no_second_one) {
  const Tokenizer& tokenizer = prose().tokenizer();
  const ChatTemplate chat =
      ChatTemplate::parse("<s>{% for m in messages %}{{ m.content }}</s>{% endfor %}", "template");
  const Json example = Json::parse(R"({"messages": [{"role": "user", "content": "My lord"}]})");
  const std::vector<int32_t> ids = tokenize_example(tokenizer, &chat, example, {});
  EXPECT_EQ(ids.front(), tokenizer.bos_id());
  EXPECT_EQ(count_of(ids, tokenizer.bos_id()), 1);
  EXPECT_EQ(count_of(ids, tokenizer.eos_id()), 1);
}

struct Losses {
  std::vector<double> losses, norms;
};

Losses train(const TrainingArguments& arguments, const TokenBlocks& data) {
  LoraConfig config;
  config.targets = {"q_proj"};
  Trainer trainer(prose(), LoraAdapter::create(prose(), config, 7), arguments, data);
  Losses run;
  trainer.train({.step = [&](const StepReport& r) {
    run.losses.push_back(r.loss);
    run.norms.push_back(r.grad_norm);
  }});
  return run;
}

// Prompts that do not count and examples of 3 to 40 tokens: the mean is over the tokens of the whole group.
TokenBlocks ragged_examples(const std::string& file) {
  std::string lines;
  const std::string words = "one two three four five six seven eight nine ten eleven twelve ";
  for (size_t i = 0; i < 11; ++i) {
    const Json example = {{"prompt", words.substr(0, 4 + 5 * i)}, {"completion", words.substr(0, 62 - 5 * i)}};
    lines += example.dump() + "\n";
  }
  write_file_atomic(file, lines);
  return read_examples(prose().tokenizer(), prose().path(), file, {.max_length = 64});
}

TEST(TuningEdgeCases, accumulation_over_ragged_micro_batches_equals_one_large_batch) {
  const TestFolder folder;
  const TokenBlocks data = ragged_examples(folder / "a.jsonl");
  TrainingArguments large{.batch_size = 4, .epochs = 1, .learning_rate = 1e-3, .shuffle = false}, small = large;
  small.batch_size = 1;
  small.grad_accum = 4;
  const Losses a = train(large, data), b = train(small, data);
  ASSERT_EQ(a.losses.size(), 3u);  // the last group has three examples
  ASSERT_EQ(b.losses.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(a.losses[i], b.losses[i], 2e-6 * a.losses[i]);
    EXPECT_NEAR(a.norms[i], b.norms[i], 1e-5 * a.norms[i]);
  }
}

TEST(TuningEdgeCases, a_loss_that_is_not_finite_keeps_the_last_good_checkpoint) {
  const TestFolder folder;
  const TokenBlocks data = ragged_examples(folder / "a.jsonl");
  TrainingArguments a{.output_dir = folder / "run", .batch_size = 2, .max_steps = 6, .learning_rate = 1e38};
  a.clip = 0;
  a.save_every = 1;
  a.schedule.kind = ScheduleKind::constant;
  const std::string text = error_of(Kind::numeric, [&] { train(a, data); });
  EXPECT_TEXT(text, "is not finite");
  const std::vector<int64_t> steps = checkpoint_steps(a.output_dir);
  ASSERT_FALSE(steps.empty());
  EXPECT_TEXT(text, cat("the adapter is as it was after step ", steps.back()));
  a.stop_after = steps.back();  // it opens, whole: nothing is left to do
  a.resume = true;
  EXPECT_TRUE(train(a, data).losses.empty());
}

}  // namespace
}  // namespace hearth
