// SPDX-License-Identifier: Apache-2.0
#include "generate/batch_run.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "base/threads.h"

namespace hearth {
namespace {

class BatchRun {
 public:
  BatchRun(CachedModel& model, const std::vector<std::vector<int32_t>>& prompts, const GenerateOptions& options,
           const TextReader& reader, const AnswerReader& done);
  Generations run();

 private:
  // An answer that waits, or that grows in the row of its place in rows_.
  struct Slot {
    size_t prompt;
    int64_t sample;
    std::unique_ptr<Answer> answer = nullptr;
    bool open = true;
  };

  void make_room();
  void fill_rows();
  std::vector<float> first_logits(const Slot& slot, int64_t row);
  void step();
  void end_all();
  void take_finished();
  bool cancelled() const { return options_.cancelled && options_.cancelled(); }

  CachedModel& model_;
  const std::vector<std::vector<int32_t>>& prompts_;
  const GenerateOptions& options_;
  const TextReader& reader_;
  const AnswerReader& done_;
  int64_t width_ = 1;
  std::deque<Slot> waiting_;
  std::vector<Slot> rows_;                       // of the cache, from row 0 on
  std::vector<std::optional<size_t>> begins_;    // of each row of the cache: the prompt that its text begins with
  std::map<size_t, std::vector<float>> behind_;  // logits behind a prompt, while answers to it wait
  Generations result_;
};

BatchRun::BatchRun(CachedModel& model, const std::vector<std::vector<int32_t>>& prompts, const GenerateOptions& options,
                   const TextReader& reader, const AnswerReader& done)
    : model_(model), prompts_(prompts), options_(options), reader_(reader), done_(done) {
  for (size_t prompt = 0; prompt < prompts.size(); ++prompt)
    for (int64_t sample = 0; sample < options.samples; ++sample) waiting_.push_back({prompt, sample});
  result_.answers.assign(prompts.size(), std::vector<Generation>(size_t(options.samples)));
}

void BatchRun::make_room() {
  int64_t room = 0, longest = 0, most = 0;
  for (const auto& prompt : prompts_) {
    const int64_t tokens = int64_t(prompt.size());
    most = std::max(most, tokens);
    longest = std::max(longest, tokens + options_.max_tokens);
    room = std::max(room, CachedModel::prefill_room(tokens));
  }
  width_ = longest > model_.longest_alike() ? 1 : std::min(options_.batch_size, int64_t(waiting_.size()));
  model_.make_room(width_, std::max(room, longest));
  begins_.assign(size_t(CachedModel::padded_rows(width_)), {});
  model_.prepare_prefill(most);
  if (options_.max_tokens > 1) model_.prepare_step(width_);
}

// Logits behind a prompt, whose keys and values are in the row afterwards: copied from a row that has them, or
// computed.
std::vector<float> BatchRun::first_logits(const Slot& slot, int64_t row) {
  const std::vector<int32_t>& ids = prompts_[slot.prompt];
  const auto held = std::find(begins_.begin(), begins_.end(), std::optional(slot.prompt));
  if (held != begins_.end()) {
    if (held - begins_.begin() != row) model_.copy_row(held - begins_.begin(), row, int64_t(ids.size()));
    begins_[size_t(row)] = slot.prompt;
    return behind_.at(slot.prompt);
  }
  begins_[size_t(row)].reset();
  const std::span<const float> logits = model_.prefill(row, ids, 0, options_.cancelled);
  if (logits.empty()) return {};  // cancelled
  begins_[size_t(row)] = slot.prompt;
  result_.prefilled_tokens += int64_t(ids.size());
  return {logits.begin(), logits.end()};
}

void BatchRun::fill_rows() {
  const double begin = seconds_now();
  while (!waiting_.empty() && int64_t(rows_.size()) < width_) {
    Slot slot = std::move(waiting_.front());
    waiting_.pop_front();
    const bool alone = prompts_.size() == 1 && options_.samples == 1;
    slot.answer = std::make_unique<Answer>(model_.model(), options_, prompts_[slot.prompt], slot.sample,
                                           alone ? reader_ : TextReader{});
    std::vector<float> logits;
    if (!cancelled()) logits = first_logits(slot, int64_t(rows_.size()));
    if (logits.empty()) {
      slot.answer->cancel();
      slot.open = false;
    } else {
      slot.open = slot.answer->push(logits);
      const bool last = waiting_.empty() || waiting_.front().prompt != slot.prompt;
      if (!last) behind_[slot.prompt] = std::move(logits);
      if (last) behind_.erase(slot.prompt);
    }
    rows_.push_back(std::move(slot));
  }
  result_.prefill_seconds += seconds_now() - begin;
}

// One token more for every row.
void BatchRun::step() {
  const double begin = seconds_now();
  std::vector<const std::vector<int32_t>*> texts;
  for (const Slot& slot : rows_) texts.push_back(&slot.answer->ids());
  const float* logits = model_.step(texts);
  for (size_t idle = rows_.size(); idle < size_t(CachedModel::padded_rows(int64_t(rows_.size()))); ++idle)
    begins_[idle].reset();  // its first token was written over
  const size_t vocab = size_t(model_.model().spec().vocab);
  parallel_for(int64_t(rows_.size()), [&](int64_t row, int) {
    rows_[size_t(row)].open = rows_[size_t(row)].answer->push({logits + size_t(row) * vocab, vocab});
  });
  result_.decoded_tokens += int64_t(rows_.size());
  result_.decode_seconds += seconds_now() - begin;
}

// The last row moves to the place of one that is done, so that the open ones stay together.
void BatchRun::take_finished() {
  for (size_t row = rows_.size(); row-- > 0;) {
    Slot& slot = rows_[row];
    if (slot.open) continue;
    Generation& answer = result_.answers[slot.prompt][size_t(slot.sample)] = slot.answer->finish();
    if (done_) done_(slot.prompt, slot.sample, answer);
    const size_t last = rows_.size() - 1;
    if (row != last) {
      model_.copy_row(int64_t(last), int64_t(row), int64_t(rows_[last].answer->ids().size()));
      begins_[row] = begins_[last];
      slot = std::move(rows_[last]);
    }
    rows_.pop_back();
  }
}

void BatchRun::end_all() {
  for (Slot& slot : rows_) {
    slot.answer->cancel();
    slot.open = false;
  }
}

Generations BatchRun::run() {
  make_room();
  while (!waiting_.empty() || !rows_.empty()) {
    fill_rows();
    take_finished();
    if (int64_t(rows_.size()) < width_ && !waiting_.empty()) continue;
    if (rows_.empty()) continue;
    if (cancelled()) {
      end_all();
    } else {
      step();
    }
    take_finished();
  }
  return std::move(result_);
}

}  // namespace

Generations run_batch(CachedModel& model, const std::vector<std::vector<int32_t>>& prompts,
                      const GenerateOptions& options, const TextReader& reader, const AnswerReader& done) {
  return BatchRun(model, prompts, options, reader, done).run();
}

}  // namespace hearth
