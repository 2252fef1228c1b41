// SPDX-License-Identifier: Apache-2.0
// Golden texts of what an adapter, the trainer's settings and a merge can have wrong.
#include <gtest/gtest.h>

#include <cmath>

#include "base/file_test_folder.h"
#include "train/lora.h"
#include "train/trainer.h"

namespace hearth {
namespace {

const LanguageModel& prose() {
  static const LanguageModel model = LanguageModel::load(source_file("assets/prose-14m"));
  return model;
}

std::string adapter_error(const LoraConfig& config) {
  return message_of([&] { LoraAdapter::create(prose(), config, 0); });
}

TEST(TrainErrorTexts, adapters) {
  EXPECT_EQ(adapter_error({.rank = 0}), "lora: rank must be at least 1; it is 0");
  EXPECT_EQ(adapter_error({.dropout = 1}), "lora: dropout must be in [0, 1); it is 1");
  EXPECT_EQ(adapter_error({.dropout = std::nan("")}), "lora: dropout must be in [0, 1); it is nan");
  EXPECT_EQ(adapter_error({.dora = true, .b_bias = true}), "lora: DoRA and a bias of B do not go together, as in PEFT");
  EXPECT_EQ(
      adapter_error({.targets = {"w_proj"}}),
      "lora: no layer of the model matches the targets\n  there are 'embed_tokens', 'q_proj', 'k_proj', 'v_proj', "
      "'o_proj', 'gate_proj', 'up_proj', 'down_proj', 'lm_head'");
  EXPECT_EQ(adapter_error({.targets = {"lm_head"}, .dora = true}),
            "lora: the output layer 'lm_head' takes plain LoRA only, without DoRA\n  hint: leave it out of the "
            "targets, or train it whole (modules_to_save)");
  EXPECT_EQ(adapter_error({.whole = {"score"}}), "lora: modules_to_save: the model has no module 'score'");
  EXPECT_EQ(adapter_error({.whole = {"embed_tokens"}, .tokens = {{"embed_tokens", {1}}}}),
            "lora: 'model.embed_tokens' is trained whole and by tokens; choose one");
  EXPECT_EQ(adapter_error({.tokens = {{"embed_tokens", {4096}}}}),
            "lora: trainable_token_indices: token 4096 is none of the model's 4096");
  EXPECT_EQ(adapter_error({.tokens = {{"embed_tokens", {1, 1}}}}),
            "lora: trainable_token_indices: token 1 is there twice");
  EXPECT_EQ(adapter_error({.tokens = {{"score", {1}}}}),
            "lora: trainable_token_indices: there is no module 'score', or no token is given for it");
}

std::string training_error(const TrainingArguments& arguments, int64_t block, int64_t count) {
  TokenBlocks blocks;
  blocks.block_size = block;
  blocks.tokens.assign(size_t(block * count), 5);
  return message_of([&] { Trainer(prose(), LoraAdapter::create(prose(), {}, 0), arguments, blocks).train({}); });
}

TEST(TrainErrorTexts, settings) {
  EXPECT_EQ(training_error({.batch_size = 0}, 8, 1), "train: batch size must be at least 1; it is 0");
  EXPECT_EQ(training_error({.grad_accum = 0}, 8, 1), "train: grad accum must be at least 1; it is 0");
  EXPECT_EQ(training_error({.epochs = 0}, 8, 1), "train: epochs must be above 0; they are 0");
  EXPECT_EQ(training_error({.clip = -1}, 8, 1), "train: steps, clip and weight decay must not be negative");
  EXPECT_EQ(training_error({.learning_rate = std::nan("")}, 8, 1),
            "train: learning rate must be a number >= 0; it is nan");
  EXPECT_EQ(training_error({}, 8, 0), "train: there is no block of tokens to train on");
  EXPECT_EQ(training_error({}, 1, 1), "train: a block needs at least 2 tokens; it has 1");
  EXPECT_EQ(training_error({}, 1025, 1),
            "train: blocks of 1025 tokens are longer than the model's context of 1024; use --block-size 1024 or less");
  EXPECT_EQ(training_error({.resume = true}, 8, 1), "resume: there is no output folder to resume from");
  EXPECT_EQ(message_of([] { merge_adapter(prose(), LoraAdapter{}, prose().path()); }),
            "merge: the output folder is the model's own, which is never written to; choose another");
  TokenBlocks blocks;
  blocks.block_size = 1025;
  blocks.tokens.assign(1025, 5);
  EXPECT_EQ(message_of([&] { evaluate(prose(), nullptr, blocks, DType::f32, 1); }),
            "evaluate: blocks of 1025 tokens are longer than the model's context of 1024");
}

}  // namespace
}  // namespace hearth
