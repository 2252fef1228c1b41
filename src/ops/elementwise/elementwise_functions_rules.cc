// SPDX-License-Identifier: Apache-2.0
// The functions that users call: they broadcast, then add a node.
#include <algorithm>

#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

Value constant(Graph& graph, double value, DType dtype, const Dims& dims) {
  const Attrs::Item item = is_inexact(dtype) ? Attrs::Item(value) : Attrs::Item(static_cast<int64_t>(value));
  return graph.add("constant", {}, {{"value", item}, {"dtype", int64_t(dtype)}, {"shape", dims}});
}

Value constant_list(Graph& graph, const std::vector<double>& values, DType dtype, const Dims& dims) {
  Attrs::Item item = values;
  if (!is_inexact(dtype)) item = std::vector<int64_t>(values.begin(), values.end());
  return graph.add("constant", {}, {{"values", item}, {"dtype", int64_t(dtype)}, {"shape", dims}});
}

Value constant(Graph& graph, std::complex<double> value, DType dtype, const Dims& dims) {
  Attrs attrs{{"value", value.real()}, {"dtype", int64_t(dtype)}, {"shape", dims}};
  if (value.imag() != 0) attrs.set("imaginary", value.imag());
  return graph.add("constant", {}, attrs);
}

Value iota(Graph& graph, DType dtype, const Dims& dims, int64_t axis) {
  return graph.add("iota", {}, {{"dimension", axis}, {"dtype", int64_t(dtype)}, {"shape", dims}});
}

Value scalar_like(const Value& x, double value) { return broadcast_to(constant(*x.graph, value, x.dtype()), x.dims()); }

Value unary(const char* op, const Value& x) { return x.graph->add(op, {x}); }

Dims broadcast_dims(const char* op, const Value& a, const Value& b) {
  const int64_t rank = std::max(a.rank(), b.rank());
  Dims dims(size_t(rank), 1);
  for (int64_t i = 0; i < rank; ++i) {
    const int64_t ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const int64_t da = ia < 0 ? 1 : a.dim(ia), db = ib < 0 ? 1 : b.dim(ib);
    HEARTH_CHECK(da == db || da == 1 || db == 1, shape, op, ": shapes do not broadcast: ", da, " != ", db,
                 " along axis ", i, "\n  a is ", a, "\n  b is ", b);
    dims[size_t(i)] = da == 1 ? db : da;
  }
  return dims;
}

Value binary(const char* op, const Value& a, const Value& b) {
  if (a.dims() == b.dims()) return a.graph->add(op, {a, b});
  const Dims dims = broadcast_dims(op, a, b);
  return a.graph->add(op, {broadcast_to(a, dims), broadcast_to(b, dims)});
}

Value convert(const Value& x, DType dtype) {
  return x.dtype() == dtype ? x : x.graph->add("convert", {x}, {{"dtype", int64_t(dtype)}});
}

Value select(const Value& pred, const Value& on_true, const Value& on_false) {
  Dims dims = broadcast_dims("select", on_true, on_false);
  if (pred.rank() > 0 && pred.dims() != dims) dims = broadcast_dims("select", pred, broadcast_to(on_true, dims));
  return pred.graph->add("select",
                         {broadcast_to(pred, dims), broadcast_to(on_true, dims), broadcast_to(on_false, dims)});
}

Value compare(const char* direction, const Value& a, const Value& b, bool total_order) {
  const Dims dims = broadcast_dims("compare", a, b);
  Attrs attrs{{"direction", std::string(direction)}};
  if (total_order) attrs.set("compare_type", std::string("TOTALORDER"));
  return a.graph->add("compare", {broadcast_to(a, dims), broadcast_to(b, dims)}, attrs);
}

Value clamp(const Value& low, const Value& x, const Value& high) {
  const auto fits = [&](const Value& bound) { return bound.rank() == 0 ? bound : broadcast_to(bound, x.dims()); };
  return x.graph->add("clamp", {fits(low), x, fits(high)});
}

Value abs(const Value& x) { return x.dtype() == DType::boolean || is_unsigned_int(x.dtype()) ? x : unary("abs", x); }

Value bitcast_convert(const Value& x, DType dtype) {
  return x.dtype() == dtype ? x : x.graph->add("bitcast_convert", {x}, {{"dtype", int64_t(dtype)}});
}

Value reduce_precision(const Value& x, int64_t exponent_bits, int64_t mantissa_bits) {
  return x.graph->add("reduce_precision", {x}, {{"exponent_bits", exponent_bits}, {"mantissa_bits", mantissa_bits}});
}

}  // namespace hearth
