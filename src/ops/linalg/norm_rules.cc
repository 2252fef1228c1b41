// SPDX-License-Identifier: Apache-2.0
// Norms, diagonals and products of matrices, made of other operations.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linalg/linalg.h"
#include "ops/linalg/linalg_functions.h"
#include "ops/linalg/matrix_rules.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

using namespace linalg;
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Value size_squared(const Value& x) {  // |x|^2
  if (!is_complex(x.dtype())) return x * x;
  const Value re = real(x), im = imag(x);
  return re * re + im * im;
}

void expect_matrices(const char* op, const Value& x) {
  HEARTH_CHECK(x.rank() >= 2, shape, op, ": needs matrices, at least 2 axes\n  x is ", x);
}

int64_t checked_axis(const char* op, const Value& x, int64_t axis) {
  HEARTH_CHECK(axis >= -x.rank() && axis < x.rank(), shape, op, ": axis ", axis, " does not exist\n  x is ", x);
  return axis < 0 ? axis + x.rank() : axis;
}

Value most(const char* op, const Value& x, const Dims& axes, bool largest) {
  for (const int64_t axis : axes)
    HEARTH_CHECK(x.dim(axis) > 0, value, op, ": the largest or least of nothing\n  x is ", x);
  return largest ? reduce_max(x, axes) : reduce_min(x, axes);
}

Value element_along(const Value& x, int64_t axis, int64_t i) { return slice_axis(x, axis, i, i + 1); }

}  // namespace

Value vector_norm(const Value& x, const VectorNormOptions& o) {
  HEARTH_CHECK(is_inexact(x.dtype()), dtype, "vector_norm: needs floats or complex numbers; x is ", x);
  HEARTH_CHECK(!std::isnan(o.ord), value, "vector_norm: ord is NaN");
  Dims axes(size_t(x.rank())), kept = x.dims();
  std::iota(axes.begin(), axes.end(), 0);
  if (o.axes) {
    axes.clear();
    for (const int64_t axis : *o.axes) axes.push_back(checked_axis("vector_norm", x, axis));
  }
  for (const int64_t axis : axes) {
    HEARTH_CHECK(std::count(axes.begin(), axes.end(), axis) == 1, shape, "vector_norm: axis ", axis,
                 " is named twice\n  x is ", x);
    kept[size_t(axis)] = 1;
  }
  Value y;
  if (std::isinf(o.ord))
    y = most("vector_norm", unary("abs", x), axes, o.ord > 0);
  else if (o.ord == 0)
    y = reduce_sum(convert(compare("NE", x, scalar_like(x, 0)), real_part(x.dtype())), axes);
  else if (o.ord == 1)
    y = reduce_sum(unary("abs", x), axes);
  else if (o.ord == 2)
    y = sqrt(reduce_sum(size_squared(x), axes));
  else {
    const Value sizes = unary("abs", x);
    const Value sum = reduce_sum(binary("power", sizes, constant(*x.graph, o.ord, sizes.dtype())), axes);
    y = binary("power", sum, constant(*x.graph, 1 / o.ord, sum.dtype()));
  }
  return o.keepdims ? reshape(y, kept) : y;
}

Value matrix_norm(const Value& x, const std::string& ord, bool keepdims) {
  expect_matrices("matrix_norm", x);
  const int64_t rows = x.rank() - 2, cols = x.rank() - 1;
  Value y;
  if (ord == "fro") {
    y = sqrt(reduce_sum(size_squared(x), {rows, cols}));
  } else if (ord == "nuc") {
    y = reduce_sum(svdvals(x), {rows});
  } else if (ord == "2" || ord == "-2") {
    y = most("matrix_norm", svdvals(x), {rows}, ord == "2");
  } else {
    const bool over_columns = ord == "1" || ord == "-1";
    HEARTH_CHECK(over_columns || ord == "inf" || ord == "-inf", value, "matrix_norm: ord '", ord,
                 "' is none of fro, nuc, 1, -1, 2, -2, inf, -inf");
    y = most("matrix_norm", reduce_sum(unary("abs", x), {over_columns ? rows : cols}), {rows}, ord[0] != '-');
  }
  return keepdims ? reshape(y, leading(x, {1, 1})) : y;
}

Value cond(const Value& a, const std::string& ord) {
  expect_matrices("cond", a);
  if (ord != "2" && ord != "-2") return matrix_norm(a, ord) * matrix_norm(inv(a), ord);
  const Value s = svdvals(a);
  const Value largest = most("cond", s, {s.rank() - 1}, true), least = most("cond", s, {s.rank() - 1}, false);
  return ord == "2" ? largest / least : least / largest;
}

// Element (i, i + offset) is element i (N + 1) + offset of the matrix as one row; below the diagonal (i - offset, i).
Value diagonal(const Value& x, int64_t offset) {
  expect_matrices("diagonal", x);
  const int64_t m = x.dim(-2), n = x.dim(-1);
  const bool none = offset >= n || offset <= -m;
  const int64_t k = none ? 0 : std::min(offset < 0 ? m + offset : m, offset > 0 ? n - offset : n);
  const Value flat = reshape(x, leading(x, {m * n}));
  Dims start(size_t(flat.rank()), 0), limit = flat.dims(), strides(start.size(), 1);
  strides.back() = k > 0 ? n + 1 : 1;
  start.back() = k > 0 ? (offset < 0 ? -offset * n : offset) : 0;
  limit.back() = k > 0 ? start.back() + (k - 1) * (n + 1) + 1 : 0;
  return slice(flat, start, limit, strides);
}

Value trace(const Value& x, int64_t offset) {
  const Value d = diagonal(x, offset);
  return reduce_sum(d, {d.rank() - 1});
}

Value outer(const Value& a, const Value& b) { return reshape(a, {-1, 1}) * reshape(b, {1, -1}); }

// [A1, B1, A2, B2, ...]
Value kron(const Value& a, const Value& b) {
  const size_t rank = size_t(std::max(a.rank(), b.rank()));
  Dims x = a.dims(), y = b.dims(), wide_a, wide_b, result;
  x.insert(x.begin(), rank - x.size(), 1);
  y.insert(y.begin(), rank - y.size(), 1);
  for (size_t i = 0; i < rank; ++i) {
    wide_a.insert(wide_a.end(), {x[i], 1});
    wide_b.insert(wide_b.end(), {1, y[i]});
    result.push_back(x[i] * y[i]);
  }
  return reshape(reshape(a, wide_a) * reshape(b, wide_b), result);
}

Value cross(const Value& a, const Value& b, int64_t axis) {
  const int64_t at_a = checked_axis("cross", a, axis), at_b = checked_axis("cross", b, axis);
  HEARTH_CHECK(a.dim(at_a) == 3 && b.dim(at_b) == 3, shape, "cross: needs 3 elements along axis ", axis, "\n  a is ", a,
               "\n  b is ", b);
  std::vector<Value> parts;
  for (int64_t i = 0; i < 3; ++i) {
    const int64_t j = (i + 1) % 3, k = (i + 2) % 3;
    parts.push_back(element_along(a, at_a, j) * element_along(b, at_b, k) -
                    element_along(a, at_a, k) * element_along(b, at_b, j));
  }
  return concatenate(parts, axis < 0 ? parts[0].rank() + axis : std::max(at_a, at_b));
}

// Source: Cormen et al., Introduction to Algorithms, sec. 15.2.
Value multi_dot(const std::vector<Value>& given) {
  HEARTH_CHECK(given.size() >= 2, value, "multi_dot: needs at least two matrices, has ", given.size());
  std::vector<Value> matrices = given;
  const bool row = given.front().rank() == 1, column = given.back().rank() == 1;
  if (row) matrices.front() = reshape(given.front(), {1, given.front().dim(0)});
  if (column) matrices.back() = reshape(given.back(), {given.back().dim(0), 1});
  const size_t n = matrices.size();
  for (size_t i = 0; i < n; ++i) {
    HEARTH_CHECK(matrices[i].rank() == 2, shape, "multi_dot: operand ", i, " is no matrix: ", given[i]);
    HEARTH_CHECK(i == 0 || matrices[i - 1].dim(1) == matrices[i].dim(0), shape,
                 "multi_dot: inner sizes differ: ", i ? matrices[i - 1].dim(1) : 0, " != ", matrices[i].dim(0),
                 "\n  operand ", i - (i > 0), " is ", given[i - (i > 0)], "\n  operand ", i, " is ", given[i]);
  }
  std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
  std::vector<std::vector<size_t>> cut(n, std::vector<size_t>(n, 0));
  for (size_t length = 2; length <= n; ++length) {
    for (size_t i = 0; i + length <= n; ++i) {
      const size_t j = i + length - 1;
      cost[i][j] = kInfinity;
      for (size_t k = i; k < j; ++k) {
        const double total = cost[i][k] + cost[k + 1][j] +
                             double(matrices[i].dim(0)) * double(matrices[k].dim(1)) * double(matrices[j].dim(1));
        if (total < cost[i][j]) cost[i][j] = total, cut[i][j] = k;
      }
    }
  }
  const auto product = [&](const auto& self, size_t i, size_t j) -> Value {
    if (i == j) return matrices[i];
    return multiply(self(self, i, cut[i][j]), self(self, cut[i][j] + 1, j));
  };
  const Value y = product(product, 0, n - 1);
  Dims dims;
  if (!row) dims.push_back(y.dim(0));
  if (!column) dims.push_back(y.dim(1));
  return reshape(y, dims);
}

}  // namespace hearth
