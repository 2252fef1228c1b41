// SPDX-License-Identifier: Apache-2.0
#include "ops/linalg/matrix_rules.h"

#include <algorithm>
#include <numeric>

#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/shape/shape.h"

namespace hearth::linalg {

Dims leading(const Value& x, Dims last) {
  last.insert(last.begin(), x.dims().begin(), x.dims().end() - 2);
  return last;
}

Value transposed(const Value& x) {
  Dims order(size_t(x.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[order.size() - 2], order[order.size() - 1]);
  return transpose(x, order);
}

Value adjoint(const Value& x) { return conj(transposed(x)); }

Value multiply(const Value& a, const Value& b) {
  Dims batch(size_t(a.rank() - 2));
  std::iota(batch.begin(), batch.end(), 0);
  return dot_general(a, b, {batch, batch, {a.rank() - 1}, {b.rank() - 2}});
}

// row + offset `direction` column
static Value where_rows(const Value& x, int64_t offset, const char* direction) {
  const Dims dims = {x.dim(-2), x.dim(-1)};
  const Value row = iota(*x.graph, DType::i32, dims, 0), column = iota(*x.graph, DType::i32, dims, 1);
  return compare(direction, row + double(offset), column);
}
static Value kept(const Value& x, const Value& where) {
  return select(broadcast_to(where, x.dims()), x, scalar_like(x, 0));
}
Value lower_triangle(const Value& x, int64_t offset) { return kept(x, where_rows(x, offset, "GE")); }
Value upper_triangle(const Value& x, int64_t offset) { return kept(x, where_rows(x, offset, "LE")); }

Value eye(Graph& graph, int64_t rows, int64_t cols, DType dtype) {
  const Value on = constant(graph, 1, dtype, {rows, cols});
  return kept(on, where_rows(on, 0, "EQ"));
}
Value eye_like(const Value& x, int64_t n) { return broadcast_to(eye(*x.graph, n, n, x.dtype()), leading(x, {n, n})); }

Value diagonal_matrix(const Value& d) {
  Dims dims = d.dims(), axes(size_t(d.rank()));
  dims.push_back(d.dim(-1));
  std::iota(axes.begin(), axes.end(), 0);
  const Value full = broadcast_in_dim(d, dims, axes);
  return kept(full, where_rows(full, 0, "EQ"));
}

Value as_complex(const Value& x, DType dtype) {
  if (is_complex(x.dtype()) || !is_complex(dtype)) return convert(x, dtype);
  const Value re = convert(x, real_part(dtype));
  return complex(re, scalar_like(re, 0));
}
Value imaginary(const Value& x) {
  const Value im = imag(x);
  return complex(scalar_like(im, 0), im);
}

static Value scaled(const Value& x, const Value& d, bool rows) {
  Dims dims = d.dims();
  dims.insert(rows ? dims.end() : dims.end() - 1, 1);
  return x * broadcast_to(reshape(as_complex(d, x.dtype()), dims), x.dims());
}
Value rows_scaled(const Value& x, const Value& d) { return scaled(x, d, true); }
Value columns_scaled(const Value& x, const Value& d) { return scaled(x, d, false); }

}  // namespace hearth::linalg
