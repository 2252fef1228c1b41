// SPDX-License-Identifier: Apache-2.0
// Arrays of one value, and ranges. Numbers are inputs of the recording, so that others of them reuse its plan.

#include "array/creation.h"

#include <cmath>
#include <limits>

#include "array/axes.h"
#include "array/elementwise_functions.h"
#include "array/recording.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

Array filled(const char* function, const Dims& shape, double value, DType dtype) {
  check_sizes(function, shape);
  const std::lock_guard lock(array_mutex());
  return from_value(constant(current_recording()->graph, value, dtype, shape));
}

Array counting(int64_t n, DType dtype) {
  const std::lock_guard lock(array_mutex());
  return from_value(iota(current_recording()->graph, dtype, {n}, 0));
}

DType range_dtype(const PlainNumber& start, const PlainNumber& stop, const PlainNumber& step) {
  bool whole = true, fits = true;
  for (const PlainNumber& x : {start, stop, step}) {
    HEARTH_CHECK(!std::holds_alternative<std::complex<double>>(x), dtype, "arange: has no meaning for complex numbers");
    whole &= !std::holds_alternative<double>(x);
    if (const int64_t* n = std::get_if<int64_t>(&x)) fits &= *n == int64_t(int32_t(*n));
  }
  return !whole ? DType::f32 : fits ? DType::i32 : DType::i64;
}

// ceil((stop - start) / step), at least 0. 128 bits: the distance of two 64-bit numbers does not overflow.
int64_t range_length(const PlainNumber& start, const PlainNumber& stop, const PlainNumber& step) {
  const bool whole = !std::holds_alternative<double>(start) && !std::holds_alternative<double>(stop) &&
                     !std::holds_alternative<double>(step);
  double n;
  if (whole) {
    using Wide = __int128;
    Wide distance = Wide(convert_number<int64_t>(stop)) - convert_number<int64_t>(start);
    Wide by = convert_number<int64_t>(step);
    if (by < 0) distance = -distance, by = -by;
    if (distance <= 0) return 0;
    const Wide steps = (distance + by - 1) / by;
    if (steps < (Wide(1) << 53)) return int64_t(steps);
    n = double(steps);
  } else {
    n = std::ceil((convert_number<double>(stop) - convert_number<double>(start)) / convert_number<double>(step));
  }
  HEARTH_CHECK(n < 0x1p53, value, "arange: there would be ", n, " elements");
  return n > 0 ? int64_t(n) : 0;
}

// 0 .. 1, the last exactly 1 when it is part of the range; f64.
Array fractions(const char* function, int64_t num, bool endpoint) {
  HEARTH_CHECK(num >= 0, value, function, ": there cannot be ", num, " points");
  const int64_t steps = endpoint ? num - 1 : num;
  return counting(num, DType::f64) / double(std::max<int64_t>(steps, 1));
}

// a + (b - a) t, whose last point is b itself.
Array between(double a, double b, const Array& t, bool endpoint) {
  const Array points = t * (b - a) + a;
  return endpoint && t.size() > 1 ? where(t == 1.0, b, points) : points;
}

// Integers are rounded down, as in NumPy.
Array points_as(const Array& points, DType dtype) { return (is_int(dtype) ? floor(points) : points).astype(dtype); }

}  // namespace

Array zeros(const Dims& shape, DType dtype) { return filled("zeros", shape, 0, dtype); }
Array ones(const Dims& shape, DType dtype) { return filled("ones", shape, 1, dtype); }
Array empty(const Dims& shape, DType dtype) { return filled("empty", shape, 0, dtype); }

Array full(const Dims& shape, const Array& value, std::optional<DType> dtype) {
  check_sizes("full", shape);
  check_broadcasts("full", "value", value, shape);
  const std::lock_guard lock(array_mutex());
  return from_value(broadcast_to(to_value(value, dtype.value_or(value.dtype())), shape));
}

Array zeros_like(const Array& x, std::optional<DType> dtype) { return zeros(x.shape(), dtype.value_or(x.dtype())); }
Array ones_like(const Array& x, std::optional<DType> dtype) { return ones(x.shape(), dtype.value_or(x.dtype())); }
Array empty_like(const Array& x, std::optional<DType> dtype) { return zeros_like(x, dtype); }
Array full_like(const Array& x, const Array& value, std::optional<DType> dtype) {
  return full(x.shape(), value, dtype.value_or(x.dtype()));
}
Array asarray(const Array& x, std::optional<DType> dtype) { return dtype ? x.astype(*dtype) : x; }

Array arange_of(const PlainNumber& start, const PlainNumber& stop, const PlainNumber& step,
                std::optional<DType> dtype) {
  const DType wanted = dtype.value_or(range_dtype(start, stop, step));
  const double by = convert_number<double>(step);
  HEARTH_CHECK(by != 0 && !std::isnan(by), value, "arange: the step is ", by);
  const double ends = convert_number<double>(stop) - convert_number<double>(start);
  HEARTH_CHECK(std::isfinite(ends), value, "arange: the ends are not finite numbers");
  const int64_t n = range_length(start, stop, step);
  const PlainNumber zero = int64_t(0), one = int64_t(1);
  check_sizes("arange", {n});
  if (is_int(wanted) && start == zero && step == one) return counting(n, wanted);
  const DType exact =
      std::holds_alternative<double>(start) || std::holds_alternative<double>(step) ? DType::f64 : DType::i64;
  return (counting(n, exact) * weak_scalar(step) + weak_scalar(start)).astype(wanted);
}

Array linspace(std::complex<double> start, std::complex<double> stop, int64_t num, const LinspaceOptions& options) {
  const bool is_real = start.imag() == 0 && stop.imag() == 0;
  const DType dtype = options.dtype.value_or(is_real ? DType::f32 : DType::complex64);
  HEARTH_CHECK(is_real || is_complex(dtype), dtype, "linspace: complex ends do not fit in ", dtype);
  const Array t = fractions("linspace", num, options.endpoint);
  const Array re = between(start.real(), stop.real(), t, options.endpoint);
  if (!is_complex(dtype)) return points_as(re, dtype);
  const Array im = between(start.imag(), stop.imag(), t, options.endpoint);
  return record([](const Value& a, const Value& b) { return complex(a, b); }, re, im).astype(dtype);
}

Array logspace(double start, double stop, int64_t num, const LogspaceOptions& options) {
  const Array t = fractions("logspace", num, options.endpoint);
  return points_as(pow(full({num}, options.base, DType::f64), between(start, stop, t, options.endpoint)),
                   options.dtype);
}

Array geomspace(double start, double stop, int64_t num, const LinspaceOptions& options) {
  HEARTH_CHECK(start * stop > 0, value, "geomspace: the ends must be of one sign and not 0; they are ", start, " and ",
               stop);
  const Array t = fractions("geomspace", num, options.endpoint);
  Array points = std::copysign(1.0, start) * exp(t * std::log(stop / start) + std::log(std::fabs(start)));
  points = where(t == 0.0, start, points);
  if (options.endpoint && num > 1) points = where(t == 1.0, stop, points);
  return points_as(points, options.dtype.value_or(DType::f32));
}

Arrays meshgrid(const Arrays& vectors, Indexing indexing) {
  Dims shape;
  for (const Array& v : vectors) {
    HEARTH_CHECK(v.ndim() <= 1, shape, "meshgrid: needs vectors; one is ", v.type());
    shape.push_back(v.size());
  }
  const bool swaps = indexing == Indexing::xy && shape.size() > 1;
  if (swaps) std::swap(shape[0], shape[1]);
  Arrays grids;
  for (size_t i = 0; i < vectors.size(); ++i) {
    const size_t axis = swaps && i < 2 ? 1 - i : i;
    Dims one(shape.size(), 1);
    one[axis] = vectors[i].size();
    grids.push_back(record([&](const Value& v) { return broadcast_to(reshape(v, one), shape); }, vectors[i]));
  }
  return grids;
}

Array indices(const Dims& shape, DType dtype) {
  check_sizes("indices", shape);
  const std::lock_guard lock(array_mutex());
  Graph& graph = current_recording()->graph;
  Dims one = shape;
  one.insert(one.begin(), 1);
  Values grids;
  for (size_t i = 0; i < shape.size(); ++i) grids.push_back(iota(graph, dtype, one, int64_t(i) + 1));
  return from_value(grids.empty() ? constant(graph, 0, dtype, {0}) : concatenate(grids, 0));
}

}  // namespace hearth
