// SPDX-License-Identifier: Apache-2.0
#pragma once
// An operand ready for tiles: adjacent dims that lie in memory as one are merged, so that most operands end up with
// one.

#include <algorithm>
#include <cstdint>

#include "ops/row_program/row_program_table.h"

namespace hearth {

struct RowView {
  int rank = 0;  // at least 1 once made
  int64_t dims[kMaxRowDims], strides[kMaxRowDims];
  int64_t offset = 0;

  explicit RowView(const RowOperand& operand) : offset(operand.offset) {
    for (size_t d = 0; d < operand.dims.size(); ++d) {
      const int64_t dim = operand.dims[d], stride = operand.strides[d];
      if (dim == 1) continue;
      if (rank > 0 && strides[rank - 1] == stride * dim) {
        dims[rank - 1] *= dim;
        strides[rank - 1] = stride;
      } else {
        dims[rank] = dim;
        strides[rank++] = stride;
      }
    }
    if (rank == 0) {
      dims[rank] = 1;
      strides[rank++] = 0;
    }
  }

  bool contiguous() const { return rank == 1 && (strides[0] == 1 || dims[0] == 1); }
  bool one_element() const { return rank == 1 && strides[0] == 0; }
  bool same_as(const RowView& other) const {
    return rank == other.rank && offset == other.offset && std::equal(dims, dims + rank, other.dims) &&
           std::equal(strides, strides + rank, other.strides);
  }
  // Of full operands: whether element (row, column) lies at offset + row * row_stride + column * column_stride.
  bool as_rows(int64_t rows, int64_t width, int64_t* row_stride, int64_t* column_stride) const {
    if (rank == 2 && dims[0] == rows && dims[1] == width) {
      *row_stride = strides[0], *column_stride = strides[1];
      return true;
    }
    if (rank > 1) return false;
    *row_stride = width == 1 ? strides[0] : strides[0] * width;
    *column_stride = width == 1 && rows > 1 && strides[0] != 0 ? 1 : strides[0];
    return true;
  }
  // Of full operands: whether (o, w, i) of [outer, width, inner] lies at offset + o * strides[0] + w * strides[1] +
  // i * strides[2]. The forms that views of whole axes have; others are loaded element by element.
  bool as_grid(int64_t outer, int64_t width, int64_t inner, int64_t* to) const {
    if (rank == 1) return put_grid(to, strides[0] * inner * width, strides[0] * inner, strides[0]);
    if (rank == 2 && dims[0] == outer * width && dims[1] == inner)
      return put_grid(to, strides[0] * width, strides[0], strides[1]);
    if (rank == 2 && dims[0] == outer && dims[1] == width * inner)
      return put_grid(to, strides[0], strides[1] * inner, strides[1]);
    if (rank == 3 && dims[0] == outer && dims[1] == width && dims[2] == inner)
      return put_grid(to, strides[0], strides[1], strides[2]);
    return false;
  }
  static bool put_grid(int64_t* to, int64_t outer, int64_t middle, int64_t inner) {
    to[0] = outer, to[1] = middle, to[2] = inner;
    return true;
  }
  // Of full operands: all rows read the same; all elements of a row read the same.
  bool same_rows(int64_t rows, int64_t width) const {
    return rows > 1 && width > 0 && rank > 1 && strides[0] == 0 && dims[0] % rows == 0;
  }
  bool same_in_row(int64_t width) const { return strides[rank - 1] == 0 && dims[rank - 1] % width == 0; }
};

// Cuts elements [first, first + count) of a view into blocks of memory: body(position, elements before the block,
// block).
template <class Body>
void for_blocks(const RowView& view, int64_t first, int64_t count, Body&& body) {
  if (count == 0) return;
  const int last = view.rank - 1;
  const int64_t inner = view.dims[last], inner_stride = view.strides[last];
  if (last == 0) {
    body(view.offset + first * inner_stride, int64_t(0), RowBlock{1, count, 0, inner_stride});
    return;
  }
  int64_t index[kMaxRowDims];
  int64_t rest = first, position = view.offset;
  for (int d = last; d >= 0; --d) {
    index[d] = rest % view.dims[d];
    rest /= view.dims[d];
    position += index[d] * view.strides[d];
  }
  const int64_t outer_stride = view.strides[last - 1];
  for (int64_t done = 0; done < count;) {
    // What is left of an inner run; or whole runs up to the end of the next dim; or, where that is a whole one too, as
    // many of those as the dim before it has.
    RowBlock block{1, std::min(inner - index[last], count - done), outer_stride, inner_stride};
    int level = last;
    if (index[last] == 0 && count - done >= inner) {
      level = last - 1;
      block.inner = inner;
      block.outer = std::min(view.dims[level] - index[level], (count - done) / inner);
    }
    if (level > 0 && index[level] == 0 && block.outer == view.dims[level] && level < last) {
      --level;
      block.repeat = std::min(view.dims[level] - index[level], (count - done) / (inner * block.outer));
      block.repeat_stride = view.strides[level];
    }
    body(position, done, block);
    done += block.repeat * block.outer * block.inner;
    if (done >= count) return;
    const int64_t steps = level == last ? block.inner : level == last - 1 ? block.outer : block.repeat;
    position += steps * view.strides[level];
    index[level] += steps;
    for (int d = level; d > 0 && index[d] == view.dims[d]; --d) {
      position += view.strides[d - 1] - view.dims[d] * view.strides[d];
      index[d] = 0;
      ++index[d - 1];
    }
  }
}

}  // namespace hearth
