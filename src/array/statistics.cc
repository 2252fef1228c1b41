// SPDX-License-Identifier: Apache-2.0
#include "array/statistics.h"

#include <algorithm>

#include "array/recording.h"
#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/complex/complex.h"
#include "ops/cumulative/cumulative.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

using Reduction = Value (*)(const Value& x, const Dims& axes);

Array reduced(const char* op, const Array& x, const ReduceOptions& o, Reduction f, bool of_order = false) {
  return record(
      [&](const Value& v) {
        const Dims axes = axes_of(op, v, o.axis);
        if (of_order) expect_elements(op, v, axes);
        HEARTH_CHECK(!of_order || !is_complex(v.dtype()), dtype, op, ": complex numbers have no order\n  x is ", v);
        return put_back(f(v, axes), v, axes, o.keepdims);
      },
      x);
}

Array total(const char* op, const Array& x, const SumOptions& o, Reduction f) {
  return record(
      [&](const Value& given) {
        const Dims axes = axes_of(op, given, o.axis);
        const DType dtype = o.dtype.value_or(sum_dtype(given.dtype()));
        if (dtype != DType::boolean) {
          const Value v = convert(given, dtype);
          return put_back(f(v, axes), v, axes, o.keepdims);
        }
        const Value v = convert(given, dtype);  // sums of bool in bool: or, and
        return put_back(f == reduce_sum ? reduce_or(v, axes) : reduce_and(v, axes), v, axes, o.keepdims);
      },
      x);
}

Value truth(const Value& x) { return x.dtype() == DType::boolean ? x : compare("NE", x, scalar_like(x, 0)); }

Value squares(const Value& x) {
  if (!is_complex(x.dtype())) return x * x;
  const Value re = real(x), im = imag(x);
  return re * re + im * im;
}

// In f32 at least; the caller rounds.
Value mean_of(const Value& x, const Dims& axes) { return reduce_sum(x, axes) / double(product_of(x, axes)); }

DType mean_dtype(const Value& x) { return is_inexact(x.dtype()) ? x.dtype() : DType::f32; }

Value variance(const char* op, const Value& given, const VarianceOptions& o) {
  const Dims axes = axes_of(op, given, o.axis);
  const Value x = widened(given), centred = x - stretch_back(mean_of(x, axes), x, axes);
  const double divisor = std::max(0.0, double(product_of(x, axes)) - o.correction);
  return put_back(reduce_sum(squares(centred), axes) / divisor, x, axes, o.keepdims);
}

Array cumulative(const char* op, const Array& x, const CumulativeOptions& o, bool is_sum) {
  return record(
      [&](const Value& given) {
        HEARTH_CHECK(o.axis || given.rank() <= 1, value, op, ": needs an axis, x has ", given.rank(), "\n  x is ",
                     given.type());
        const Value flat = given.rank() == 0 ? reshape(given, {1}) : given;
        const int64_t axis = checked_axis(op, flat, o.axis.value_or(0));
        const DType dtype = o.dtype.value_or(sum_dtype(given.dtype()));
        HEARTH_CHECK(dtype != DType::boolean, dtype, op, ": needs numbers, not bool\n  x is ", given.type());
        const Value v = convert(flat, dtype), y = is_sum ? cumsum(v, axis) : cumprod(v, axis);
        if (!o.include_initial) return y;
        Dims first = v.dims();
        first[size_t(axis)] = 1;
        return concatenate({constant(*v.graph, is_sum ? 0 : 1, dtype, first), y}, axis);
      },
      x);
}

Value ends(const Value& x, int64_t axis, const Value& given) {
  if (given.rank() > 0) return given;
  Dims dims = x.dims();
  dims[size_t(axis)] = 1;
  return broadcast_to(given, dims);
}

}  // namespace

Array sum(const Array& x, const SumOptions& o) { return total("sum", x, o, reduce_sum); }
Array prod(const Array& x, const SumOptions& o) { return total("prod", x, o, reduce_product); }

Array mean(const Array& x, const SumOptions& o) {
  return record(
      [&](const Value& v) {
        const Dims axes = axes_of("mean", v, o.axis);
        const DType dtype = o.dtype.value_or(mean_dtype(v));
        const Value y = mean_of(widened(convert(v, dtype)), axes);
        return put_back(convert(y, dtype), v, axes, o.keepdims);
      },
      x);
}

Array max(const Array& x, const ReduceOptions& o) { return reduced("max", x, o, reduce_max, true); }
Array min(const Array& x, const ReduceOptions& o) { return reduced("min", x, o, reduce_min, true); }
Array ptp(const Array& x, const ReduceOptions& o) { return max(x, o) - min(x, o); }

Array all(const Array& x, const ReduceOptions& o) {
  return reduced("all", x, o, [](const Value& v, const Dims& axes) { return reduce_and(truth(v), axes); });
}
Array any(const Array& x, const ReduceOptions& o) {
  return reduced("any", x, o, [](const Value& v, const Dims& axes) { return reduce_or(truth(v), axes); });
}
Array count_nonzero(const Array& x, const ReduceOptions& o) {
  return reduced("count_nonzero", x, o,
                 [](const Value& v, const Dims& axes) { return reduce_sum(convert(truth(v), DType::i32), axes); });
}

Array var(const Array& x, const VarianceOptions& o) {
  return record([&](const Value& v) { return convert(variance("var", v, o), real_part(mean_dtype(v))); }, x);
}
Array stddev(const Array& x, const VarianceOptions& o) {
  return record(
      [&](const Value& v) { return convert(hearth::sqrt(variance("stddev", v, o)), real_part(mean_dtype(v))); }, x);
}

Array average(const Array& x, const std::optional<Array>& weights, const ReduceOptions& o) {
  if (!weights) return mean(x, {.axis = o.axis, .keepdims = o.keepdims});
  const std::lock_guard lock(array_mutex());
  const DType dtype = promote_to_inexact(promoted({x, *weights})).dtype;
  const Value v = widened(to_value(x, dtype));
  Value w = widened(to_value(*weights, dtype));
  const Dims axes = axes_of("average", v, o.axis);
  if (w.dims() != v.dims()) {
    const bool fits = w.rank() == 1 && axes.size() == 1 && w.dim(0) == v.dim(axes[0]);
    HEARTH_CHECK(fits, shape, "average: weights need x's shape, or one number for each element of one axis\n  x is ",
                 x.type(), "\n  weights is ", weights->type());
    w = broadcast_in_dim(w, v.dims(), axes);
  }
  return from_value(put_back(convert(reduce_sum(v * w, axes) / reduce_sum(w, axes), dtype), v, axes, o.keepdims));
}

Array cumulative_sum(const Array& x, const CumulativeOptions& o) { return cumulative("cumulative_sum", x, o, true); }
Array cumulative_prod(const Array& x, const CumulativeOptions& o) { return cumulative("cumulative_prod", x, o, false); }

Array diff(const Array& x, const DiffOptions& o) {
  const std::lock_guard lock(array_mutex());
  HEARTH_CHECK(o.n >= 0, value, "diff: n is ", o.n, ", it cannot be negative");
  Arrays all_arrays = {x};
  if (o.prepend) all_arrays.push_back(*o.prepend);
  if (o.append) all_arrays.push_back(*o.append);
  const DType dtype = promoted(all_arrays).dtype;
  Value v = to_value(x, dtype);
  const int64_t axis = checked_axis("diff", v, o.axis);
  Values parts;
  if (o.prepend) parts.push_back(ends(v, axis, to_value(*o.prepend, dtype)));
  parts.push_back(v);
  if (o.append) parts.push_back(ends(v, axis, to_value(*o.append, dtype)));
  if (parts.size() > 1) v = concatenate(parts, axis);
  for (int64_t i = 0; i < o.n; ++i) {
    const int64_t n = v.dim(axis);
    if (n == 0) break;
    const Value next = slice_axis(v, axis, 1, n), before = slice_axis(v, axis, 0, n - 1);
    v = dtype == DType::boolean ? next ^ before : next - before;
  }
  return from_value(v);
}

}  // namespace hearth
