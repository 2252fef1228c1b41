// SPDX-License-Identifier: Apache-2.0
#include "array/statistics_axes.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "ir/graph.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

Dims axes_of(const char* op, const Value& x, const Axes& axes) {
  Dims out;
  if (!axes.named) {
    out.resize(size_t(x.rank()));
    std::iota(out.begin(), out.end(), 0);
    return out;
  }
  for (const int64_t axis : *axes.named) {
    const int64_t from_front = axis < 0 ? axis + x.rank() : axis;
    HEARTH_CHECK(from_front >= 0 && from_front < x.rank(), value, op, ": axis ", axis, " does not exist\n  x is ",
                 x.type());
    HEARTH_CHECK(std::find(out.begin(), out.end(), from_front) == out.end(), value, op, ": axis ", axis,
                 " is named twice\n  x is ", x.type());
    out.push_back(from_front);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Value put_back(const Value& y, const Value& x, const Dims& axes, bool keepdims) {
  if (!keepdims || axes.empty()) return y;
  Dims dims = x.dims();
  for (const int64_t axis : axes) dims[size_t(axis)] = 1;
  return reshape(y, dims);
}

Value stretch_back(const Value& y, const Value& x, const Dims& axes) {
  Dims kept;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) kept.push_back(i);
  }
  return broadcast_in_dim(y, x.dims(), kept);
}

Value lanes_last(const Value& x, const Dims& axes) {
  Dims order, shape;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (std::binary_search(axes.begin(), axes.end(), i)) continue;
    order.push_back(i);
    shape.push_back(x.dim(i));
  }
  order.insert(order.end(), axes.begin(), axes.end());
  shape.push_back(product_of(x, axes));
  return reshape(transpose(x, order), shape);
}

int64_t product_of(const Value& x, const Dims& axes) {
  int64_t n = 1;
  for (const int64_t axis : axes) n *= x.dim(axis);
  return n;
}

DType sum_dtype(DType x) {
  if (x == DType::boolean || x == DType::i8 || x == DType::i16) return DType::i32;
  return x == DType::u8 || x == DType::u16 ? DType::u32 : x;
}

void expect_elements(const char* op, const Value& x, const Dims& axes) {
  int64_t results = 1;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) results *= x.dim(i);
  }
  HEARTH_CHECK(product_of(x, axes) > 0 || results == 0, value, op, ": axes ", ShowDims{axes},
               " have no elements\n  x is ", x.type());
}

Value numbers_to(const Value& like, int64_t n) { return iota(*like.graph, DType::i32, {n}, 0); }

Value widened(const Value& x) {
  const bool narrow = x.dtype() == DType::f16 || x.dtype() == DType::bf16;
  return narrow || !is_inexact(x.dtype()) ? convert(x, DType::f32) : x;
}

Value flattened(const Value& x) { return x.rank() == 1 ? x : reshape(x, {x.type().elements()}); }

Value move_axis(const Value& x, int64_t from, int64_t to) {
  Dims order;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (i != from) order.push_back(i);
  }
  order.insert(order.begin() + to, from);
  return transpose(x, order);
}

}  // namespace hearth
