// SPDX-License-Identifier: Apache-2.0
#include "models/layer_graph.h"

#include <cmath>

#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/norms/norms.h"
#include "ops/rms_norm/rms_norm.h"
#include "ops/shape/shape.h"
#include "ops/special/special.h"

namespace hearth {

static std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

namespace {

// One adapter's update of a linear layer, made for all of its parts.
struct LayerUpdate {
  const LoraValues& lora;
  Value inner, input = {},
               factor = {};  // dropout(x) A^T; with DoRA dropout(x) where that differs from x, rows' factors
};

std::vector<LayerUpdate> layer_updates(const LayerContext& context, const Value& x, const LinearSpec& spec) {
  std::vector<LayerUpdate> updates;
  if (!context.model.lora) return updates;
  const LoraValuesOf& all = *context.model.lora;
  const int64_t site = context.sites.at(spec.name);
  for (const LoraValues& lora : all.of(spec.name)) {
    LayerUpdate& update = updates.emplace_back(LayerUpdate{lora, lora_inner(all, lora, x, site)});
    if (!lora.magnitude.valid()) continue;
    const Value weight = context.model.weight(spec.name + ".weight");
    update.factor = dora_factor(lora, spec.transposed ? transpose(weight, {1, 0}) : weight);
    if (lora.dropout > 0) update.input = lora_dropout(all, lora, x, site);
  }
  return updates;
}

// y, the part of a layer's output that weight w [part,in] gives, with an update; `cut` takes the part of a vector.
// With DoRA and dropout the whole of W + BA acts on what is left of x, as in PEFT.
template <class Cut>
Value updated(const LayerUpdate& update, const Value& y, const Value& w, const Cut& cut) {
  const LoraValues& lora = update.lora;
  Value change = linear(update.inner, cut(lora.b));
  if (lora.b_bias.valid()) change = change + convert(cut(lora.b_bias), y.dtype());
  const Value factor = update.factor.valid() ? cut(update.factor) : Value{};
  return y + lora_change(lora, change, factor, update.input.valid() ? linear(update.input, w) : y);
}

}  // namespace

std::vector<Value> project_parts(const LayerContext& context, const Value& x, const LinearSpec& spec,
                                 const Dims& sizes) {
  const ModelGraph& model = context.model;
  Scope scope(last_part(spec.name));
  // Converted before it is cut, so that matmul reads the parts where they lie.
  const Value weight = convert(model.weight(spec.name + ".weight"), x.dtype());
  const Value bias = spec.bias ? convert(model.weight(spec.name + ".bias"), x.dtype()) : Value{};
  const std::vector<LayerUpdate> updates = layer_updates(context, x, spec);
  std::vector<Value> parts;
  int64_t begin = 0;
  for (const int64_t size : sizes) {
    const auto cut = [&](const Value& v, int64_t axis) {
      return size == spec.out ? v : slice_axis(v, axis, begin, begin + size);
    };
    const Value stored = cut(weight, spec.transposed ? 1 : 0);
    const Value w = spec.transposed ? transpose(stored, {1, 0}) : stored;
    Value y = linear(x, w);
    for (const LayerUpdate& update : updates) y = updated(update, y, w, [&](const Value& v) { return cut(v, 0); });
    parts.push_back(spec.bias ? y + cut(bias, 0) : y);
    begin += size;
  }
  return parts;
}

Value project(const LayerContext& context, const Value& x, const LinearSpec& spec) {
  return project_parts(context, x, spec, {spec.out})[0];
}

// [H,D] of weights that are stored head by head.
static Value weights_by_head(const ModelGraph& model, const NormSpec& norm) {
  std::vector<Value> heads;
  for (int64_t h = 0; h < norm.dims[0]; ++h)
    heads.push_back(reshape(model.weight(norm.name + ".norms." + std::to_string(h) + ".weight"), {1, norm.dims[1]}));
  return concatenate(heads, 0);
}

// Over the last axis, whatever the weight's shape.
static Value unscaled(const Value& x, const NormSpec& norm) {
  const Value ones = constant(*x.graph, 1, DType::f32, {x.dim(-1)});
  return norm.kind == NormKind::rms ? rms_norm(x, ones, norm.eps) : layer_norm(x, ones, scalar_like(ones, 0), norm.eps);
}

Value normalise(const LayerContext& context, const Value& x, const NormSpec& norm) {
  if (norm.kind == NormKind::none) return x;
  if (norm.by_head || norm.dims.size() > 1) {  // a weight for each head
    const Value w = norm.by_head ? weights_by_head(context.model, norm) : context.model.weight(norm.name + ".weight");
    return unscaled(x, norm) * convert(w, x.dtype());
  }
  if (!norm.weight) return unscaled(x, norm);
  Value w = context.model.weight(norm.name + ".weight");
  if (norm.offset != 0) w = convert(w, DType::f32) + norm.offset;
  if (norm.kind == NormKind::rms) return rms_norm(x, w, norm.eps);
  return layer_norm(x, w, norm.bias ? context.model.weight(norm.name + ".bias") : scalar_like(w, 0), norm.eps);
}

// ----------------------------------------------------------------------------------------------------------------- mlp

// 16-bit numbers are computed in f32: the cube would lose their digits.
static Value gelu_of(const Value& x, bool by_tanh) {
  const Value f = x.dtype() == DType::f64 ? x : convert(x, DType::f32);
  const Value bent = by_tanh ? tanh((f + f * f * f * 0.044715) * std::sqrt(2 / M_PI)) : erf(f * std::sqrt(0.5));
  return convert(f * 0.5 * (bent + 1.0), x.dtype());
}

Value activate(const Value& x, Activation activation) {
  switch (activation) {
    case Activation::silu: return silu(x);
    case Activation::gelu: return gelu_of(x, false);
    case Activation::gelu_tanh: return gelu_of(x, true);
    default: return maximum(x, scalar_like(x, 0));
  }
}

Value mlp_graph(const LayerContext& context, const Value& x, const MlpSpec& mlp) {
  if (mlp.fused) {
    const std::vector<Value> parts = project_parts(context, x, mlp.up, {mlp.up.out / 2, mlp.up.out / 2});
    return project(context, activate(parts[0], mlp.activation) * parts[1], mlp.down);
  }
  const Value up = project(context, x, mlp.up);
  if (mlp.gate.name.empty()) return project(context, activate(up, mlp.activation), mlp.down);
  return project(context, activate(project(context, x, mlp.gate), mlp.activation) * up, mlp.down);
}

// --------------------------------------------------------------------------------------------------------------- layer

static Value feed_forward(const LayerContext& context, const Value& x, const LayerSpec& layer) {
  Scope scope("mlp");
  return layer.experts ? experts_graph(context, x, *layer.experts) : mlp_graph(context, x, layer.mlp);
}

// residual + scale * y, where y is a sub-layer's output.
static Value joined(const LayerContext& context, const Value& residual, const Value& y, const LayerSpec& layer,
                    const SubLayerNorms& norms) {
  const Value out = normalise(context, y, norms.after);
  return normalise(context, residual + (layer.residual_scale == 1 ? out : out * layer.residual_scale), norms.outside);
}

Value layer_graph(const LayerContext& context, const Value& x, size_t index) {
  Scope scope("layers." + std::to_string(index));
  const LayerSpec& layer = context.model.spec.layers[index];
  const Value n = normalise(context, x, layer.attention_norms.before);
  const Value a = attention_graph(context, n, layer.attention, index);
  const Value& residual = layer.residual_after_norm ? n : x;
  if (layer.parallel) {
    const bool own = layer.mlp_norms.before.kind != NormKind::none;
    const Value m = feed_forward(context, own ? normalise(context, x, layer.mlp_norms.before) : n, layer);
    return residual + a + m;
  }
  const Value h = joined(context, residual, a, layer, layer.attention_norms);
  const Value m = normalise(context, h, layer.mlp_norms.before);
  return joined(context, layer.residual_after_norm ? m : h, feed_forward(context, m, layer), layer, layer.mlp_norms);
}

}  // namespace hearth
