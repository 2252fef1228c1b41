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

void RunLog::step(const StepReport& r) {
  if (!jsonl_) return;
  jsonl_->write({.step = r.step,
                 .loss = r.loss,
                 .grad_norm = r.grad_norm,
                 .learning_rate = r.learning_rate,
                 .tokens_per_second = r.tokens_per_second,
                 .memory_bytes = r.memory_bytes,
                 .extra = {{"epoch", r.epoch}}});
  board_->scalars(r.step, {{"train/loss", r.loss},
                           {"train/grad_norm", r.grad_norm},
                           {"train/learning_rate", r.learning_rate},
                           {"train/tokens_per_second", r.tokens_per_second},
                           {"train/memory_bytes", double(r.memory_bytes)}});
}

void RunLog::evaluation(const EvalReport& r) {
  if (!jsonl_) return;
  jsonl_->write(r.step, {{"eval_loss", r.loss}, {"eval_accuracy", r.accuracy}, {"epoch", r.epoch}});
  board_->scalars(r.step, {{"eval/loss", r.loss}, {"eval/accuracy", r.accuracy}});
}

void RunLog::draw() {
  if (jsonl_)
    write_svg(join_path(folder_, "loss.svg"), loss_chart(read_jsonl_log(join_path(folder_, "log.jsonl")), "Tuning"));
}

}  // namespace hearth
