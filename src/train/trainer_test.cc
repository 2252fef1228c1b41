// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.h"

#include <gtest/gtest.h>

#include "base/file_test_folder.h"
#include "io/json.h"
#include "io/save_model_folder.h"
#include "plan/plan_file.h"
#include "runtime/session.h"
#include "train/batches.h"
#include "train/lora_inputs.h"
#include "train/optimizer_graph.h"
#include "train/optimizer_state.h"

namespace hearth {
namespace {

const LanguageModel& prose() {
  static const LanguageModel model = LanguageModel::load(source_file("assets/prose-14m"));
  return model;
}

TokenBlocks blocks(int64_t size, int64_t count) {
  const std::string text =
      read_file(source_file("assets/tinyshakespeare.txt"), 1 << 22).substr(0, size_t(count * size * 4));
  TokenBlocks b = cut_blocks(prose().tokenizer(), text, "text", Blocks::stream, size);
  b.tokens.resize(size_t(std::min(count, b.count()) * size));
  return b;
}

LoraAdapter reference_adapter() { return LoraAdapter::load(prose(), source_file("tests/assets/reference/lora_init")); }

struct Result {
  std::vector<double> losses, norms;
  LoraAdapter adapter;
};

Result train(const TrainingArguments& a, const TokenBlocks& data, LoraAdapter adapter = reference_adapter()) {
  Trainer trainer(prose(), std::move(adapter), a, data);
  Result run;
  trainer.train({.step = [&](const StepReport& r) {
    run.losses.push_back(r.loss);
    run.norms.push_back(r.grad_norm);
  }});
  run.adapter = trainer.adapter();
  return run;
}

bool same_bits(const LoraAdapter& x, const LoraAdapter& y) {
  for (const auto& [name, m] : x.modules()) {
    if (m.a != y.modules().at(name).a || m.b != y.modules().at(name).b) return false;
  }
  return true;
}

TEST(Trainer, follows_the_recorded_peft_run) {
  const Json recorded = read_json_file(source_file("tests/assets/reference/reference_run.json"));
  const Result run =
      train({.max_steps = 555, .stop_after = 2, .learning_rate = 1e-3, .shuffle = false}, blocks(256, 16));
  for (size_t i = 0; i < 2; ++i) {
    const double loss = recorded["lora"]["loss_gradnorm"][i][0], norm = recorded["lora"]["loss_gradnorm"][i][1];
    EXPECT_NEAR(run.losses[i], loss, 1e-5 * loss);
    EXPECT_NEAR(run.norms[i], norm, 1e-4 * norm);
  }
}

TEST(Trainer, accumulation_equals_one_large_batch) {
  const TokenBlocks data = blocks(32, 11);  // the last micro-batch and the last group are partial
  const TrainingArguments large{.batch_size = 4, .epochs = 1, .learning_rate = 1e-3, .shuffle = false};
  TrainingArguments small = large;
  small.batch_size = 1;
  small.grad_accum = 4;
  const Result a = train(large, data), b = train(small, data);
  ASSERT_EQ(a.losses.size(), 3u);
  ASSERT_EQ(b.losses.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(a.losses[i], b.losses[i], 2e-6 * a.losses[i]);
    EXPECT_NEAR(a.norms[i], b.norms[i], 1e-5 * a.norms[i]);
  }
}

TEST(Trainer, checkpointing_changes_no_loss) {
  const TokenBlocks data = blocks(32, 8);
  TrainingArguments a{.batch_size = 4, .epochs = 1, .learning_rate = 1e-3};
  const Result plain = train(a, data);
  a.checkpointing = true;
  const Result again = train(a, data);
  EXPECT_EQ(plain.losses, again.losses);
  EXPECT_TRUE(same_bits(plain.adapter, again.adapter));
}

TEST(Trainer, resume_is_bit_exact) {
  TestFolder folder;
  const TokenBlocks data = blocks(32, 10);
  LoraConfig config;
  config.dropout = 0.1;
  const LoraAdapter start = LoraAdapter::create(prose(), config, 7);
  TrainingArguments a{.batch_size = 2, .grad_accum = 2, .epochs = 3, .learning_rate = 1e-3, .seed = 3};
  const Result whole = train(a, data, start);
  a.output_dir = folder / "run";
  a.save_every = 2;
  a.stop_after = 5;
  train(a, data, start);
  a.stop_after = 0;
  a.resume = true;
  const Result rest = train(a, data, start);
  ASSERT_EQ(rest.losses.size(), whole.losses.size() - 5);
  EXPECT_EQ(rest.losses, std::vector<double>(whole.losses.begin() + 5, whole.losses.end()));
  EXPECT_TRUE(same_bits(whole.adapter, rest.adapter));
}

TEST(Trainer, the_step_runs_from_a_plan_file) {
  TestFolder folder;
  const TokenBlocks data = blocks(32, 2);
  const TrainingArguments a{.batch_size = 2, .max_steps = 1, .learning_rate = 1e-3, .shuffle = false};
  Trainer trainer(prose(), reference_adapter(), a, data);
  trainer.save_step_plan(folder / "step.plan");
  double loss = 0;
  trainer.train({.step = [&](const StepReport& r) { loss = r.loss; }});

  Session session(load_plan(folder / "step.plan"));
  LoraAdapter adapter = reference_adapter();
  OptimizerState optimizer = OptimizerState::zeros(trained_tensors(prose(), adapter), {}, false);
  WeightInputs::bind(session, prose().folder());
  bind_lora(session, adapter);
  optimizer.bind(session);
  Batches order(data, {.batch_size = 2});
  Batch batch;
  order.fill(0, 0, batch);
  float scalars[4] = {1e-3f, 0.1f, 0.001f, float(1.0 / double(batch.counted))};
  session.bind_input("tokens", batch.tokens.data());
  session.bind_input("labels", batch.labels.data());
  session.bind_input("scalars", scalars);
  session.run();
  EXPECT_FLOAT_EQ(float(loss), *static_cast<const float*>(session.output("loss")) / float(batch.counted));
  EXPECT_TRUE(same_bits(adapter, trainer.adapter()));
}

TEST(Trainer, not_finite_names_step_and_tensor) {
  LoraAdapter adapter = reference_adapter();
  adapter.modules().begin()->second.b[5] = std::numeric_limits<float>::infinity();
  const std::string text =
      error_of(Kind::numeric, [&] { train({.batch_size = 2, .max_steps = 2}, blocks(32, 4), adapter); });
  EXPECT_NE(text.find("step 1 is not finite"), std::string::npos) << text;
  EXPECT_NE(text.find("lora_" + adapter.modules().begin()->first + ".b"), std::string::npos) << text;
}

// The prose model with one constant as the weights of its last norm.
LanguageModel with_last_norm(float weight, const std::string& folder) {
  std::vector<NewTensor> tensors;
  for (const std::string& name : prose().folder().names())
    tensors.push_back({name, prose().folder().tensor(name).type});
  const bf16 constant(weight);
  const auto bytes = [&](const NewTensor& tensor, int64_t begin,
                         std::span<std::byte> room) -> std::span<const std::byte> {
    if (tensor.name != "model.norm.weight")
      return prose().folder().tensor(tensor.name).span().subspan(size_t(begin), room.size());
    EXPECT_EQ(tensor.type.dtype, DType::bf16);
    for (size_t i = 0; i < room.size(); i += 2) std::memcpy(room.data() + i, &constant.bits, 2);
    return room;
  };
  save_model_folder(folder, prose().folder().config(), tensors, bytes, {.source_folder = prose().path()});
  return LanguageModel::load(folder);
}

// Logits of 1e37 that are wrong: each loss is finite, their sum is not. B is zero and A is tiny, so the gradients are.
TEST(Trainer, a_loss_that_is_not_finite_changes_nothing_though_the_gradients_are_finite) {
  TestFolder folder;
  const LanguageModel huge = with_last_norm(3e36f, folder / "huge");
  LoraAdapter start = LoraAdapter::create(huge, {.rank = 4, .targets = {"lm_head"}}, 1);
  for (float& a : start.modules().at("lm_head").a) a *= 1e-30f;
  const TokenBlocks data = blocks(64, 8);
  for (const int64_t micro_batches : {1, 2}) {
    Trainer trainer(huge, start, {.batch_size = 4, .grad_accum = micro_batches, .max_steps = 1}, data);
    const std::string text = error_of(Kind::numeric, [&] { trainer.train(); });
    EXPECT_TEXT(text, "step 1 is not finite: loss inf, gradient norm ");
    EXPECT_EQ(text.find("norm inf"), std::string::npos) << text;
    EXPECT_EQ(text.find("norm nan"), std::string::npos) << text;
    EXPECT_TEXT(text, "first in loss\n  the adapter is as it was after step 0");
    EXPECT_TRUE(same_bits(trainer.adapter(), start)) << micro_batches << " micro-batches";
  }
}

TEST(Trainer, resume_without_a_checkpoint_leaves_no_folder) {
  TestFolder folder;
  const std::string text = error_of(
      Kind::state, [&] { train({.output_dir = folder / "run", .max_steps = 1, .resume = true}, blocks(32, 8)); });
  EXPECT_TEXT(text, "holds no checkpoint to resume from");
  EXPECT_FALSE(exists(folder / "run"));
}

TEST(Trainer, tunes_the_output_layer) {
  LoraConfig config{.rank = 4, .targets = {"q_proj", "lm_head"}};
  config.dropout = 0.1;
  const LoraAdapter start = LoraAdapter::create(prose(), config, 5);
  const TokenBlocks data = blocks(32, 8);
  TrainingArguments a{.batch_size = 4, .epochs = 4, .learning_rate = 1e-2};
  const Result whole = train(a, data, start);
  EXPECT_LT(whole.losses.back(), whole.losses.front() - 0.2);
  EXPECT_NE(whole.adapter.modules().at("lm_head").a, start.modules().at("lm_head").a);
  EXPECT_NE(whole.adapter.modules().at("lm_head").b, start.modules().at("lm_head").b);
  a.dtype = DType::bf16;
  const Result half = train(a, data, start);
  for (size_t i = 0; i < whole.losses.size(); ++i) EXPECT_NEAR(half.losses[i], whole.losses[i], 0.01 * whole.losses[i]);
}

TEST(Trainer, refuses_blocks_longer_than_the_context) {
  const std::string text = error_of(Kind::value, [&] { train({.max_steps = 1}, blocks(2048, 2)); });
  EXPECT_NE(text.find("longer than the model's context of 1024"), std::string::npos) << text;
}

TEST(Trainer, bf16_comes_close_to_f32) {
  const TokenBlocks data = blocks(64, 16);
  TrainingArguments a{.batch_size = 4, .epochs = 2, .learning_rate = 1e-3};
  const Result full = train(a, data);
  a.dtype = DType::bf16;
  const Result half = train(a, data);
  for (size_t i = 0; i < full.losses.size(); ++i) EXPECT_NEAR(half.losses[i], full.losses[i], 0.01 * full.losses[i]);
}

TEST(Merge, leaves_the_base_alone_and_adds_the_update) {
  TestFolder folder;
  const LoraAdapter adapter = LoraAdapter::load(prose(), source_file("tests/assets/reference/lora_trained"));
  merge_adapter(prose(), adapter, folder / "merged");
  const LanguageModel merged = LanguageModel::load(folder / "merged");
  const TokenBlocks data = blocks(64, 8);
  const double apart = evaluate(prose(), &adapter, data).loss, together = evaluate(merged, nullptr, data).loss;
  EXPECT_NEAR(apart, together, 2e-3 * apart);  // the merged weights are rounded to bf16
  EXPECT_GT(evaluate(prose(), nullptr, data).loss, 1.2 * apart);
}

}  // namespace
}  // namespace hearth
