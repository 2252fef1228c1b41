// SPDX-License-Identifier: Apache-2.0
#pragma once
// Steps of random graphs that compute element by element, reductions and constants.

#include "compiler/random_graph_control_test.h"

namespace hearth {

class ElementSteps : public ControlSteps {
 protected:
  using ControlSteps::ControlSteps;

  void made_from_nothing() {
    const DType t = any_dtype();
    const Dims dims = any_dims();
    const int64_t count = num_elements(dims);
    if (choose(3) == 0 && !dims.empty() && t != DType::boolean) {
      add(iota(graph_, t, dims, choose(uint32_t(dims.size()))),
          double(std::max<int64_t>(1, *std::max_element(dims.begin(), dims.end()))), 1, 0);
    } else if (coin()) {
      add(constant(graph_, t == DType::boolean ? 1 : double(choose(4)), t, dims), 3, 1, 0);
    } else {
      std::vector<double> values;
      for (int64_t i = 0; i < count; ++i)
        values.push_back(double((uint64_t(i) + choose(5)) % (t == DType::boolean ? 2 : 4)));
      add(constant_list(graph_, values, t, dims), 4, 1, 0);
    }
  }

  void exact_unary() {
    Tracked x = pick();
    const DType t = x.value.dtype();
    constexpr const char* names[] = {"negate", "abs", "sign", "floor", "ceil"};
    const uint32_t kind = choose(5);
    if (t == DType::boolean || is_unsigned_int(t) || (kind == 1 && !may_decide(x, true))) return;
    if ((kind >= 2 && !x.exact()) || (kind >= 3 && !is_float(t))) return;
    add(unary(names[kind], x.value), kind == 2 ? 1 : std::ceil(x.bound), kind >= 2 ? std::max(1.0, x.unit) : x.unit,
        x.error);
  }

  void smooth_unary() {
    const Tracked picked = pick();
    const Tracked x = as_float(picked, is_float(picked.value.dtype()) ? picked.value.dtype() : DType::f32);
    const double eps = epsilon(x.value.dtype()) + epsilon(DType::f32);
    switch (choose(8)) {
      case 0:
        return x.bound > 3 ? void() : add(exp(x.value), std::exp(x.bound), 1, std::exp(x.bound) * (x.error + 4 * eps));
      case 1: return add(tanh(x.value), 1, 1, x.error + 4 * eps);
      case 2: return add(logistic(x.value), 1, 1, x.error + 4 * eps);
      case 3: return add(sin(x.value), 1, 1, x.error + 4 * eps);
      case 4: return add(cos(x.value), 1, 1, x.error + 4 * eps);
      case 5: {
        const Tracked p = positive(x);
        return add(log(p.value), std::log(p.bound), 1, p.error + 4 * eps * p.bound);
      }
      case 6: {
        const Tracked p = positive(x);
        return add(sqrt(p.value), std::sqrt(p.bound), 1, p.error + 4 * eps * p.bound);
      }
      default: {
        const Tracked p = positive(x);
        return add(rsqrt(p.value), 1, 1, p.error + 4 * eps * p.bound);
      }
    }
  }

  void arithmetic() {
    Tracked a = pick();
    const Tracked other = pick();
    const DType t = a.value.dtype();
    Tracked b = compatible(like(other, t), a.value.dims());
    if (!b.value.valid()) return;
    const uint32_t kind = choose(6);
    if ((kind == 3 || kind == 4) && (!may_decide(a, true) || !may_decide(b, true, 1))) return;
    if (t == DType::boolean && kind != 0 && kind < 3) return;
    if (kind == 1 && is_unsigned_int(t)) {
      add(a.value - b.value, exact_limit(t), 1, 0);  // wraps around
    } else if (kind == 0 || kind == 1) {
      add(kind == 0 ? a.value + b.value : a.value - b.value, a.bound + b.bound, std::min(a.unit, b.unit),
          a.error + b.error);
    } else if (kind == 2) {
      add(a.value * b.value, a.bound * b.bound, a.unit * b.unit,
          a.error * b.bound + b.error * a.bound + a.error * b.error);
    } else if (kind == 3) {
      add(maximum(a.value, b.value), std::max(a.bound, b.bound), std::min(a.unit, b.unit), a.error + b.error);
    } else if (kind == 4) {
      add(minimum(a.value, b.value), std::max(a.bound, b.bound), std::min(a.unit, b.unit), a.error + b.error);
    } else if (is_float(t)) {
      add(a.value * 0.5, a.bound / 2, a.unit / 2, a.error);
    }
  }

  void divided() {
    const Tracked a = as_float(pick(), any_float()), b = compatible(as_float(pick(), a.value.dtype()), a.value.dims());
    const Tracked p = positive(b);
    add(a.value / p.value, a.bound, 1, a.error + a.bound * (p.error + 4 * epsilon(a.value.dtype()) * p.bound));
  }

  void compared() {
    const Tracked a = pick(), b = compatible(as_integer(pick(), a.value.dtype()), a.value.dims());
    if (!a.exact() || !b.value.valid() || !b.exact()) return;
    constexpr const char* directions[] = {"EQ", "NE", "LT", "LE", "GT", "GE"};
    if (choose(8) == 0 && is_float(a.value.dtype())) return add(unary("is_finite", a.value), 1, 1, 0);
    add(compare(directions[choose(6)], a.value, b.value), 1, 1, 0);
  }

  void selected() {
    const Tracked a = pick(), picked = pick();
    const Tracked b = fitted(like(picked, a.value.dtype()), a.value.dims());
    const Tracked condition = fitted(as_integer(latest(DType::boolean), DType::boolean), a.value.dims());
    if (!b.value.valid() || !condition.value.valid()) return;
    add(select(condition.value, a.value, b.value), std::max(a.bound, b.bound), std::min(a.unit, b.unit),
        a.error + b.error);
  }

  void converted() {
    const Tracked x = pick();
    const DType t = any_dtype();
    if (!is_float(t) && !x.exact()) return;
    if (!is_float(t) && x.bound >= exact_limit(t) && is_float(x.value.dtype())) return;
    const Tracked y = as(x, t);
    add(y.value, y.bound, is_float(t) ? y.unit : 1, y.error);
  }

  void reduced() {
    Tracked x = pick();
    if (x.value.dtype() == DType::boolean || x.value.rank() == 0) return;
    Dims axes;
    double count = 1;
    for (int64_t i = 0; i < x.value.rank(); ++i) {
      if (coin()) axes.push_back(i), count *= double(x.value.dim(i));
    }
    if (axes.empty()) axes = {x.value.rank() - 1}, count = double(x.value.dim(-1));
    const uint32_t kind = choose(4);
    if (kind >= 2) {
      if (!may_decide(x, true)) return;
      if (count > 0) add(kind == 2 ? reduce_max(x.value, axes) : reduce_min(x.value, axes), x.bound, x.unit, x.error);
      return;
    }
    const Value sum = reduce_sum(x.value, axes);
    add(sum, x.bound * std::max(1.0, count), x.unit, x.error * std::max(1.0, count), x.bound * count);
    if (kind == 0 || pool_.empty() || pool_.back().value != sum) return;
    Dims kept = x.value.dims();  // back over the rows, as norms do
    for (const int64_t axis : axes) kept[size_t(axis)] = 1;
    const Tracked y = pool_.back();
    add(x.value - reshape(sum, kept), is_unsigned_int(sum.dtype()) ? exact_limit(sum.dtype()) : x.bound + y.bound,
        x.unit, x.error + y.error);
  }

  void bits() {
    const Tracked a = pick();
    const DType t = a.value.dtype();
    if (is_float(t)) return;
    const Tracked picked = pick();
    const Tracked b = compatible(as_integer(picked, t), a.value.dims());
    const double whole = t == DType::boolean ? 1 : exact_limit(t);
    constexpr const char* names[] = {"and", "or", "xor", "shift_left", "shift_right_logical", "shift_right_arithmetic"};
    const uint32_t kind = choose(7);
    if (kind == 6) return add(unary("not", a.value), whole, 1, 0);
    if (!b.value.valid() || (t == DType::boolean && kind > 2)) return;
    add(binary(names[kind], a.value, b.value), whole, 1, 0);
  }
};

}  // namespace hearth
