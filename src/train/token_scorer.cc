// SPDX-License-Identifier: Apache-2.0
#include "train/token_scorer.h"

#include "base/error.h"
#include "compiler/compile.h"
#include "runtime/session.h"
#include "train/batch_graph.h"
#include "train/lora_inputs.h"

namespace hearth {

TokenScorer::TokenScorer(const LanguageModel& model, const LoraAdapter* adapter, const ScorerOptions& options)
    : model_(model), adapter_(adapter ? std::make_unique<LoraAdapter>(*adapter) : nullptr), options_(options) {
  HEARTH_CHECK(options.width <= model.spec().max_positions, value, "evaluate: blocks of ", options.width,
               " tokens are longer than the model's context of ", model.spec().max_positions);
}
TokenScorer::~TokenScorer() = default;

// Programs for a whole batch of targets, and for a half, a quarter ... of it: where prompts do not count, most logits
// are not wanted.
static int64_t room_for(int64_t targets, int64_t most) {
  int64_t room = most;
  while (room / 2 >= std::max<int64_t>(targets, 16)) room /= 2;
  return room;
}

Session& TokenScorer::session_for(int64_t room) {
  std::unique_ptr<Session>& session = sessions_[room];
  if (session) return *session;
  Graph graph;
  std::optional<LoraInputs> lora;
  if (adapter_) lora = declare_lora(graph, *adapter_, false);
  const StepGraphOptions o{
      .batch = options_.batch, .block = options_.width, .packed = options_.packed, .dtype = options_.dtype};
  BatchGraph batch(graph, model_, o, lora ? &*lora : nullptr);
  const TokenLogProbs scores = batch.log_probs_at(room);
  graph.output("log_prob", scores.log_prob);
  graph.output("top", scores.top);
  session = std::make_unique<Session>(compile(graph));
  WeightInputs::bind(*session, model_.folder());
  if (adapter_) bind_lora(*session, *adapter_);
  return *session;
}

std::vector<TokenScore> TokenScorer::score(Batch& batch, const std::vector<ScoreTarget>& targets) {
  const int64_t places = options_.batch * options_.width, count = int64_t(targets.size());
  HEARTH_CHECK(int64_t(batch.tokens.size()) == places && count <= places, value, "score: a batch of ",
               batch.tokens.size(), " tokens and ", count, " targets does not fit in ", options_.batch, " rows of ",
               options_.width);
  const int64_t room = room_for(count, places);
  rows_.assign(size_t(room), -1);
  labels_.assign(size_t(room), -100);
  for (size_t i = 0; i < targets.size(); ++i) {
    rows_[i] = targets[i].row;
    labels_[i] = targets[i].label;
  }
  Session& session = session_for(room);
  session.bind_input("tokens", batch.tokens.data());
  session.bind_input("rows", rows_.data());
  session.bind_input("labels", labels_.data());
  if (options_.packed) {
    session.bind_input("segments", batch.segments.data());
    session.bind_input("positions", batch.positions.data());
  }
  session.run();
  const auto* log_prob = static_cast<const float*>(session.output("log_prob"));
  const auto* top = static_cast<const int32_t*>(session.output("top"));
  std::vector<TokenScore> scores;
  for (int64_t i = 0; i < count; ++i) scores.push_back({log_prob[i], top[i] != 0});
  return scores;
}

std::vector<ScoreTarget> counted_targets(const Batch& batch) {
  std::vector<ScoreTarget> targets;
  for (size_t i = 0; i < batch.labels.size(); ++i) {
    if (batch.labels[i] >= 0) targets.push_back({int32_t(i), batch.labels[i]});
  }
  return targets;
}

}  // namespace hearth
