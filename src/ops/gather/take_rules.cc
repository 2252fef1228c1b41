// SPDX-License-Identifier: Apache-2.0
// take and take_along_axis in terms of gather.
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/gather/gather.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

int64_t axis_inside(const char* op, const Value& x, int64_t axis) {
  const int64_t inside = axis < 0 ? axis + x.rank() : axis;
  HEARTH_CHECK(inside >= 0 && inside < x.rank(), value, op, ": axis ", axis, " does not exist in x ", x);
  return inside;
}

void expect_integers(const char* op, const Value& x, const Value& indices) {
  HEARTH_CHECK(is_int(indices.dtype()), dtype, op, ": indices must be integers\n  x is ", x, "\n  indices is ",
               indices);
}

Value usual_fill(const Value& x) {
  const DType t = x.dtype();
  if (is_inexact(t)) return constant(*x.graph, std::nan(""), t);
  const auto number = [&](int64_t bits) {
    return x.graph->add("constant", {}, {{"value", bits}, {"dtype", int64_t(t)}, {"shape", Dims{}}});
  };
  if (t == DType::boolean) return number(1);
  const int64_t width = 8 * size_bytes(t);
  if (is_signed_int(t)) return number(std::numeric_limits<int64_t>::min() >> (64 - width));
  return number(width == 64 ? -1 : (int64_t{1} << width) - 1);  // u64: the same bits
}

// A number as a scalar of the indices' dtype; sizes above its range stand for its largest number.
Value size_like(const Value& indices, int64_t size) {
  const DType t = indices.dtype();
  const int64_t width = 8 * size_bytes(t) - (is_signed_int(t) ? 1 : 0);
  const int64_t most = width >= 63 ? INT64_MAX : (int64_t{1} << width) - 1;
  return indices.graph->add("constant", {},
                            {{"value", std::min(size, most)}, {"dtype", int64_t(t)}, {"shape", Dims{}}});
}

// The remainder with the sign of the size: index modulo n. A size above the dtype's range changes only negative
// indices, so those are widened first.
Value wrapped(const Value& indices, int64_t n) {
  const Value wide = size_bytes(indices.dtype()) < 4 ? convert(indices, DType::i32) : indices;
  const Value size = size_like(wide, n), zero = scalar_like(wide, 0);
  const Value rest = binary("remainder", wide, size);
  return is_signed_int(wide.dtype()) ? select(compare("LT", rest, zero), rest + size, rest) : rest;
}

// True where the index lies in [0, n).
Value inside(const Value& indices, int64_t n) {
  const Value last = size_like(indices, n - 1), zero = scalar_like(indices, 0);
  const Value below = compare("LE", indices, last);
  return is_signed_int(indices.dtype()) ? binary("and", below, compare("GE", indices, zero)) : below;
}

GatherDims take_dims(const Value& x, const Value& indices, int64_t axis) {
  GatherDims dims{.collapsed_slice_dims = {axis}, .start_index_map = {axis}, .index_vector_dim = indices.rank()};
  for (int64_t i = 0; i < x.rank() + indices.rank() - 1; ++i)
    if (i < axis || i >= axis + indices.rank()) dims.offset_dims.push_back(i);
  return dims;
}

}  // namespace

Value take(const Value& x, const Value& indices, int64_t axis, const TakeOptions& options) {
  const int64_t along = axis_inside("take", x, axis), n = x.dim(along);
  expect_integers("take", x, indices);
  HEARTH_CHECK(n > 0 || indices.type().elements() == 0 || options.mode == TakeMode::fill, value, "take: axis ", along,
               " of x is empty, there is nothing to take\n  x is ", x, "\n  indices is ", indices);
  Dims sizes = x.dims();
  sizes[size_t(along)] = std::min<int64_t>(n, 1);
  const GatherDims dims = take_dims(x, indices, along);
  if (options.mode == TakeMode::wrap && n > 0) return gather(x, wrapped(indices, n), dims, sizes);
  if (options.mode != TakeMode::fill) return gather(x, indices, dims, sizes);
  const Value taken = gather(x, indices, dims, sizes, {.out_of_range = OutOfRange::drop});
  if (options.fill && *options.fill == 0) return taken;
  const Value fill = options.fill ? constant(*x.graph, *options.fill, x.dtype()) : usual_fill(x);
  Dims places(size_t(indices.rank()));
  std::iota(places.begin(), places.end(), along);
  const Value hit = n == 0 ? constant(*x.graph, 0, DType::boolean, taken.dims())
                           : broadcast_in_dim(inside(indices, n), taken.dims(), places);
  return select(hit, taken, broadcast_to(fill, taken.dims()));
}

// Sizes that are equal make batching axes; x's 1s are collapsed; where the indices have 1, x's axis is taken whole.
Value take_along_axis(const Value& x, const Value& indices, int64_t axis) {
  const int64_t along = axis_inside("take_along_axis", x, axis);
  expect_integers("take_along_axis", x, indices);
  HEARTH_CHECK(x.rank() == indices.rank(), shape, "take_along_axis: ranks differ: ", x.rank(), " != ", indices.rank(),
               "\n  x is ", x, "\n  indices is ", indices);
  GatherDims dims;
  Dims sizes, kept;  // kept: the indices' sizes without those that x's whole axes stand for
  for (int64_t i = 0; i < x.rank(); ++i) {
    const int64_t n = x.dim(i), m = indices.dim(i);
    const bool whole = i != along && m == 1 && n != 1;
    HEARTH_CHECK(i == along || n == m || n == 1 || m == 1, shape, "take_along_axis: sizes of axis ", i,
                 " do not broadcast: ", n, " != ", m, "\n  x is ", x, "\n  indices is ", indices);
    HEARTH_CHECK(i != along || n > 0 || indices.type().elements() == 0, value, "take_along_axis: axis ", i,
                 " of x is empty, there is nothing to take\n  x is ", x, "\n  indices is ", indices);
    sizes.push_back(whole ? n : std::min<int64_t>(n, 1));
    if (whole) {
      dims.offset_dims.push_back(i);
      continue;
    }
    if (i != along && n == m) {
      dims.operand_batching_dims.push_back(i);
      dims.start_indices_batching_dims.push_back(int64_t(kept.size()));
    } else {
      dims.collapsed_slice_dims.push_back(i);
    }
    kept.push_back(m);
  }
  dims.start_index_map = {along};
  dims.index_vector_dim = int64_t(kept.size());
  return gather(x, reshape(indices, kept), dims, sizes);
}

}  // namespace hearth
