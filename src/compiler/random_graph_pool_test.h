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

inline constexpr int64_t kMostElements = 3000;
inline constexpr double kMostError = 0.02;

// |x| <= bound; x is a multiple of unit as long as it is exact.
struct Tracked {
  Value value;
  double bound = 0, unit = 1, error = 0;
  bool exact() const { return error == 0; }
};

inline double exact_limit(DType t) {
  return is_float(t) ? 2 / epsilon(t) : std::ldexp(1, int(size_bytes(t)) * 8 - (is_signed_int(t) ? 1 : 0));
}
inline double largest(DType t) { return t == DType::f16 ? 3e4 : 1e30; }

class RandomPool {
 public:
  explicit RandomPool(RandomGraph& random) : random_(random), graph_(random.graph) {}

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
    if (!std::isfinite(bound) || v.type().elements() > kMostElements) return;
    if (!is_float(t)) {
      pool_.push_back({v, std::min(bound, exact_limit(t)), 1, 0});
      return;
    }
    const DType sums = t == DType::f64 ? t : DType::f32;
    if (bound / unit > exact_limit(t)) error += bound * epsilon(t);
    if (summed / unit > exact_limit(sums)) error += summed * 4 * epsilon(sums);
    if (error > 0) error += bound * epsilon(t);
    if (error > kMostError * std::max(1.0, bound) || bound > largest(t) || unit < 1e-6) return;
    pool_.push_back({v, bound, unit, error});
  }
  void same(const Value& v, const Tracked& x) { add(v, x.bound, x.unit, x.error); }

  void output(const Tracked& x) {
    for (const GraphOutput& other : graph_.outputs()) {
      if (other.value == x.value && step_->choices[4] % 3) return;  // sometimes twice
    }
    const std::string name = "y" + std::to_string(graph_.outputs().size());
    for (const GraphInput& in : graph_.inputs()) {
      if (step_->choices[4] % 2 || graph_.node(in.node).types[0] != x.value.type() || !donated_.insert(in.name).second)
        continue;
      graph_.output_in_place(name, x.value, in.name);
      random_.errors.push_back(x.error);
      return;
    }
    graph_.output(name, x.value);
    random_.errors.push_back(x.error);
  }

  void force(const Tracked& x) {
    const OpInfo& op = *graph_.node(x.value).op;
    if (op.name != "input") random_.only_reference.insert(op.name);
  }

  // --- shapes and dtypes
  // -------------------------------------------------------------------------------------------------

  DType any_dtype() {
    constexpr DType weighted[] = {DType::f32,  DType::f32,     DType::f32,  DType::f32, DType::f32, DType::f32,
                                  DType::bf16, DType::bf16,    DType::bf16, DType::f16, DType::f16, DType::i32,
                                  DType::i32,  DType::boolean, DType::u32,  DType::f64, DType::i64, DType::u8,
                                  DType::i8,   DType::i16,     DType::u64,  DType::u16};
    return weighted[choose(std::size(weighted))];
  }
  DType any_float() {
    constexpr DType list[] = {DType::f32, DType::f32, DType::f32, DType::bf16, DType::f16, DType::f64};
    return list[choose(std::size(list))];
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
  Value whole_numbers(const Dims& dims) { return fitted(as_integer(latest(DType::i32), DType::i32), dims).value; }

  RandomGraph& random_;
  Graph& graph_;
  const RandomStep* step_ = nullptr;
  uint32_t next_ = 0;
  std::vector<Tracked> pool_;
  std::set<std::string> donated_;
};

}  // namespace hearth
