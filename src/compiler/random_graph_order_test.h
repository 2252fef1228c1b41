// SPDX-License-Identifier: Apache-2.0
#pragma once
// Steps of random graphs that go along axes: orders, running results, windows, reductions with bodies.

#include "compiler/random_graph_index_test.h"
#include "ops/arg_reduce/arg_reduce.h"
#include "ops/cumulative/cumulative.h"
#include "ops/reduce/reduce.h"
#include "ops/regions/regions.h"
#include "ops/sort/sort.h"
#include "ops/window/window.h"

namespace hearth {

class OrderSteps : public IndexSteps {
 protected:
  using IndexSteps::IndexSteps;

  void ordered() {
    Tracked x = pick();
    const uint32_t kind = choose(7);
    if (x.value.rank() == 0 || x.value.type().elements() == 0 || !may_decide(x, kind < 2)) return;
    const int64_t axis = choose(uint32_t(x.value.rank())), n = x.value.dim(axis);
    const SortOptions options{.descending = coin()};
    switch (kind) {
      case 0: return same(sort(x.value, axis, options), x);
      case 1: return same(top_k(x.value, choose(uint32_t(n + 1)), axis).values, x);
      case 2: return add(argsort(x.value, axis, options), double(n), 1, 0);
      case 3: return add(top_k(x.value, 1 + choose(uint32_t(n)), axis).indices, double(n), 1, 0);
      case 4: {
        const Tracked rest = fitted(pick(), x.value.dims());
        if (!rest.value.valid()) return;
        const Values sorted = sort_by_keys({x.value, rest.value}, axis, 1, options);
        same(sorted[0], x);
        return same(sorted[1], rest);
      }
      case 5: {
        const DType index = coin() ? DType::i32 : DType::i64;
        return add(coin() ? argmax(x.value, axis, index) : argmin(x.value, axis, index), double(n), 1, 0);
      }
      default: {  // a comparator that no key describes
        const Comparator nearer_to_one = [](const Values& a, const Values& b) {
          const Value one = scalar_like(a[0], 1), da = a[0] - one, db = b[0] - one;
          return compare("LT", da * da, db * db);
        };
        if (!is_float(x.value.dtype()) || x.bound * x.bound / (x.unit * x.unit) > exact_limit(x.value.dtype())) return;
        return same(sort_with_body({x.value}, axis, nearer_to_one)[0], x);
      }
    }
  }

  void accumulated() {
    const Tracked picked = pick();
    const DType t = picked.value.dtype();
    if (picked.value.rank() == 0 || t == DType::boolean) return;
    const int64_t axis = choose(uint32_t(picked.value.rank()));
    const double n = double(std::max<int64_t>(1, picked.value.dim(axis))), eps = epsilon(t) + 4 * epsilon(DType::f32);
    const RunningOptions options{.reverse = coin()};
    Tracked x = picked;
    switch (choose(6)) {
      case 0: return add(cumsum(x.value, axis, options), n * x.bound, x.unit, n * x.error, n * x.bound);
      case 1:
        if (!is_float(t)) return add(cumprod(x.value, axis, options), exact_limit(t), 1, 0);
        x = small(t, x.value.dims());
        return add(cumprod(x.value, axis, options), 1, 1, n * (x.error + eps));
      case 2:
      case 3: {
        if (!may_decide(x, true)) return;
        const bool most = coin();
        return same(most ? cummax(x.value, axis, options) : cummin(x.value, axis, options), x);
      }
      case 4:
        if (!is_float(t)) return;
        x = scaled(x);
        return add(cumlogsumexp(x.value, axis, options), x.bound + std::log(n), 1, x.error + 8 * eps * (1 + x.bound));
      default: {
        if (!is_float(t)) return;
        const Tracked a = small(t, x.value.dims()), b = small(t, x.value.dims());
        return add(linear_recurrence(a.value, b.value, axis, options), n, 1, n * n * (a.error + b.error + 2 * eps), n);
      }
    }
  }

  void windowed() {
    Tracked x = pick();
    const DType t = x.value.dtype();
    if (x.value.rank() == 0 || x.value.type().elements() == 0 || t == DType::boolean) return;
    const WindowDims w = window_over(x.value.dims());
    double count = 1;
    for (const int64_t size : w.size) count *= double(size);
    const uint32_t kind = choose(5);
    if (kind == 0)
      return add(reduce_window(x.value, "sum", w), count * x.bound, x.unit, count * x.error, count * x.bound);
    if (kind == 1 && is_float(t)) {
      const Tracked s = small(t, x.value.dims());
      return add(reduce_window(s.value, "product", w), 1, 1, count * (s.error + epsilon(t) + epsilon(DType::f32)));
    }
    if (is_unsigned_int(t) || !may_decide(x, true)) return;
    if (kind >= 3) return selected_in_windows(x, w, kind == 3);
    const Value lowest = constant(graph_, -std::ceil(x.bound) - 1, t);  // where a window holds no element
    if (!is_float(t) && x.bound + 1 >= exact_limit(t)) return;
    const bool most = coin();
    const Value y =
        most ? maximum(reduce_window(x.value, "max", w), lowest) : minimum(reduce_window(x.value, "min", w), -lowest);
    add(y, std::ceil(x.bound) + 1, std::min(1.0, x.unit), x.error);
  }

  void selected_in_windows(Tracked x, WindowDims w, bool scattered) {
    if (!may_decide(x, false)) return;
    w.base_dilations = {};
    const char* order = coin() ? "GE" : "LE";
    const Dims result = reduce_window(x.value, "sum", w).dims();
    if (num_elements(result) == 0) return;
    const Tracked picked = like(pick(), x.value.dtype());
    if (!picked.value.valid()) return;
    if (!scattered) {
      const Tracked values = fitted(picked, x.value.dims());
      return same(select_and_gather(x.value, values.value, order, w), values);
    }
    const Tracked source = fitted(picked, result);
    const double n = double(num_elements(result));
    add(select_and_scatter(x.value, source.value, order, w), n * source.bound, source.unit, n * source.error,
        n * source.bound);
  }

  void pooled() {
    Tracked x = scaled(like(pick(), any_float()));
    if (!x.value.valid()) return;
    const int64_t B = 1 + choose(2), C = 1 + choose(3), n = 2 + choose(4);
    const bool last = coin(), most = coin();
    x = fitted(x, last ? Dims{B, n, n + 1, C} : Dims{B, C, n, n + 1});
    if (most && !may_decide(x, true)) return;
    PoolOptions options{.window = {2, 1 + choose(2)}, .channels_last = last, .count_padding = coin()};
    if (coin()) options.strides = {1, 2};
    if (coin()) options.padding_low = {1, 0}, options.padding_high = {0, 0};
    if (most) return same(max_pool(x.value, options), x);
    add(avg_pool(x.value, options), x.bound, 1, x.error + 2 * epsilon(x.value.dtype()) * x.bound);
  }

  // Bodies that are no sum, and one that is.
  void reduced_with_body() {
    const Tracked x = small(any_float(), with_an_axis(any_dims()));
    const DType t = x.value.dtype();
    const int64_t axis = choose(uint32_t(x.value.rank()));
    const double n = double(x.value.dim(axis) + 1), eps = epsilon(t) + epsilon(DType::f32);
    const Value zero = constant(graph_, 0, t);
    const Tracked bit = {x.value * 0.125, x.bound / 8, x.unit / 8, x.error / 8};
    const PairRegion like_product = [](const Values& a, const Values& b) -> Values {
      return {a[0] + b[0] + a[0] * b[0]};
    };
    const double bound = std::pow(1.125, n), error = n * bound * (bit.error + 4 * eps * bound);
    if (coin()) return add(reduce_with_body({bit.value}, {zero}, {axis}, like_product)[0], bound, 1, error);
    WindowDims w{.size = Dims(size_t(x.value.rank()), 1)};
    w.size[size_t(axis)] = 1 + choose(uint32_t(x.value.dim(axis)));
    add(reduce_window_with_body({bit.value}, {zero}, w, like_product)[0], bound, 1, error);
  }

  void products_and_bits_reduced() {
    const Tracked picked = pick();
    const DType t = picked.value.dtype();
    if (picked.value.rank() == 0) return;
    const Dims axes = {int64_t(choose(uint32_t(picked.value.rank())))};
    const double n = double(picked.value.dim(axes[0]));
    if (is_float(t)) {
      const Tracked x = small(t, picked.value.dims());
      return add(reduce_product(x.value, axes), 1, 1, n * (x.error + epsilon(t) + epsilon(DType::f32)));
    }
    const double whole = t == DType::boolean ? 1 : exact_limit(t);
    if (coin() || t == DType::boolean)
      return add(coin() ? reduce_and(picked.value, axes) : reduce_or(picked.value, axes), whole, 1, 0);
    add(reduce_product(picked.value, axes), whole, 1, 0);
  }

  static Dims with_an_axis(Dims dims) {
    if (dims.empty()) dims.push_back(3);
    for (int64_t& d : dims) d = std::clamp<int64_t>(d, 1, 6);
    return dims;
  }

 private:
  WindowDims window_over(const Dims& dims) {
    WindowDims w;
    for (const int64_t d : dims) {
      w.size.push_back(1 + choose(uint32_t(std::min<int64_t>(d, 3))));
      w.strides.push_back(1 + choose(2));
      w.base_dilations.push_back(1 + (choose(4) == 0));
      w.window_dilations.push_back(1 + (choose(4) == 0));
      w.padding_low.push_back(choose(3) == 0);
      w.padding_high.push_back(choose(3));
    }
    return w;
  }
};

}  // namespace hearth
