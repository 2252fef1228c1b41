// SPDX-License-Identifier: Apache-2.0
#pragma once
// Steps of random graphs that language models are made of: products, norms, attention, losses, the optimizer.

#include "compiler/random_graph_numeric_test.h"
#include "ops/adamw/adamw.h"
#include "ops/attention/attention.h"
#include "ops/embedding/embedding.h"
#include "ops/linear_cross_entropy/linear_cross_entropy.h"
#include "ops/random/random.h"
#include "ops/rms_norm/rms_norm.h"
#include "ops/rope/rope.h"

namespace hearth {

class ModelSteps : public NumericSteps {
 protected:
  using NumericSteps::NumericSteps;

  // [.., m, k] [.., k, n] in any arrangement of axes.
  void contracted() {
    const Tracked picked = pick(), other = pick();
    const DType t =
        is_float(picked.value.dtype()) || picked.value.dtype() == DType::i32 ? picked.value.dtype() : DType::f32;
    const int64_t m = 1 + choose(7), n = 1 + choose(18), k = choose(9), batch = 1 + choose(2);
    const uint32_t kind = choose(6);
    const bool ta = kind & 1, tb = kind & 2, batched = kind >= 4;
    Dims a = ta ? Dims{k, m} : Dims{m, k}, b = tb ? Dims{n, k} : Dims{k, n};
    if (batched) a.insert(a.begin(), batch), b.insert(b.begin() + 1, batch);
    const auto numbers = [&](const Tracked& x) { return is_float(t) ? as_float(x, t) : as_integer(x, t); };
    if (!is_float(t) && (!picked.exact() || !other.exact())) return;
    const Tracked x = fitted(numbers(picked), a), y = fitted(numbers(other), b);
    const int64_t ka = (ta ? 0 : 1) + (batched ? 1 : 0), kb = tb ? (batched ? 2 : 1) : 0;
    DotAxes axes{{}, {}, {ka}, {kb}};
    if (batched) axes.a_batch = {0}, axes.b_batch = {1};
    const double terms = double(std::max<int64_t>(1, k));
    const Value c = dot_general(x.value, y.value, axes);
    add(c, terms * x.bound * y.bound, x.unit * y.unit, terms * (x.error * y.bound + y.error * x.bound),
        terms * x.bound * y.bound);
    if (pool_.back().value != c || coin()) return;
    const Tracked product = pool_.back(), addend = compatible(numbers(pick()), c.dims());
    if (addend.value.valid() && (is_float(t) || addend.exact())) {
      add(coin() ? c + addend.value : addend.value + c, product.bound + addend.bound,
          std::min(product.unit, addend.unit), product.error + addend.error);
    }
  }

  // y + x W^T + scale (x A^T) B^T, as LoRA layers make it, in some order of additions.
  void low_rank() {
    const DType t = any_float(), stored = coin() ? t : DType::bf16;
    const int64_t rows = 1 + choose(6), in = 3 + choose(9), out = 1 + choose(17), rank = 1 + choose(3);
    const Tracked x = fitted(as_float(pick(), t), {rows, in}), w = fitted(as_float(pick(), stored), {out, in});
    const Tracked a = fitted(as_float(pick(), t), {rank, in}), b = fitted(as_float(pick(), t), {out, rank});
    const Tracked residual = fitted(as_float(pick(), t), {rows, out});
    const Value base = linear(x.value, w.value), low = linear(linear(x.value, a.value), b.value) * 0.5;
    const double base_bound = double(in) * x.bound * w.bound, inner = double(in) * x.bound * a.bound,
                 low_bound = double(rank) * inner * b.bound;
    const double eps = epsilon(t), inner_error = double(in) * (x.error * a.bound + a.error * x.bound) +
                                                 (inner > exact_limit(t) ? 4 * eps * inner : 0);
    const double error = double(in) * (x.error * w.bound + w.error * x.bound) +
                         double(rank) * (inner_error * b.bound + b.error * inner) + residual.error;
    const double unit = std::min({x.unit * w.unit, x.unit * a.unit * b.unit / 2, residual.unit}),
                 bound = base_bound + low_bound + residual.bound;
    const Value sum = coin() ? base + low : low + base;
    add(coin() ? sum + residual.value : residual.value + sum, bound, unit,
        error + (bound / unit > exact_limit(t) ? 4 * eps * bound : 0), bound);
    if (coin()) add(sum, base_bound + low_bound, unit, error, bound);
  }

  void normalised() {
    const Tracked x = as_float(pick(), any_float());
    const double eps = epsilon(x.value.dtype()) + 4 * epsilon(DType::f32);
    if (x.value.rank() == 0 || x.value.dim(-1) == 0) return;
    if (coin()) return x.bound > 30 ? void() : add(softmax(x.value), 1, 1, 2 * x.error + 8 * eps * (1 + x.bound));
    const Tracked w = fitted(as_float(pick(), any_float()), {x.value.dim(-1)});
    const double bound = std::sqrt(double(x.value.dim(-1))) * w.bound;
    add(rms_norm(x.value, w.value, 1), bound, 1, 2 * w.bound * x.error * (1 + x.bound) + bound * (w.error + 8 * eps));
  }

  void language_model_part() {
    const DType t = any_float();
    const double eps = epsilon(t) + 4 * epsilon(DType::f32);
    const int64_t B = 1 + choose(2), T = 1 + choose(5), G = 1 + choose(2), H = G * (1 + choose(2)),
                  D = 2 * (1 + choose(4)), V = 3 + choose(7);
    switch (choose(4)) {
      case 0: {
        const int64_t S = 1 + choose(7);
        const Tracked q = small(t, {B, T, H, D}), k = small(t, {B, S, G, D}), v = small(t, {B, S, G, D});
        AttentionOptions options{.causal = coin()};
        if (coin()) options.q_segments = whole_numbers({B, T}), options.k_segments = whole_numbers({B, S});
        return add(attention(q.value, k.value, v.value, options), 1, 1,
                   v.error + 4 * double(D) * (q.error + k.error) + 8 * eps);
      }
      case 1: {
        const Tracked x = small(t, {B, T, H, D});
        const Value positions = coin() ? iota(graph_, DType::i32, {T}, 0) : iota(graph_, DType::i32, {B, T}, 1);
        std::vector<double> frequencies;
        for (int64_t i = 0; i < D / 2; ++i) frequencies.push_back(std::exp2(-double(i)));
        return add(rope(x.value, positions, {.frequencies = frequencies}), 2, 1, 2 * x.error + 8 * eps);
      }
      case 2: {
        const Tracked table = fitted(pick(), {V, D});
        if (!is_float(table.value.dtype()) && table.value.dtype() == DType::boolean) return;
        return add(embedding(table.value, whole_numbers({B, T})), table.bound, table.unit, table.error);
      }
      default: {
        const Tracked x = small(t, {T, D}), w = small(coin() ? t : DType::bf16, {V, D});
        const double each = double(D) * (x.error + w.error + eps) * 4;
        return add(linear_cross_entropy(x.value, w.value, whole_numbers({T})), double(T * (D + 3)), 1,
                   double(T) * each);
      }
    }
  }

  void random_or_optimizer() {
    if (coin()) {
      const Tracked x = as_float(pick(), any_float());
      const Value state = constant_list(graph_, {double(choose(100)), 5}, DType::u64, {2});
      return add(dropout(x.value, 0.5, state, choose(3)), 2 * x.bound, x.unit, 2 * x.error);
    }
    const Dims dims = any_dims();
    const Tracked p = small(DType::f32, dims), g = small(DType::f32, dims), m = small(DType::f32, dims),
                  v = small(DType::f32, dims);
    const Value half = constant(graph_, 0.5, DType::f32);
    const AdamWState next =
        adamw({p.value, m.value, v.value * v.value + 1.0}, g.value, half, half, half, {.weight_decay = 0.25});
    const double error = 4 * (p.error + g.error + m.error + v.error) + 64 * epsilon(DType::f32);
    add(next.parameter, 4, 1, error);
    add(next.m, 2, 1, error);
    add(next.v, 4, 1, error);
  }
};

}  // namespace hearth
