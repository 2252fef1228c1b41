// SPDX-License-Identifier: Apache-2.0
#include "generate/adapted_model.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "compiler/compile.h"
#include "models/model_graph.h"
#include "ops/elementwise/elementwise.h"
#include "ops/gather/gather.h"
#include "ops/shape/shape.h"
#include "runtime/session.h"
#include "train/lora_inputs.h"

namespace hearth {

namespace {

// A compiled size with the small inputs it reads.
struct SizedCall {
  std::unique_ptr<Session> session;
  std::vector<int32_t> tokens, last;  // [B,T]; [B]: place of each text's last token
  std::vector<float> shares;          // [adapters,B]
};

constexpr int64_t kTokenStep = 16;

}  // namespace

struct AdaptedModel::State {
  const LanguageModel& model;
  AdapterSet& adapters;
  DType dtype;
  std::map<std::pair<int64_t, int64_t>, SizedCall> calls = {};  // by B and T

  Plan compiled_for(int64_t rows, int64_t tokens) const {
    Graph graph;
    WeightInputs weights(graph, model);
    const LoraInputs lora = declare_lora(graph, adapters, rows);
    const ModelGraph forward{.spec = model.spec(),
                             .dtype = dtype,
                             .weight = [&](const std::string& name) { return weights(name); },
                             .lora = &lora.values};
    const Value hidden = model_hidden(forward, graph.input("tokens", {DType::i32, {rows, tokens}}));  // [B,T,E]
    const Value last = reshape(graph.input("last", {DType::i32, {rows}}), {rows, 1, 1});
    const Value x = take_along_axis(hidden, last, 1);  // [B,1,E]
    graph.output("logits", convert(model_logits(forward, x), DType::f32));
    return compile(graph);
  }

  SizedCall& call(int64_t rows, int64_t tokens) {
    SizedCall& call = calls[{rows, tokens}];
    if (call.session) return call;
    auto session = std::make_unique<Session>(compiled_for(rows, tokens));
    WeightInputs::bind(*session, model.folder());
    bind_lora(*session, adapters);
    call.tokens.resize(size_t(rows * tokens));
    call.last.resize(size_t(rows));
    call.shares.resize(adapters.size() * size_t(rows));
    session->bind_input("tokens", call.tokens.data());
    session->bind_input("last", call.last.data());
    if (adapters.size() > 0) session->bind_input("lora.shares", call.shares.data());
    call.session = std::move(session);
    return call;
  }
};

AdaptedModel::AdaptedModel(const LanguageModel& model, AdapterSet& adapters, DType dtype)
    : state_(new State{model, adapters, dtype}) {}
AdaptedModel::~AdaptedModel() = default;

int64_t AdaptedModel::compiled() const { return int64_t(state_->calls.size()); }

static int64_t longest(const LanguageModel& model, const std::vector<std::vector<int32_t>>& texts) {
  const ModelSpec& spec = model.spec();
  HEARTH_CHECK(!texts.empty(), value, "logits: there is no text");
  int64_t most = 0;
  for (const std::vector<int32_t>& text : texts) {
    most = std::max(most, int64_t(text.size()));
    HEARTH_CHECK(!text.empty() && int64_t(text.size()) <= spec.max_positions, value, "logits: a text has ", text.size(),
                 " tokens; the model takes 1 to ", spec.max_positions);
    for (const int32_t id : text)
      HEARTH_CHECK(id >= 0 && id < spec.vocab, value, "logits: token ", id, " is none of the model's ", spec.vocab);
  }
  return most;
}

// Behind a text its row is padded with token 0, which no token of the text sees.
std::vector<std::vector<float>> AdaptedModel::logits(const std::vector<std::vector<int32_t>>& texts,
                                                     const std::vector<ActiveAdapters>& active) {
  State& s = *state_;
  const int64_t rows = int64_t(texts.size()), vocab = s.model.spec().vocab, most = longest(s.model, texts);
  HEARTH_CHECK(active.size() == 1 || active.size() == texts.size(), value, "logits: ", texts.size(),
               " texts need as many lists of adapters, or one for all; there are ", active.size());
  const std::vector<ActiveAdapters> all(texts.size(), active[0]);
  const std::vector<float> shares = s.adapters.shares(active.size() == texts.size() ? active : all);
  const int64_t tokens = std::min((most + kTokenStep - 1) / kTokenStep * kTokenStep, s.model.spec().max_positions);
  SizedCall& call = s.call(rows, tokens);
  std::fill(call.tokens.begin(), call.tokens.end(), 0);
  for (int64_t row = 0; row < rows; ++row) {
    const std::vector<int32_t>& text = texts[size_t(row)];
    std::copy(text.begin(), text.end(), call.tokens.begin() + row * tokens);
    call.last[size_t(row)] = int32_t(text.size()) - 1;
  }
  std::copy(shares.begin(), shares.end(), call.shares.begin());
  call.session->run();
  const float* logits = static_cast<const float*>(call.session->output("logits"));
  std::vector<std::vector<float>> result;
  for (int64_t row = 0; row < rows; ++row) result.emplace_back(logits + row * vocab, logits + (row + 1) * vocab);
  return result;
}

}  // namespace hearth
