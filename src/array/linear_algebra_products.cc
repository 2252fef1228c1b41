// SPDX-License-Identifier: Apache-2.0
// Products of vectors, matrices and tensors, each one dot_general.
#include <algorithm>
#include <numeric>

#include "array/linear_algebra.h"
#include "array/recording.h"
#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linalg/linalg_functions.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// f(a, b) of operands in their common type; products of bool are computed in i32: any of all.
template <class F>
Array product_of_two(const Array& a, const Array& b, F&& f) {
  const std::lock_guard lock(array_mutex());
  const PromotedType type = promoted({a, b});
  const bool is_bool = type.dtype == DType::boolean;
  const Values v = to_values({a, b}, is_bool ? DType::i32 : type.dtype);
  const Value y = f(v[0], v[1]);
  return from_value(is_bool ? convert(y, DType::boolean) : y, type.weak);
}

void expect_equal(const char* op, int64_t ka, int64_t kb, const Value& a, const Value& b) {
  HEARTH_CHECK(ka == kb, shape, op, ": inner sizes differ: ", ka, " != ", kb, "\n  a is ", a.type(), "\n  b is ",
               b.type());
}

// Leading axes of both, all but the last two, broadcast.
Dims common_batch(const char* op, const Value& a, const Value& b) {
  const size_t na = size_t(a.rank() - 2), nb = size_t(b.rank() - 2), n = std::max(na, nb);
  Dims batch(n, 1);
  for (size_t i = 0; i < n; ++i) {
    const int64_t x = i + na >= n ? a.dim(int64_t(i + na - n)) : 1, y = i + nb >= n ? b.dim(int64_t(i + nb - n)) : 1;
    HEARTH_CHECK(x == y || x == 1 || y == 1, shape, op, ": leading axes do not broadcast: ", x, " and ", y, "\n  a is ",
                 a.type(), "\n  b is ", b.type());
    batch[i] = x == 1 ? y : x;
  }
  return batch;
}

Value with_batch(const Value& x, Dims batch) {
  batch.insert(batch.end(), x.dims().end() - 2, x.dims().end());
  return broadcast_to(x, batch);
}

// a [..., M, K], b [..., K, N]. A b without leading axes is one matrix for all rows of a: no batch.
Value matrix_product(const Value& a, const Value& b) {
  expect_equal("matmul", a.dim(-1), b.dim(-2), a, b);
  if (b.rank() == 2) return dot_general(a, b, {.a_contract = {a.rank() - 1}, .b_contract = {0}});
  const Dims batch = common_batch("matmul", a, b);
  const int64_t n = int64_t(batch.size());
  DotAxes axes{.a_contract = {n + 1}, .b_contract = {n}};
  for (int64_t i = 0; i < n; ++i) {
    axes.a_batch.push_back(i);
    axes.b_batch.push_back(i);
  }
  return dot_general(with_batch(a, batch), with_batch(b, batch), axes);
}

Value matmul_values(const Value& a, const Value& b) {
  HEARTH_CHECK(a.rank() > 0 && b.rank() > 0, shape, "matmul: needs at least 1 axis\n  a is ", a.type(), "\n  b is ",
               b.type(), "\n  hint: a * b multiplies by a number");
  if (a.rank() == 1 && b.rank() == 1) {
    expect_equal("matmul", a.dim(0), b.dim(0), a, b);
    return dot_general(a, b, {.a_contract = {0}, .b_contract = {0}});
  }
  if (b.rank() == 1) {
    expect_equal("matmul", a.dim(-1), b.dim(0), a, b);
    return dot_general(a, b, {.a_contract = {a.rank() - 1}, .b_contract = {0}});
  }
  if (a.rank() > 1) return matrix_product(a, b);
  expect_equal("matmul", a.dim(0), b.dim(-2), a, b);
  return dot_general(b, a, {.a_contract = {b.rank() - 2}, .b_contract = {0}});
}

Value conjugated(const Value& x) { return is_complex(x.dtype()) ? conj(x) : x; }

Value contracted(const char* op, const Value& a, const Value& b, const Dims& a_axes, const Dims& b_axes) {
  HEARTH_CHECK(a_axes.size() == b_axes.size(), value, op, ": axes ", ShowDims{a_axes}, " and ", ShowDims{b_axes},
               " do not pair up");
  DotAxes axes;
  for (size_t i = 0; i < a_axes.size(); ++i) {
    axes.a_contract.push_back(checked_axis(op, a, a_axes[i]));
    axes.b_contract.push_back(checked_axis(op, b, b_axes[i]));
    expect_equal(op, a.dim(axes.a_contract[i]), b.dim(axes.b_contract[i]), a, b);
  }
  return dot_general(a, b, axes);
}

}  // namespace

Array matmul(const Array& a, const Array& b) { return product_of_two(a, b, matmul_values); }

Array dot(const Array& a, const Array& b) {
  if (a.ndim() == 0 || b.ndim() == 0) return a * b;
  return product_of_two(a, b, [](const Value& x, const Value& y) {
    return contracted("dot", x, y, {-1}, {y.rank() == 1 ? 0 : y.rank() - 2});
  });
}
Array vdot(const Array& a, const Array& b) {
  return product_of_two(a, b, [](const Value& x, const Value& y) {
    return contracted("vdot", conjugated(flattened(x)), flattened(y), {0}, {0});
  });
}
Array inner(const Array& a, const Array& b) {
  if (a.ndim() == 0 || b.ndim() == 0) return a * b;
  return product_of_two(a, b, [](const Value& x, const Value& y) { return contracted("inner", x, y, {-1}, {-1}); });
}
Array outer(const Array& a, const Array& b) {
  return product_of_two(a, b, [](const Value& x, const Value& y) { return outer(x, y); });
}

Array vecdot(const Array& a, const Array& b, int64_t axis) {
  return product_of_two(a, b, [&](const Value& x, const Value& y) {
    const int64_t at_x = checked_axis("vecdot", x, axis), at_y = checked_axis("vecdot", y, axis);
    expect_equal("vecdot", x.dim(at_x), y.dim(at_y), x, y);
    const Value row = move_axis(conjugated(x), at_x, x.rank() - 1), column = move_axis(y, at_y, y.rank() - 1);
    Dims as_row = row.dims(), as_column = column.dims();  // [..., 1, K] and [..., K, 1]
    as_row.insert(as_row.end() - 1, 1);
    as_column.push_back(1);
    const Value z = matrix_product(reshape(row, as_row), reshape(column, as_column));
    return reshape(z, Dims(z.dims().begin(), z.dims().end() - 2));
  });
}

Array tensordot(const Array& a, const Array& b, int64_t axes) {
  HEARTH_CHECK(axes >= 0 && axes <= std::min(a.ndim(), b.ndim()), value, "tensordot: cannot contract ", axes,
               " axes\n  a is ", a.type(), "\n  b is ", b.type());
  Dims a_axes(static_cast<size_t>(axes)), b_axes(static_cast<size_t>(axes));
  std::iota(a_axes.begin(), a_axes.end(), a.ndim() - axes);
  std::iota(b_axes.begin(), b_axes.end(), 0);
  return tensordot(a, b, a_axes, b_axes);
}
Array tensordot(const Array& a, const Array& b, const Dims& a_axes, const Dims& b_axes) {
  return product_of_two(a, b,
                        [&](const Value& x, const Value& y) { return contracted("tensordot", x, y, a_axes, b_axes); });
}

Array kron(const Array& a, const Array& b) {
  return product_of_two(a, b, [](const Value& x, const Value& y) { return kron(x, y); });
}
Array cross(const Array& a, const Array& b, int64_t axis) {
  return product_of_two(a, b, [&](const Value& x, const Value& y) { return cross(x, y, axis); });
}

Array multi_dot(const Arrays& matrices) {
  HEARTH_CHECK(!matrices.empty(), value, "multi_dot: needs at least two matrices, has 0");
  const std::lock_guard lock(array_mutex());
  return from_value(multi_dot(to_values(matrices, promoted(matrices).dtype)));
}
Array matrix_power(const Array& a, int64_t n) {
  return n < 0 ? inv(matrix_power(a, -n)) : record([&](const Value& v) { return matrix_power(v, n); }, a);
}

}  // namespace hearth
