// SPDX-License-Identifier: Apache-2.0
#include "train/fit.h"

#include <algorithm>

#include "base/error.h"
#include "train/training_session.h"

namespace hearth {

// Time of a row over that of one in large batches without checkpointing. What a batch costs beside its rows (weights
// read and packed, gradients added up) is that of some tokens; checkpointing repeats the forward pass.
static double relative_time(const FitTrial& trial, int64_t tokens_per_row) {
  constexpr double kBatchTokens = 32, kAgain = 1.3;
  return (trial.checkpointing ? kAgain : 1) * (1 + kBatchTokens / double(trial.batch_size * tokens_per_row));
}

// All ways to make up the rows of a step, the fastest first.
static std::vector<FitTrial> candidates(int64_t rows, int64_t tokens_per_row) {
  std::vector<FitTrial> all;
  for (int64_t batch = rows; batch > 0; --batch) {
    if (rows % batch != 0) continue;
    for (const bool checkpointing : {false, true}) all.push_back({batch, rows / batch, checkpointing, 0});
  }
  std::stable_sort(all.begin(), all.end(), [&](const FitTrial& a, const FitTrial& b) {
    return relative_time(a, tokens_per_row) < relative_time(b, tokens_per_row);
  });
  return all;
}

Fit fit_memory(const LanguageModel& model, LoraAdapter* adapter, const TrainingArguments& arguments,
               const TokenBlocks& train, const TokenBlocks* eval, int64_t limit_bytes) {
  Fit fit{.chosen = {}, .too_large = {}, .limit_bytes = limit_bytes};
  // A batch larger than the data is filled up with rows that count for nothing.
  for (FitTrial trial : candidates(arguments.batch_size * arguments.grad_accum, train.block_size)) {
    TrainingArguments a = arguments;
    a.batch_size = trial.batch_size;
    a.grad_accum = trial.grad_accum;
    a.checkpointing = trial.checkpointing || arguments.checkpointing;
    if (arguments.checkpointing && !trial.checkpointing) continue;  // it was asked for
    TrainingSession session(model, std::move(*adapter), a, train, eval);
    trial.memory_bytes = session.estimate().memory_bytes;
    *adapter = std::move(session.adapter);
    if (trial.memory_bytes <= limit_bytes) {
      fit.chosen = trial;
      return fit;
    }
    fit.too_large.push_back(trial);
  }
  const auto least =
      std::min_element(fit.too_large.begin(), fit.too_large.end(),
                       [](const FitTrial& a, const FitTrial& b) { return a.memory_bytes < b.memory_bytes; });
  HEARTH_FAIL(value, "fit: no way to compute this run needs ", limit_bytes, " bytes or less", "\n  the least is ",
              least->memory_bytes, " bytes, with ", least->batch_size, " rows at a time",
              least->checkpointing ? " and checkpointing" : "", "\n  hint: a smaller --block-size or --max-length",
              arguments.dtype == DType::f32 ? ", or --dtype bf16" : "");
}

}  // namespace hearth
