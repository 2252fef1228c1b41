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
    // Whole inner runs up to the end of the next dim, or what is left of one.
    RowBlock block{1, std::min(inner - index[last], count - done), outer_stride, inner_stride};
    if (index[last] == 0 && count - done >= inner) {
      block = {std::min(view.dims[last - 1] - index[last - 1], (count - done) / inner), inner, outer_stride,
               inner_stride};
    }
    body(position, done, block);
    done += block.outer * block.inner;
    if (done >= count) return;
    // The block ended at the end of an inner run.
    position += block.outer * outer_stride - index[last] * inner_stride;
    index[last] = 0;
    index[last - 1] += block.outer;
    for (int d = last - 1; d > 0 && index[d] == view.dims[d]; --d) {
      position += view.strides[d - 1] - view.dims[d] * view.strides[d];
      index[d] = 0;
      ++index[d - 1];
    }
  }
}

}  // namespace hearth
