// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "models/layer_graph.h"
#include "ops/attention/attention.h"
#include "ops/dynamic_slice/dynamic_slice.h"
#include "ops/elementwise/elementwise.h"
#include "ops/rope/rope.h"
#include "ops/scatter/scatter.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

struct Heads {
  Value q, k, v;  // [B,T,H,D], [B,T,G,D], [B,T,G,D]
};

// Queries, keys and values as each family packs them.
Heads split_heads(const LayerContext& context, const Value& x, const AttentionSpec& a) {
  const ModelSpec& spec = context.model.spec;
  const int64_t B = x.dim(0), T = x.dim(1), H = spec.heads, G = spec.kv_heads, D = spec.head_size;
  const auto heads = [&](const Value& y, int64_t count) { return reshape(y, {B, T, count, D}); };
  if (a.form == QkvForm::separate) {
    // A norm of all queries together comes before they are split.
    const auto projected = [&](const LinearSpec& linear, const NormSpec& norm) {
      const Value y = project(context, x, linear);
      return norm.dims == Dims{linear.out} && linear.out != D ? normalise(context, y, norm) : y;
    };
    const Value q = heads(projected(a.q, a.q_norm), H), k = heads(projected(a.k, a.k_norm), G);
    return {q, k, heads(project(context, x, a.v), G)};
  }
  if (a.form == QkvForm::blocks || G == 1) {  // one group is a block of each
    const std::vector<Value> parts = project_parts(context, x, a.q, {H * D, G * D, G * D});
    return {heads(parts[0], H), heads(parts[1], G), heads(parts[2], G)};
  }
  const int64_t R = H / G;
  const Value groups = reshape(project(context, x, a.q), {B, T, G, R + 2, D});
  return {heads(slice_axis(groups, 3, 0, R), H), heads(slice_axis(groups, 3, R, R + 1), G),
          heads(slice_axis(groups, 3, R + 1, R + 2), G)};
}

Value rotated(const LayerContext& context, const Value& x, int index) {
  if (index < 0) return x;
  const RopeSpec& spec = context.ropes[size_t(index)];
  RopeOptions options{.scale = spec.scale, .interleaved = spec.interleaved};
  if (spec.long_after > 0 && context.model.frequencies) {
    options.known_later = context.model.frequencies(size_t(index));
  } else {
    options.frequencies = spec.frequencies;
  }
  return rope(x, context.positions, options);
}

// A norm of each head.
Value head_norm(const LayerContext& context, const Value& x, const NormSpec& norm) {
  const bool of_heads = norm.kind != NormKind::none && norm.dims.back() == x.dim(3);
  return of_heads ? normalise(context, x, norm) : x;
}

// The cache [B,S,G,D] with fresh [B,T,G,D] from `start` on: the same place in all rows, or each row's own.
Value with_new(const Value& cache, const Value& fresh, const Value& start) {
  const Value zero = constant(*cache.graph, 0, DType::i32);
  if (start.rank() == 0) return dynamic_update_slice(cache, fresh, {zero, start, zero, zero});
  const ScatterDims rows{.update_window_dims = {1, 2, 3},
                         .input_batching_dims = {0},
                         .scatter_indices_batching_dims = {0},
                         .scatter_dims_to_operand_dims = {1},
                         .index_vector_dim = 1};
  return scatter(cache, reshape(start, {start.dim(0), 1}), fresh, rows,
                 {.kind = "set", .out_of_range = OutOfRange::clamp, .unique_indices = true});
}

}  // namespace

Value attention_graph(const LayerContext& context, const Value& x, const AttentionSpec& a, size_t layer) {
  Scope scope("attn");
  Heads heads = split_heads(context, x, a);
  const Value q = rotated(context, head_norm(context, heads.q, a.q_norm), a.rope);
  Value k = rotated(context, head_norm(context, heads.k, a.k_norm), a.rope), v = heads.v;
  AttentionOptions options{.scale = a.scale, .window = a.window, .soft_cap = a.soft_cap};
  if (context.alibi.valid()) options.key_bias = context.alibi;
  if (context.model.segments.valid()) options.q_segments = options.k_segments = context.model.segments;
  if (KvCacheValues* cache = context.model.cache) {
    k = cache->keys[layer] = with_new(cache->keys[layer], k, cache->start);
    v = cache->values[layer] = with_new(cache->values[layer], v, cache->start);
    options.start = cache->start;
  }
  const Value y = attention(q, k, v, options);  // [B,T,H,D]
  return project(context, reshape(y, {x.dim(0), x.dim(1), y.dim(2) * y.dim(3)}), a.out);
}

}  // namespace hearth
