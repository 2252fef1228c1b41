// SPDX-License-Identifier: Apache-2.0
#include "train/run_log.h"

#include "base/file.h"
#include "train/metrics/svg_chart.h"

namespace hearth {

RunLog::RunLog(const std::string& folder, int64_t step) : folder_(folder) {
  if (folder.empty()) return;
  ensure_folder(folder);
  const std::string log = join_path(folder, "log.jsonl"), board = join_path(folder, "tensorboard");
  jsonl_.emplace(step > 0 ? JsonlLog::resume(log, step) : JsonlLog::create(log));
  if (step > 0)
    board_.emplace(board, step + 1);
  else
    board_.emplace(board);
}

static NamedNumbers with_prefix(const std::string& prefix, NamedNumbers numbers) {
  for (auto& [name, value] : numbers) name = prefix + name;
  return numbers;
}

void RunLog::step(const StepReport& r) {
  if (!jsonl_) return;
  NamedNumbers extra = {{"epoch", r.epoch}};
  if (r.loss_scale > 0) extra.emplace_back("loss_scale", r.loss_scale);
  extra.insert(extra.end(), r.metrics.begin(), r.metrics.end());
  jsonl_->write({.step = r.step,
                 .loss = r.loss,
                 .grad_norm = r.grad_norm,
                 .learning_rate = r.learning_rate,
                 .tokens_per_second = r.tokens_per_second,
                 .memory_bytes = r.memory_bytes,
                 .extra = extra});
  board_->scalars(r.step, {{"train/loss", r.loss},
                           {"train/grad_norm", r.grad_norm},
                           {"train/learning_rate", r.learning_rate},
                           {"train/tokens_per_second", r.tokens_per_second},
                           {"train/memory_bytes", double(r.memory_bytes)}});
  if (!r.metrics.empty()) board_->scalars(r.step, with_prefix("train/", r.metrics));
}

void RunLog::evaluation(const EvalReport& r) {
  if (!jsonl_) return;
  NamedNumbers numbers = {{"eval_loss", r.loss}, {"eval_accuracy", r.accuracy}, {"epoch", r.epoch}};
  const NamedNumbers metrics = with_prefix("eval_", r.metrics);
  numbers.insert(numbers.end(), metrics.begin(), metrics.end());
  jsonl_->write(r.step, numbers);
  board_->scalars(r.step, {{"eval/loss", r.loss}, {"eval/accuracy", r.accuracy}});
  if (!r.metrics.empty()) board_->scalars(r.step, with_prefix("eval/", r.metrics));
}

void RunLog::draw() {
  if (jsonl_)
    write_svg(join_path(folder_, "loss.svg"), loss_chart(read_jsonl_log(join_path(folder_, "log.jsonl")), "Tuning"));
}

}  // namespace hearth
