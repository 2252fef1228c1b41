// SPDX-License-Identifier: Apache-2.0
#include "models/model_graph.h"

#include <cmath>

#include "array/transforms.h"
#include "base/error.h"
#include "models/layer_graph.h"
#include "ops/elementwise/elementwise.h"
#include "ops/embedding/embedding.h"
#include "ops/gather/gather.h"
#include "ops/linear_cross_entropy/linear_cross_entropy.h"
#include "ops/matmul/matmul.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// Slopes of the heads: powers of 2^(-8/n) for a power of two n; the heads past it take every other power of that of 2n.
std::vector<double> alibi_slopes(int64_t heads) {
  int64_t whole = 1;
  while (2 * whole <= heads) whole *= 2;
  std::vector<double> slopes;
  for (int64_t i = 1; i <= whole; ++i) slopes.push_back(std::exp2(-8.0 * double(i) / double(whole)));
  for (int64_t i = 1; int64_t(slopes.size()) < heads; i += 2)
    slopes.push_back(std::exp2(-4.0 * double(i) / double(whole)));
  return slopes;
}

// What each key adds to a head's scores, [H,S]. Counted from the text's first token: what a row's keys share cancels.
Value alibi_bias(Graph& graph, const AlibiSpec& alibi, int64_t heads, int64_t keys) {
  const auto rounded = [&](const Value& x) { return alibi.rounded ? convert(convert(x, DType::bf16), DType::f32) : x; };
  const Value slopes = rounded(constant_list(graph, alibi_slopes(heads), DType::f32, {heads}));
  const Value places = convert(iota(graph, DType::i32, {heads, keys}, 1), DType::f32);
  return rounded(broadcast_in_dim(slopes, {heads, keys}, {0}) * rounded(places)) * alibi.scale;
}

// Rows of the embedding with its updates: a row of A^T stands for the product of A with a unit vector.
Value token_rows(const ModelGraph& model, const Value& tokens) {
  const std::string& name = model.spec.embedding;
  const Value weight = model.weight(name + ".weight");
  Value x = convert(embedding(weight, tokens), model.dtype);  // [B,T,E]
  if (!model.lora) return x;
  for (const LoraValues& lora : model.lora->of(name)) {
    const Value inner = transpose(take(lora.a, tokens, 1), {1, 2, 0});  // [B,T,r]
    const Value factor = lora.magnitude.valid() ? dora_factor(lora, transpose(weight, {1, 0})) : Value{};
    x = x + lora_change(lora, linear(convert(inner, model.dtype), lora.b), factor, x);
  }
  return x;
}

Value embed(const LayerContext& context, const Value& tokens) {
  const ModelGraph& model = context.model;
  const ModelSpec& spec = model.spec;
  Value x = token_rows(model, tokens);  // [B,T,E]
  if (spec.embedding_scale != 1) x = x * spec.embedding_scale;
  if (model.after_embedding) x = model.after_embedding(x);
  if (!spec.project_in.name.empty()) x = project(context, x, spec.project_in);  // [B,T,C]
  if (!spec.position_table.empty()) {
    const Value place = context.positions + constant(*tokens.graph, double(spec.position_offset), DType::i32);
    x = x + convert(embedding(model.weight(spec.position_table + ".weight"), place), model.dtype);  // [T,C] or [B,T,C]
  }
  return normalise(context, x, spec.embedding_norm);
}

Value output_weight(const ModelGraph& model) {
  return model.weight((model.spec.tied ? model.spec.embedding : model.spec.output.name) + ".weight");
}

const std::vector<LoraValues>& output_lora(const ModelGraph& model) {
  static const LoraValuesOf none;
  return (model.lora ? *model.lora : none).of(model.spec.output.name);
}

// All updates of the output layer as one of the sum of their ranks.
LowRankLogits joined_updates(const ModelGraph& model, const Value& x) {
  int64_t site = -1;
  each_linear(model.spec, [&](const LinearSpec&) { ++site; });  // the output layer is the last one
  const std::vector<LoraValues>& all = output_lora(model);
  std::vector<Value> inner, b;
  for (const LoraValues& lora : all) {
    const Value own = lora_inner(*model.lora, lora, x, site);
    inner.push_back(lora.scale == all[0].scale ? own : own * (lora.scale / all[0].scale));
    b.push_back(lora.b);
  }
  if (all.size() == 1) return {inner[0], b[0], all[0].scale};
  return {concatenate(inner, 1), concatenate(b, 1), all[0].scale};
}

Value scaled_hidden(const ModelGraph& model, const Value& hidden) {
  return model.spec.logit_scale == 1 ? hidden : hidden * model.spec.logit_scale;
}

}  // namespace

// positions [T] or [B,T], start scalar or [B] -> [T] or [B,T].
static Value positions_behind(const Value& positions, const Value& start) {
  if (start.rank() == 0) return positions + start;
  const Dims whole = {start.dim(0), positions.dim(-1)};
  const Value each = positions.rank() == 2 ? positions : broadcast_in_dim(positions, whole, {1});
  return each + broadcast_in_dim(start, whole, {0});
}

LayerContext layer_context(const ModelGraph& model, const Value& tokens) {
  Graph& graph = *tokens.graph;
  LayerContext context{model, model.positions.valid() ? model.positions : iota(graph, DType::i32, {tokens.dim(1)}, 0)};
  if (model.cache) context.positions = positions_behind(context.positions, model.cache->start);
  int64_t site = 0;
  each_linear(model.spec, [&](const LinearSpec& linear) { context.sites[linear.name] = site++; });
  context.ropes = model.spec.ropes;
  for (RopeSpec& rope : context.ropes) rope.frequencies = rope_frequencies(rope, tokens.dim(1));
  if (model.spec.alibi) {
    const int64_t keys = model.cache ? model.cache->keys[0].dim(1) : tokens.dim(1);
    context.alibi = alibi_bias(graph, *model.spec.alibi, model.spec.heads, keys);
  }
  return context;
}

Value model_hidden(const ModelGraph& model, const Value& tokens) {
  const LayerContext context = layer_context(model, tokens);
  Value x = embed(context, tokens);  // [B,T,C]
  if (model.trace) model.trace->push_back(x);
  for (size_t i = 0; i < model.spec.layers.size(); ++i) {
    const Function forward = [&](const std::vector<Value>& in) -> std::vector<Value> {
      return {layer_graph(context, in[0], i)};
    };
    x = model.checkpoint_layers ? checkpoint(forward)({x})[0] : forward({x})[0];
    if (model.trace) model.trace->push_back(x);
  }
  x = normalise(context, x, model.spec.final_norm);
  return model.spec.project_out.name.empty() ? x : project(context, x, model.spec.project_out);
}

Value model_logits(const ModelGraph& model, const Value& hidden) {
  const ModelSpec& spec = model.spec;
  const Value x = scaled_hidden(model, hidden);
  Value y = linear(x, output_weight(model));
  for (const LoraValues& lora : output_lora(model)) y = y + lora_change(lora, linear(linear(x, lora.a), lora.b), {}, y);
  if (spec.output.bias) y = y + convert(model.weight(spec.output.name + ".bias"), y.dtype());
  if (spec.logit_soft_cap == 0) return y;
  return tanh(convert(y, DType::f32) * (1 / spec.logit_soft_cap)) * spec.logit_soft_cap;
}

static LogitsOptions logits_options(const ModelGraph& model, const Value& x) {
  LogitsOptions options{.soft_cap = model.spec.logit_soft_cap};
  if (!output_lora(model).empty()) options.low_rank = joined_updates(model, x);
  if (model.spec.output.bias) options.bias = model.weight(model.spec.output.name + ".bias");
  return options;
}

Value model_loss(const ModelGraph& model, const Value& hidden, const Value& labels) {
  Scope scope(model.spec.output.name);
  const Value x = scaled_hidden(model, hidden);
  LogitsOptions options = logits_options(model, x);
  options.terms = model.loss_terms;
  return linear_cross_entropy(x, output_weight(model), labels, options);
}

TokenLogProbs model_log_probs(const ModelGraph& model, const Value& hidden, const Value& labels) {
  Scope scope(model.spec.output.name);
  const Value x = scaled_hidden(model, hidden);
  return token_log_prob(x, output_weight(model), labels, logits_options(model, x));
}

}  // namespace hearth
