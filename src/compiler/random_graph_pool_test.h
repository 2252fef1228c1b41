// SPDX-License-Identifier: Apache-2.0
#pragma once
// The values of a random graph with what is known of their numbers, and how they are made to fit each other.

#include <algorithm>
#include <cmath>
#include <vector>

#include "compiler/random_graph_test.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/shape/shape.h"

namespace hearth {

inline double exact_limit(DType t) {
  return is_float(t) ? 2 / epsilon(t) : std::ldexp(1, int(size_bytes(t)) * 8 - (is_signed_int(t) ? 1 : 0));
}
inline double largest(DType t) { return t == DType::f16 ? 3e4 : 1e30; }

class RandomPool {
 public:
  explicit RandomPool(RandomBuild& build) : build_(build), graph_(build.graph) {}
  virtual ~RandomPool() = default;

 protected:
  uint32_t choose(uint32_t count) {
    const uint32_t c = step_->choices[next_ % 5];
    const uint32_t turned = c >> (7 * (next_ / 5) % 32);  // a step with many choices uses other bits
    ++next_;
    return count == 0 ? 0 : turned % count;
  }
  bool coin() { return choose(2) == 0; }

  // One of the latest values, sometimes any.
  const Tracked& pick() {
    const uint32_t c = choose(64);
    const size_t reach = c < 48 ? std::min<size_t>(5, pool_.size()) : pool_.size();
    return pool_[pool_.size() - 1 - c % reach];
  }

  // Adds what was computed, where its numbers stay useful. `summed`: largest partial result on the way.
  void add(const Value& v, double bound, double unit, double error, double summed = 0) {
    const DType t = v.dtype();
    if (!std::isfinite(bound) || v.type().elements() > build_.style.most_elements) return;
    if (!is_float(t)) {
      pool_.push_back({v, std::min(bound, exact_limit(t)), 1, 0});
      return;
    }
    const DType sums = t == DType::f64 ? t : DType::f32;
    if (bound / unit > exact_limit(t)) error += bound * epsilon(t);
    if (summed / unit > exact_limit(sums)) error += summed * 4 * epsilon(sums);
    if (error > 0) error += bound * epsilon(t);
    const double most_error = build_.style.real_inputs ? 0.5 : 0.02;  // there it only keeps numbers from growing wild
    if (error > most_error * std::max(1.0, bound) || bound > largest(t) || unit < 1e-6) return;
    pool_.push_back({v, bound, unit, error});
  }
  void same(const Value& v, const Tracked& x) { add(v, x.bound, x.unit, x.error); }

  void output(const Tracked& x) {
    for (const RandomBuild::Output& other : build_.outputs) {
      if (other.value.value == x.value && step_->choices[4] % 3) return;  // sometimes twice
    }
    std::string donor;
    for (const RandomBuild::Input& in : build_.inputs) {
      if (step_->choices[4] % 2 || in.type != x.value.type() || !donated_.insert(in.name).second) continue;
      donor = in.name;
      break;
    }
    build_.outputs.push_back({x, donor});
  }

  void force(const Tracked& x) {
    const OpInfo& op = *x.value.graph->node(x.value).op;
    if (op.name != "input") build_.only_reference.insert(op.name);
  }

  // --- shapes and dtypes
  // -------------------------------------------------------------------------------------------------

  DType any_dtype() {
    constexpr DType weighted[] = {DType::f32,  DType::f32,     DType::f32,  DType::f32, DType::f32, DType::f32,
                                  DType::bf16, DType::bf16,    DType::bf16, DType::f16, DType::f16, DType::i32,
                                  DType::i32,  DType::boolean, DType::u32,  DType::f64, DType::i64, DType::u8,
                                  DType::i8,   DType::i16,     DType::u64,  DType::u16};
    const uint32_t c = choose(std::size(weighted));
    return is_float(weighted[c]) ? float_of_style(c, weighted[c]) : weighted[c];
  }
  DType any_float() {
    constexpr DType list[] = {DType::f32, DType::f32, DType::f32, DType::bf16, DType::f16, DType::f64};
    const uint32_t c = choose(std::size(list));
    return float_of_style(c, list[c]);
  }
  DType float_of_style(uint32_t chosen, DType otherwise) const {
    const std::vector<DType>& floats = build_.style.floats;
    return floats.empty() ? otherwise : floats[chosen % floats.size()];
  }
  // One that LAPACK and the Fourier transform know.
  DType any_wide_float() {
    const DType t = any_float();
    return t == DType::f64 ? t : DType::f32;
  }
  Dims any_dims() {
    const uint32_t rank = choose(4), kind = choose(50);
    Dims dims;
    for (uint32_t i = 0; i < rank; ++i) dims.push_back(1 + choose(5) + (choose(9) == 0 ? 3 : 0));
    if (!dims.empty() && kind == 0) dims[choose(rank)] = 0;
    if (!dims.empty() && kind > 44) dims.back() = kind == 45 ? 130 : kind == 46 ? 65 : 17;
    return dims;
  }

  Tracked as(const Tracked& x, DType t) {
    if (x.value.dtype() == t) return x;
    if (is_float(t) && x.bound > largest(t)) return as(scaled(as(x, DType::f32)), t);
    Tracked y = x;
    y.value = convert(x.value, t);
    if (!is_float(t)) y.unit = 1;
    if (is_unsigned_int(t) || (!is_float(t) && y.bound > exact_limit(t)))
      y.bound = t == DType::boolean ? 1 : exact_limit(t);  // wraps
    if (is_float(t) && x.bound / x.unit > exact_limit(t)) y.error += x.bound * epsilon(t);
    return y;
  }
  // Any dtype that is no float comes in as integers: comparisons and conversions of inexact floats could differ.
  Tracked as_float(const Tracked& x, DType t) { return scaled(as(x, t)); }
  // At most 128.
  Tracked scaled(Tracked x) {
    if (x.bound <= 200) return x;
    const double scale = 128 / std::exp2(std::ceil(std::log2(x.bound)));
    x.value = x.value * scale;
    x.bound *= scale, x.unit *= scale, x.error *= scale;
    if (x.bound / x.unit > exact_limit(x.value.dtype())) x.error += x.bound * epsilon(x.value.dtype());
    return x;
  }
  // Its elements, repeated or cut, in another shape.
  Tracked fitted(const Tracked& x, const Dims& dims) {
    Tracked y = x;
    if (!x.value.valid() || x.value.dims() == dims) return y;
    const int64_t wanted = num_elements(dims), have = x.value.type().elements();
    if (have == 0) {
      y.value = broadcast_to(constant(graph_, 1, x.value.dtype()), dims);
      y.bound = std::max(1.0, y.bound);
      return y;
    }
    Value flat = reshape(x.value, {have});
    if (have < wanted) {
      const int64_t times = (wanted + have - 1) / have;
      flat = reshape(broadcast_in_dim(flat, {times, have}, {1}), {times * have});
    }
    y.value = reshape(slice_axis(flat, 0, 0, wanted), dims);
    return y;
  }
  // Broadcasts with `like`, or is made to fit it.
  Tracked compatible(const Tracked& x, const Dims& like) {
    if (!x.value.valid()) return x;
    const Dims& dims = x.value.dims();
    bool fits = true;
    for (size_t i = 0; i < std::min(dims.size(), like.size()); ++i) {
      const int64_t a = dims[dims.size() - 1 - i], b = like[like.size() - 1 - i];
      fits = fits && (a == b || a == 1 || b == 1);
    }
    return fits ? x : fitted(x, like);
  }

  Tracked as_integer(const Tracked& x, DType t) {
    if (!x.exact()) return {};
    return as(x, t);
  }
  // The last exact value, best of dtype t.
  Tracked latest(DType t) {
    Tracked found = pool_.front();
    for (const Tracked& x : pool_) {
      if (x.exact() && (x.value.dtype() == t || found.value.dtype() != t)) found = x;
    }
    return found;
  }
  Tracked small(DType t, const Dims& dims) {  // floats of at most 1
    Tracked x = fitted(as_float(pick(), t), dims);
    const double scale = std::exp2(-std::ceil(std::log2(std::max(1.0, x.bound))));
    if (scale < 1) x.value = x.value * scale;
    x.bound *= scale, x.unit *= scale, x.error *= scale;
    return x;
  }
  Value whole_numbers(const Dims& dims) {
    Tracked x = as_integer(latest(DType::i32), DType::i32);
    if (!x.value.valid()) x.value = constant_list(graph_, {2, 0, 1, 3, -1}, DType::i32, {5});
    return fitted(x, dims).value;
  }
  // x in x's dtype or, of exact numbers, in any; no value where that does not go.
  Tracked like(const Tracked& x, DType t) { return is_float(t) ? as_float(x, t) : as_integer(x, t); }

  // At least 1, smooth.
  Tracked positive(const Tracked& x) {
    if (!build_.style.real_inputs) return {unary("abs", x.value) + 1.0, x.bound + 1, 1, x.error};
    return {x.value * x.value + 1.0, x.bound * x.bound + 1, 1, 2 * x.bound * x.error + x.error * x.error};
  }
  // Whether x's elements may be compared with each other and with 0 in something whose value is continuous in x (a
  // maximum) or not (a sort's indices). Real numbers are put on a grid first, so far apart that their errors decide
  // nothing; another `lane` of it for what x is compared with.
  bool may_decide(Tracked& x, bool continuous, int lane = 0) {
    const DType t = x.value.dtype();
    if (x.exact()) return true;
    if (!build_.style.real_inputs) return continuous;
    if (t != DType::f32 && t != DType::f64) return false;
    const int64_t n = x.value.type().elements();
    std::vector<double> grid(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) grid[size_t(i)] = 0.1 * double(i - n / 2) + 0.025 + 0.05 * lane;
    for (int64_t i = n; i > 1; --i) std::swap(grid[size_t(i - 1)], grid[random_below(i)]);
    const double scale = 0.01 / std::max(1.0, x.bound);
    x.value = x.value * scale + constant_list(*x.value.graph, grid, t, x.value.dims());
    x.bound = 0.1 * double(n) + 1, x.error *= scale;
    return true;
  }
  size_t random_below(int64_t n) { return size_t(random_unit(step_->choices[0], uint64_t(++numbers_)) * double(n)); }

  RandomBuild& build_;
  Graph& graph_;
  uint64_t numbers_ = 0;
  int depth_ = 0;  // of the body that is written
  const RandomStep* step_ = nullptr;
  uint32_t next_ = 0;
  std::vector<Tracked> pool_;
  std::set<std::string> donated_;
};

}  // namespace hearth
