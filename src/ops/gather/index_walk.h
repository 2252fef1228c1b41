// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a kernel walks over the data of a gather or scatter: nested loops over runs of elements that lie side by side in
// the data and in the operand, with the operand's place of each run computed from the indices a block at a time.

#include <functional>

#include "device/kernel.h"
#include "ops/gather/index_axes.h"
#include "ops/gather/index_block.h"

namespace hearth {

struct IndexWalk {
  struct Axis {  // one loop; strides in elements
    int64_t size, operand, indices, data;
    bool own;  // different positions never touch the same element of the operand
  };
  struct Component {  // of an index
    int64_t last;     // largest start at which a slice fits
    int64_t operand, indices;
  };
  std::vector<Axis> axes;  // outermost first, at least one
  Axis run;                // operand = data = 1
  std::vector<Component> components;
  int64_t operand = 0, indices = 0, data = 0;  // where the walk begins
  bool clamp = true;

  int64_t runs() const;
  // Positions [begin, end) of axis i only; i = axes.size() means the run.
  IndexWalk part(size_t i, int64_t begin, int64_t end) const;
};

IndexWalk index_walk(const Dims& operand, const Dims& indices, const IndexAxes& axes, bool clamp);

// Calls body with parts of the walk, on the threads of the pool; with `own` only parts that never touch the same
// element of the operand, and returns false when the walk has none, having called nothing.
bool for_each_part(const IndexWalk& walk, bool own, const std::function<void(const IndexWalk&)>& body);

constexpr int64_t kIndexBlock = 256;
IndexFunctions index_functions(DType index, int64_t element);
// Sets offsets[j], the element of the operand where run j begins, -1 when it is dropped; for `count` runs along the
// innermost axis from places `operand` and `indices` on.
void set_offsets(const IndexWalk& walk, OffsetsFunction function, const TensorArg& indices, int64_t operand_at,
                 int64_t indices_at, int64_t count, int64_t* offsets);

// Calls body(data, operand, indices) with the places where the innermost axis begins, for all positions of the others.
template <class Body>
void for_each_line(const IndexWalk& walk, Body body) {
  const size_t outer = walk.axes.size() - 1;
  Dims at(outer, 0);
  int64_t lines = 1, operand = walk.operand, index = walk.indices, data = walk.data;
  for (size_t i = 0; i < outer; ++i) lines *= walk.axes[i].size;
  for (int64_t line = 0; line < lines; ++line) {
    body(data, operand, index);
    for (size_t i = outer; i-- > 0;) {
      const IndexWalk::Axis& axis = walk.axes[i];
      const int64_t step = ++at[i] < axis.size ? 1 : 1 - axis.size;
      operand += step * axis.operand, index += step * axis.indices, data += step * axis.data;
      if (step == 1) break;
      at[i] = 0;
    }
  }
}

// Calls body(data, offsets, count): runs at data, data + stride, ... where stride is that of the innermost axis.
template <class Body>
void for_each_block(const IndexWalk& walk, const TensorArg& indices, Body body) {
  const OffsetsFunction function = index_functions(indices.dtype(), 1).offsets;
  const IndexWalk::Axis& inner = walk.axes.back();
  int64_t offsets[kIndexBlock];
  for_each_line(walk, [&](int64_t data, int64_t operand, int64_t index) {
    for (int64_t j = 0; j < inner.size; j += kIndexBlock) {
      const int64_t count = inner.size - j < kIndexBlock ? inner.size - j : kIndexBlock;
      set_offsets(walk, function, indices, operand + j * inner.operand, index + j * inner.indices, count, offsets);
      body(data + j * inner.data, offsets, count);
    }
  });
}

}  // namespace hearth
