// SPDX-License-Identifier: Apache-2.0
// The functions of creation.h that make and cut matrices.

#include <algorithm>

#include "array/axes.h"
#include "array/creation.h"
#include "array/elementwise_functions.h"
#include "array/recording.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// column - row of each element of a matrix; the diagonal k is where it is k.
Array diagonal_number(const char* function, int64_t rows, int64_t columns) {
  check_sizes(function, {rows, columns});
  const std::lock_guard lock(array_mutex());
  Graph& graph = current_recording()->graph;
  return from_value(iota(graph, DType::i64, {rows, columns}, 1) - iota(graph, DType::i64, {rows, columns}, 0));
}

Array numbers_of(const char* function, const Array& x) {
  HEARTH_CHECK(x.ndim() >= 2, shape, function, ": needs matrices; x is ", x.type());
  return diagonal_number(function, x.dim(-2), x.dim(-1));
}

// v [N] -> [N,N]: N zeros lie between an element of the diagonal and the next.
Value on_main_diagonal(const Value& v) {
  const int64_t n = v.dim(0);
  if (n == 0) return reshape(v, {0, 0});
  return reshape(pad(v, constant(*v.graph, 0, v.dtype()), {.low = {0}, .high = {0}, .interior = {n}}), {n, n});
}

Value diagonal_matrix(const Value& v, int64_t k) {
  const int64_t above = std::max<int64_t>(k, 0), below = std::max<int64_t>(-k, 0);
  const Value zero = constant(*v.graph, 0, v.dtype());
  return pad(on_main_diagonal(v), zero, {.low = {below, above}, .high = {above, below}, .interior = {0, 0}});
}

// The square that has the diagonal as its main one, row after row: every (n + 1)-th element.
Value diagonal_of(const Value& m, int64_t k) {
  const int64_t row = std::max<int64_t>(-k, 0), column = std::max<int64_t>(k, 0);
  const int64_t n = std::max<int64_t>(std::min(m.dim(0) - row, m.dim(1) - column), 0);
  if (n == 0) return constant(*m.graph, 0, m.dtype(), {0});
  const Value square = slice(m, {row, column}, {row + n, column + n});
  return slice(reshape(square, {n * n}), {0}, {n * n}, {n + 1});
}

}  // namespace

Array eye(int64_t rows, const EyeOptions& options) {
  return (diagonal_number("eye", rows, options.columns.value_or(rows)) == options.k).astype(options.dtype);
}
Array identity(int64_t n, DType dtype) { return eye(n, {.dtype = dtype}); }
Array tri(int64_t rows, const EyeOptions& options) {
  return (diagonal_number("tri", rows, options.columns.value_or(rows)) <= options.k).astype(options.dtype);
}

Array tril(const Array& x, int64_t k) { return where(numbers_of("tril", x) <= k, x, zeros_like(x)); }
Array triu(const Array& x, int64_t k) { return where(numbers_of("triu", x) >= k, x, zeros_like(x)); }

Array diag(const Array& x, int64_t k) {
  HEARTH_CHECK(x.ndim() == 1 || x.ndim() == 2, shape, "diag: needs a vector or a matrix; x is ", x.type());
  HEARTH_CHECK(k > -(int64_t{1} << 53) && k < (int64_t{1} << 53), value, "diag: there is no diagonal ", k);
  if (x.ndim() == 2) return record([&](const Value& m) { return diagonal_of(m, k); }, x);
  const int64_t n = x.size() + std::abs(k);
  check_sizes("diag", {n, n});
  return record([&](const Value& v) { return diagonal_matrix(v, k); }, x);
}

Array diagflat(const Array& x, int64_t k) { return diag(x.reshape({-1}), k); }

Array vander(const Array& x, const VanderOptions& options) {
  HEARTH_CHECK(x.ndim() == 1, shape, "vander: needs a vector; x is ", x.type());
  const int64_t columns = options.columns.value_or(x.size());
  check_sizes("vander", {x.size(), columns});
  const std::lock_guard lock(array_mutex());
  const Value v = reshape(to_value(x), {x.size(), 1});
  Value exponents = iota(*v.graph, v.dtype() == DType::boolean ? DType::i32 : v.dtype(), {1, columns}, 1);
  if (!options.increasing) exponents = reverse(exponents, {1});
  return from_value(power(v.dtype() == DType::boolean ? convert(v, DType::i32) : v, exponents));
}

}  // namespace hearth
