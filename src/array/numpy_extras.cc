// SPDX-License-Identifier: Apache-2.0
// Covariance, and counting.
#include "array/numpy_extras.h"

#include <algorithm>

#include "array/linear_algebra.h"
#include "array/recording.h"
#include "array/searching.h"
#include "array/searching_values.h"
#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

Array variables(const Array& m, const CovarianceOptions& o) {
  HEARTH_CHECK(m.ndim() <= 2, shape, "cov: needs at most 2 axes; m is ", m.type());
  const Array x = m.astype(promote_to_inexact({m.dtype()}).dtype);
  if (x.ndim() < 2) return x.reshape({1, x.size()});
  return o.rowvar || x.dim(0) == 1 ? x : x.transpose();
}

Array covariance(Array x, const CovarianceOptions& o) {
  const int64_t n = x.dim(1);
  std::optional<Array> w = o.fweights;
  for (const std::optional<Array>& weights : {o.fweights, o.aweights})
    HEARTH_CHECK(!weights || weights->shape() == Dims{n}, shape, "cov: weights must be [", n, "]; they are ",
                 weights ? weights->type() : TensorType{});
  if (o.aweights) w = w ? *w * *o.aweights : *o.aweights;
  if (w) w = w->astype(real_part(x.dtype()));
  Array divisor = double(n) - o.correction;
  if (w) {
    const Array all = sum(*w);
    divisor = all - o.correction * (o.aweights ? sum(*w * *o.aweights) / all : Array(1.0));
  }
  x = x - (w ? sum(x * *w, {.axis = 1, .keepdims = true}) / sum(*w) : mean(x, {.axis = 1, .keepdims = true}));
  Array other = matrix_transpose(w ? x * *w : x);
  if (is_complex(x.dtype())) other = record([](const Value& v) { return conj(v); }, other);
  const Array c = matmul(x, other) / divisor;
  return x.dim(0) == 1 ? c.reshape({}) : c;
}

Array joined_rows(const Array& a, const Array& b) {
  HEARTH_CHECK(a.dim(1) == b.dim(1), shape, "cov: numbers of observations differ: ", a.dim(1), " != ", b.dim(1));
  const std::lock_guard lock(array_mutex());
  return from_value(concatenate(to_values({a, b}, promoted({a, b}).dtype), 0));
}

// How many of `index` (i32 [N]) are 0, 1 ... length - 1, or their weights' sums.
Value counted(const Value& index, const std::optional<Value>& weights, int64_t length) {
  const Value each = weights ? *weights : constant(*index.graph, 1, DType::i32, index.dims());
  return scatter_add_along_axis(each, index, 0, length);
}

std::optional<Array> flat_weights(const char* op, const std::optional<Array>& weights, const Array& x) {
  if (!weights) return {};
  HEARTH_CHECK(weights->shape() == x.shape(), shape, op, ": weights need x's shape\n  x is ", x.type(),
               "\n  weights is ", weights->type());
  const Array w = weights->dtype() == DType::boolean ? weights->astype(DType::i32) : *weights;
  return w.reshape({x.size()});
}

}  // namespace

Array cov(const Array& m, const CovarianceOptions& o) { return covariance(variables(m, o), o); }
Array cov(const Array& m, const Array& y, const CovarianceOptions& o) {
  return covariance(joined_rows(variables(m, o), variables(y, o)), o);
}

Array corrcoef(const Array& m, const CovarianceOptions& o) {
  return record(
      [](const Value& c) {
        if (c.rank() == 0) return c / c;
        const Value deviation = sqrt(real(reshape(c, {c.dim(0) * c.dim(0)})));
        const Value diagonal = slice(deviation, {0}, {deviation.dim(0)}, {c.dim(0) + 1});
        const Value below = broadcast_in_dim(diagonal, c.dims(), {0}),
                    beside = broadcast_in_dim(diagonal, c.dims(), {1});
        const Value r = c / convert(below, c.dtype()) / convert(beside, c.dtype());
        if (is_complex(r.dtype())) return r;
        return clamp(scalar_like(r, -1), r, scalar_like(r, 1));  // rounding may lead outside
      },
      cov(m, o));
}

Array bincount(const Array& x, const BincountOptions& o) {
  HEARTH_CHECK(x.ndim() == 1, shape, "bincount: needs one axis; x is ", x.type());
  HEARTH_CHECK(is_int(x.dtype()) || x.dtype() == DType::boolean, dtype, "bincount: needs integers; x is ", x.type());
  HEARTH_CHECK(o.minlength >= 0 && o.length.value_or(0) >= 0, value,
               "bincount: a length is negative: ", o.minlength < 0 ? o.minlength : *o.length);
  int64_t length = o.minlength;
  if (o.length) {
    length = *o.length;
  } else if (x.size() > 0) {
    const Array ends = record(
        [](const Value& v) {
          const Value wide = convert(v, DType::i64);
          return concatenate({reshape(reduce_min(wide, {0}), {1}), reshape(reduce_max(wide, {0}), {1})}, 0);
        },
        x);
    const std::vector<int64_t> values = ends.to_vector<int64_t>();
    HEARTH_CHECK(values[0] >= 0, value, "bincount: ", values[0], " is negative; x is ", x.type());
    length = std::max(length, values[1] + 1);
  }
  const std::lock_guard lock(array_mutex());
  const std::optional<Array> weights = flat_weights("bincount", o.weights, x);
  std::optional<Value> w;
  if (weights) w = to_value(*weights);
  return from_value(counted(to_value(x, DType::i64), w, length));
}

Array histogram_bin_edges(const Array& x, int64_t bins, const HistogramOptions& o) {
  HEARTH_CHECK(!is_complex(x.dtype()), dtype, "histogram: needs real numbers; x is ", x.type());
  HEARTH_CHECK(bins > 0, value, "histogram: needs at least one bin, given ", bins);
  HEARTH_CHECK(!o.range || o.range->first <= o.range->second, value, "histogram: the range ends at ", o.range->second,
               ", before it begins at ", o.range->first);
  return record(
      [&](const Value& given) {
        const Value v = widened(flattened(given));
        const auto number = [&](double value) { return constant(*v.graph, value, v.dtype()); };
        const bool none = v.dim(0) == 0;
        Value low = o.range ? number(o.range->first) : none ? number(0) : reduce_min(v, {0});
        Value high = o.range ? number(o.range->second) : none ? number(1) : reduce_max(v, {0});
        const Value same = compare("EQ", low, high);
        low = select(same, low - 0.5, low);
        high = select(same, high + 0.5, high);
        const Value i = iota(*v.graph, v.dtype(), {bins + 1}, 0);
        const Value edges = low + (high - low) * (i / double(bins));
        return select(compare("EQ", i, scalar_like(i, double(bins))), high, edges);  // exact
      },
      x);
}

HistogramResult histogram(const Array& x, int64_t bins, const HistogramOptions& o) {
  return histogram(x, histogram_bin_edges(x, bins, o), o);
}

HistogramResult histogram(const Array& x, const Array& edges, const HistogramOptions& o) {
  HEARTH_CHECK(edges.ndim() == 1 && edges.size() >= 2, shape, "histogram: needs at least two edges, given ",
               edges.type());
  const std::lock_guard lock(array_mutex());
  const DType dtype = promoted({x, edges}).dtype;
  HEARTH_CHECK(!is_complex(dtype), dtype, "histogram: needs real numbers; x is ", x.type());
  const Value v = flattened(to_value(x, dtype)), e = to_value(edges, dtype);
  const int64_t bins = edges.size() - 1;
  const Value last = reshape(slice_axis(e, 0, bins, bins + 1), {});
  const Value at_end = compare("EQ", v, last);
  const Value bin = search_sorted(e, v, true) - 1;
  const std::optional<Array> weights = flat_weights("histogram", o.weights, x);
  std::optional<Value> w;
  if (weights) w = to_value(*weights);
  Array counts = from_value(counted(select(at_end, scalar_like(bin, double(bins - 1)), bin), w, bins));
  if (o.density) counts = counts / diff(edges) / sum(counts);
  return {counts, edges};
}

Array digitize(const Array& x, const Array& bins, DigitizeOptions o) {
  HEARTH_CHECK(bins.ndim() == 1, shape, "digitize: bins need one axis; they are ", bins.type());
  const std::lock_guard lock(array_mutex());
  const DType dtype = promoted({x, bins}).dtype;
  HEARTH_CHECK(!is_complex(dtype), dtype, "digitize: needs real numbers; x is ", x.type());
  const Value v = to_value(x, dtype), edges = to_value(bins, dtype);
  const int64_t n = bins.size();
  const Value rising = search_sorted(edges, v, !o.right);
  if (n < 2) return from_value(rising);
  const Value falling = search_sorted(reverse(edges, {0}), v, !o.right);
  const Value first = slice_axis(edges, 0, 0, 1), last = slice_axis(edges, 0, n - 1, n);
  return from_value(select(reshape(compare("GE", last, first), {}), rising, double(n) - falling));
}

}  // namespace hearth
