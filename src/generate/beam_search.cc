// SPDX-License-Identifier: Apache-2.0
#include "generate/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/clock.h"
#include "base/threads.h"
#include "generate/answer.h"
#include "generate/logit_processors.h"
#include "generate/sampler.h"

namespace hearth {
namespace {

struct Beam {
  std::vector<int32_t> ids;  // prompt and new tokens, an end token included
  double score = 0;          // running: the sum of log-probabilities; finished: that by its length
  StopReason reason = StopReason::max_tokens;
  std::vector<TokenChances> chances = {};
  int64_t row = 0;  // of the cache
};

// One token behind one running beam.
struct Continuation {
  size_t beam;
  int32_t id;
  double score;
};

bool better(const Continuation& a, const Continuation& b) {
  if (a.score != b.score) return a.score > b.score;
  return a.beam != b.beam ? a.beam < b.beam : a.id < b.id;
}

class BeamSearch {
 public:
  BeamSearch(CachedModel& model, const std::vector<int32_t>& prompt, const GenerateOptions& options);
  Generations run();

 private:
  void first_logits();
  void next_logits();
  std::vector<Continuation> best_of_beam(size_t beam) const;
  std::vector<Continuation> best_continuations() const;
  Beam continued(const Continuation& next) const;
  bool ends(Beam& beam) const;
  void advance();
  void finish(Beam beam, bool full);
  void place_in_rows(std::vector<Beam>& next);
  bool may_improve();
  int64_t new_tokens() const { return int64_t(running_[0].ids.size()) - prompt_tokens_; }
  Generation answer_of(const Beam& beam) const;

  CachedModel& model_;
  const std::vector<int32_t>& prompt_;
  const GenerateOptions& options_;
  const std::vector<int32_t> ends_;
  const size_t beams_;
  const int64_t prompt_tokens_;
  size_t kept_;                           // continuations looked at: enough that as many as beams go on, whatever ends
  std::vector<Beam> running_, finished_;  // the best first
  std::vector<std::vector<float>> logits_;  // behind each running beam
  bool improvable_ = true;
  Generations result_;
};

BeamSearch::BeamSearch(CachedModel& model, const std::vector<int32_t>& prompt, const GenerateOptions& options)
    : model_(model),
      prompt_(prompt),
      options_(options),
      ends_(end_tokens(model.model(), options)),
      beams_(size_t(options.beams)),
      prompt_tokens_(int64_t(prompt.size())) {
  kept_ = std::max<size_t>(2, 1 + ends_.size()) * beams_;
}

void BeamSearch::first_logits() {
  model_.make_room(options_.beams,
                   std::max(CachedModel::prefill_room(prompt_tokens_), prompt_tokens_ + options_.max_tokens));
  model_.prepare_prefill(prompt_tokens_);
  model_.prepare_step(options_.beams);
  const double begin = seconds_now();
  const std::span<const float> logits = model_.prefill(0, prompt_);
  running_ = {{.ids = prompt_}};
  logits_ = {{logits.begin(), logits.end()}};
  result_.prefill_seconds = seconds_now() - begin;
  result_.prefilled_tokens = prompt_tokens_;
}

void BeamSearch::next_logits() {
  std::vector<const std::vector<int32_t>*> texts(running_.size());
  for (const Beam& beam : running_) texts[size_t(beam.row)] = &beam.ids;
  const float* logits = model_.step(texts);
  const size_t vocab = size_t(model_.model().spec().vocab);
  logits_.resize(running_.size());
  for (size_t i = 0; i < running_.size(); ++i) {
    const float* from = logits + size_t(running_[i].row) * vocab;
    logits_[i].assign(from, from + vocab);
  }
  result_.decoded_tokens += int64_t(running_.size());
}

// Forbidden tokens come last, with a score of -infinity, so that there are always enough.
std::vector<Continuation> BeamSearch::best_of_beam(size_t beam) const {
  std::vector<float> scores = logits_[beam];
  const double all = log_sum_exp(scores);
  for (float& x : scores) x = float(double(x) - all);
  process_logits(options_, ends_, running_[beam].ids, prompt_tokens_, scores);
  std::vector<Continuation> next;
  next.reserve(scores.size());
  for (size_t id = 0; id < scores.size(); ++id)
    next.push_back({beam, int32_t(id), running_[beam].score + double(scores[id])});
  const auto end = next.begin() + long(std::min(kept_, next.size()));
  std::partial_sort(next.begin(), end, next.end(), better);
  next.erase(end, next.end());
  return next;
}

std::vector<Continuation> BeamSearch::best_continuations() const {
  std::vector<std::vector<Continuation>> of_beam(running_.size());
  parallel_for(int64_t(running_.size()), [&](int64_t i, int) { of_beam[size_t(i)] = best_of_beam(size_t(i)); });
  std::vector<Continuation> all;
  for (const auto& some : of_beam) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end(), better);
  all.resize(std::min(all.size(), kept_));
  return all;
}

Beam BeamSearch::continued(const Continuation& next) const {
  Beam beam = running_[next.beam];
  beam.ids.push_back(next.id);
  beam.score = next.score;
  if (options_.logprobs >= 0) beam.chances.push_back(token_chances(logits_[next.beam], next.id, options_.logprobs));
  return beam;
}

bool BeamSearch::ends(Beam& beam) const {
  if (std::binary_search(ends_.begin(), ends_.end(), beam.ids.back())) {
    beam.reason = StopReason::end_token;
    return true;
  }
  if (!options_.stop.empty()) {
    AnswerText text(model_.model().tokenizer(), prompt_, options_.stop);
    for (size_t i = prompt_.size(); i < beam.ids.size(); ++i) text.push(beam.ids[i]);
    if (text.stops().found()) {
      beam.reason = StopReason::stop_text;
      return true;
    }
  }
  return int64_t(beam.ids.size()) == prompt_tokens_ + options_.max_tokens;
}

// `full`: whether there were as many finished ones as beams before this step.
void BeamSearch::finish(Beam beam, bool full) {
  if (!improvable_ || (full && options_.early_stopping == EarlyStopping::full)) return;
  beam.score /= std::pow(double(int64_t(beam.ids.size()) - prompt_tokens_), options_.length_penalty);
  const auto behind =
      std::find_if(finished_.begin(), finished_.end(), [&](const Beam& other) { return other.score < beam.score; });
  finished_.insert(behind, std::move(beam));
  if (finished_.size() > beams_) finished_.pop_back();
}

// The beams get the first rows. One that goes on keeps its row with its first child; further children get rows that no
// beam goes on from.
void BeamSearch::place_in_rows(std::vector<Beam>& next) {
  std::vector<bool> taken(next.size(), false);
  std::vector<Beam*> copies;
  for (Beam& beam : next) {
    const size_t row = size_t(beam.row);
    if (row >= next.size() || taken[row]) {
      copies.push_back(&beam);
    } else {
      taken[row] = true;
    }
  }
  for (Beam* beam : copies) {
    const int64_t free = std::find(taken.begin(), taken.end(), false) - taken.begin();
    model_.copy_row(beam->row, free, int64_t(beam->ids.size()) - 1);
    beam->row = free;
    taken[size_t(free)] = true;
  }
}

void BeamSearch::advance() {
  const std::vector<Continuation> best = best_continuations();
  std::vector<Beam> next, done;
  for (size_t place = 0; place < best.size(); ++place) {
    if (best[place].score == -INFINITY) break;
    Beam beam = continued(best[place]);
    if (ends(beam)) {
      if (place < beams_) done.push_back(std::move(beam));  // the others were only looked at to replace it
    } else if (next.size() < beams_) {
      next.push_back(std::move(beam));
    }
  }
  const bool full = finished_.size() == beams_;
  for (Beam& beam : done) finish(std::move(beam), full);
  place_in_rows(next);
  running_ = std::move(next);
}

// Whether a running beam may still come before the worst of as many finished ones as there are beams.
bool BeamSearch::may_improve() {
  if (running_.empty()) return false;
  if (finished_.size() < beams_) return true;
  if (options_.early_stopping == EarlyStopping::full) return false;
  const bool longest = options_.early_stopping == EarlyStopping::never && options_.length_penalty > 0;
  const double length = double(longest ? options_.max_tokens : new_tokens());
  improvable_ = improvable_ && running_[0].score / std::pow(length, options_.length_penalty) > finished_.back().score;
  return improvable_;
}

Generation BeamSearch::answer_of(const Beam& beam) const {
  Generation answer;
  answer.prompt_tokens = prompt_tokens_;
  answer.reason = beam.reason;
  answer.score = beam.score;
  answer.ids.assign(beam.ids.begin() + prompt_tokens_, beam.ids.end());
  answer.chances = beam.chances;
  if (beam.reason == StopReason::end_token) {
    answer.ids.pop_back();
    if (!answer.chances.empty()) answer.chances.pop_back();
  }
  AnswerText text(model_.model().tokenizer(), prompt_, options_.stop);
  for (const int32_t id : answer.ids) answer.text += text.push(id);
  answer.text += text.finish();
  if (text.stops().found()) answer.stop_text = text.stops().text();
  return answer;
}

Generations BeamSearch::run() {
  first_logits();
  const double begin = seconds_now();
  while (true) {
    advance();
    if (!may_improve()) break;
    if (options_.cancelled && options_.cancelled()) {
      for (Beam& beam : running_) beam.reason = StopReason::cancelled;
      for (Beam& beam : running_) finish(std::move(beam), finished_.size() == beams_);
      break;
    }
    next_logits();
  }
  result_.decode_seconds = seconds_now() - begin;
  result_.answers.resize(1);
  for (size_t i = 0; i < std::min(finished_.size(), size_t(options_.samples)); ++i)
    result_.answers[0].push_back(answer_of(finished_[i]));
  return std::move(result_);
}

}  // namespace

Generations beam_search(CachedModel& model, const std::vector<int32_t>& prompt, const GenerateOptions& options) {
  return BeamSearch(model, prompt, options).run();
}

}  // namespace hearth
