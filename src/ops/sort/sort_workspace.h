// SPDX-License-Identifier: Apache-2.0
#pragma once
// Memory that the sort kernels need, known when a plan is made. Each of `slots` tasks at a time has buffers of its own.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "ops/along_axis/axis_view.h"

namespace hearth {

constexpr int64_t kMostSorted = UINT32_MAX;            // elements of a row: they are numbered in 32 bits
constexpr int64_t kSortWorkspace = int64_t(64) << 20;  // more than this only where one task needs it
constexpr int64_t kMostSortSlots = 64;

inline DType sort_index_dtype(int64_t n) { return n <= INT32_MAX ? DType::i32 : DType::i64; }

// A row's elements lie together when the axis is the last; else a task copies a block of columns, a cache line wide,
// to rows of its own. Buffers of a task: pairs of (key, number), twice; the order; the block's operands, and results.
struct SortLayout {
  AxisView view;
  int64_t columns = 1;  // of a task
  int64_t pitch = 0;    // elements from one copied row to the next: a line more, so that rows use different sets
  int64_t tasks = 0, slots = 0;
  int64_t items_bytes = 0, order_bytes = 0, block_bytes = 0;  // of one task; block: of all copied operands

  SortLayout(const std::vector<TensorType>& in, int64_t axis) : view(in[0].dims, axis) {
    const int64_t element = size_bytes(in[0].dtype);
    if (view.inner > 1) columns = std::min(view.inner, std::max<int64_t>(8, 64 / element));
    pitch = view.n + std::max<int64_t>(1, 64 / element);
    tasks = view.n == 0 ? 0 : view.outer * ((view.inner + columns - 1) / columns);
    items_bytes = align(view.n * 16);
    order_bytes = align(view.n * 4);
    if (view.inner > 1) {
      for (const TensorType& x : in) block_bytes += align(columns * pitch * size_bytes(x.dtype));
      block_bytes += align(columns * pitch * 8);  // numbers
    }
    slots = std::clamp<int64_t>(kSortWorkspace / std::max<int64_t>(1, task_bytes()), 1,
                                std::clamp<int64_t>(tasks, 1, kMostSortSlots));
  }
  int64_t task_bytes() const { return 2 * items_bytes + order_bytes + 2 * block_bytes; }
  static int64_t align(int64_t bytes) { return (bytes + 63) / 64 * 64; }
};

inline int64_t sort_workspace(const std::vector<TensorType>& in, int64_t axis) {
  const SortLayout layout(in, axis);
  return layout.slots * layout.task_bytes();
}

}  // namespace hearth
