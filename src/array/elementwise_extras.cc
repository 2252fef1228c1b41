// SPDX-License-Identifier: Apache-2.0
#include "array/elementwise_extras.h"

#include <cmath>
#include <numbers>

#include "array/axes.h"
#include "array/dtypes.h"
#include "array/elementwise_functions.h"
#include "array/lift.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/softmax/softmax.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

template <class F>
Array inexact(const Array& x, F&& f) {
  return lift(x, f, promote_to_inexact);
}

// x as a float, before arithmetic that integers would do differently.
Array as_inexact(const Array& x) {
  return inexact(x, [](const Value& v) { return v; });
}

Dims with_ones(const Dims& dims, const Dims& axes) {
  Dims kept = dims;
  for (const int64_t axis : axes) kept[size_t(axis)] = 1;
  return kept;
}

// x [..] -> f over the last axis, which is the given one.
template <class F>
Value over_axis(const Value& x, int64_t axis, F&& f) {
  if (axis == x.rank() - 1) return f(x);
  Dims order;
  for (int64_t i = 0; i < x.rank(); ++i) order.push_back(i == axis ? x.rank() - 1 : i == x.rank() - 1 ? axis : i);
  return transpose(f(transpose(x, order)), order);
}

// The maximum, with which exp(x - it) is finite; 0 where it is infinite. No derivative goes through it.
Value finite_max(const Value& x, const Dims& axes) {
  const Value top = reshape(reduce_max(x, axes), with_ones(x.dims(), axes));
  return select(is_finite(top), top, scalar_like(top, 0));
}

Value log_sum_exp(const Value& x, const Dims& axes) {  // keeps the axes
  const Value top = finite_max(x, axes);
  return log(reshape(reduce_sum(exp(x - top), axes), top.dims())) + top;
}

}  // namespace

Array erf(const Array& x) {
  return inexact(x, [](const Value& v) { return erf(v); });
}
Array erfc(const Array& x) {
  return inexact(x, [](const Value& v) { return erfc(v); });
}
Array erfinv(const Array& x) {
  return inexact(x, [](const Value& v) { return erf_inv(v); });
}
Array lgamma(const Array& x) {
  return inexact(x, [](const Value& v) { return lgamma(v); });
}
Array digamma(const Array& x) {
  return inexact(x, [](const Value& v) { return digamma(v); });
}
Array logit(const Array& x) { return log(x) - log1p(-as_inexact(x)); }

Array sigmoid(const Array& x) {
  return inexact(x, [](const Value& v) { return logistic(v); });
}
Array silu(const Array& x) {
  return inexact(x, [](const Value& v) { return silu(v); });
}
Array relu(const Array& x) { return where(x > 0, x, where(isnan(x), x, 0)); }
Array softplus(const Array& x) { return logaddexp(x, 0.0); }
Array log_sigmoid(const Array& x) { return -softplus(-as_inexact(x)); }

// Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
Array gelu(const Array& number, GeluOptions options) {
  const Array x = as_inexact(number);
  if (!options.approximate) return x / 2 * erfc(-x / std::numbers::sqrt2);
  const double c = std::sqrt(2 / std::numbers::pi);
  return 0.5 * x * (1 + tanh(c * (x + 0.044715 * (x * x * x))));
}

Array leaky_relu(const Array& x, LeakyReluOptions options) { return where(x >= 0, x, options.negative_slope * x); }

// The argument of the branch not taken is made harmless, so that its derivative is no NaN.
Array elu(const Array& x, double alpha) { return where(x > 0, x, alpha * expm1(where(x > 0, 0, x))); }

Array softmax(const Array& x, int64_t axis) {
  axis = axis_of("softmax", x, axis);
  return inexact(x,
                 [&](const Value& v) { return over_axis(v, axis, [](const Value& rows) { return softmax(rows); }); });
}

Array log_softmax(const Array& x, int64_t axis) {
  axis = axis_of("log_softmax", x, axis);
  return inexact(
      x, [&](const Value& v) { return over_axis(v, axis, [](const Value& rows) { return log_softmax(rows); }); });
}

Array logsumexp(const Array& x, const LogsumexpOptions& options) {
  const Dims axes = options.axes ? axes_of("logsumexp", x, *options.axes) : all_axes(x);
  const Dims shape = options.keepdims ? with_ones(x.shape(), axes) : without_axes(x.shape(), axes);
  return inexact(x, [&](const Value& v) { return reshape(log_sum_exp(v, axes), shape); });
}

Array one_hot(const Array& x, int64_t classes, OneHotOptions options) {
  HEARTH_CHECK(is_int(x.dtype()), dtype, "one_hot: the classes must be integers; x is ", x.type());
  HEARTH_CHECK(classes >= 0, value, "one_hot: there cannot be ", classes, " classes");
  return record(
      [&](const Value& v) {
        Dims column = v.dims();
        column.push_back(1);
        const Value wide = convert(v, v.dtype() == DType::u64 ? DType::u64 : DType::i64);
        const Value names = iota(*v.graph, wide.dtype(), {classes}, 0);
        return convert(compare("EQ", reshape(wide, column), names), options.dtype);
      },
      x);
}

Array nan_to_num(const Array& x, const NanToNumOptions& options) {
  if (is_complex(x.dtype())) {
    return lift(nan_to_num(real(x), options), nan_to_num(imag(x), options),
                [](const Value& re, const Value& im) { return complex(re, im); });
  }
  if (!is_float(x.dtype())) return x;
  const FloatInfo limits = finfo(x.dtype());
  Array y = where(isnan(x), options.nan, x);
  y = where(x == std::numeric_limits<double>::infinity(), options.posinf.value_or(limits.max), y);
  return where(x == -std::numeric_limits<double>::infinity(), options.neginf.value_or(limits.min), y);
}

Array isclose(const Array& a, const Array& b, const CloseOptions& options) {
  const PromotedType type = promote_to_inexact(promoted({a, b}));
  const Array x = a.astype(type.dtype), y = b.astype(type.dtype);
  const Array near = (abs(x - y) <= options.atol + options.rtol * abs(y)) & isfinite(x) & isfinite(y);
  const Array same = near | (x == y);  // infinities of one sign
  return options.equal_nan ? same | (isnan(x) & isnan(y)) : same;
}

Array allclose(const Array& a, const Array& b, const CloseOptions& options) {
  const Array close = isclose(a, b, options);
  return record([&](const Value& v) { return reduce_and(v, all_axes(close)); }, close);
}

Array array_equal(const Array& a, const Array& b) {
  if (a.shape() != b.shape()) return false;
  const Array same = a == b;
  return record([&](const Value& v) { return reduce_and(v, all_axes(same)); }, same);
}

}  // namespace hearth
