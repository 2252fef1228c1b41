// SPDX-License-Identifier: Apache-2.0
#pragma once
// What gather and scatter share: how the axes of the operand, of the indices and of the slices that move between them
// (gather's result, scatter's updates: the "data") belong together. Both sides, graph and kernels, use it.

#include <string>

#include "base/attrs.h"
#include "base/shape.h"

namespace hearth {

struct IndexAxes {           // gather's attribute           scatter's
  Dims window;               // offset_dims                  update_window_dims
  Dims inserted;             // collapsed_slice_dims         inserted_window_dims
  Dims operand_batching;     // operand_batching_dims        input_batching_dims
  Dims indices_batching;     // start_indices_batching_dims  scatter_indices_batching_dims
  Dims index_map;            // start_index_map              scatter_dims_to_operand_dims
  int64_t index_vector = 0;  // index_vector_dim; the rank of the indices: each index is one number
  Dims sizes;                // slice_sizes                  of the updates' windows, 1 along inserted and batching axes
};

IndexAxes gather_axes(const Attrs& attrs);
// Axes that do not exist are left for index_problem to find.
IndexAxes scatter_axes(const Attrs& attrs, const Dims& operand, const Dims& updates);

// Every rule of the specification that ties the attributes to the operands: what is broken, in words, or nothing.
std::string index_problem(const Dims& operand, const Dims& indices, const IndexAxes& axes);
// Sizes of the data. Only after index_problem found none.
Dims data_dims(const Dims& indices, const IndexAxes& axes);

bool is_index_dtype(DType dtype);  // any integer
// What happens to a slice that lies partly or wholly outside: false for "drop" (gather gives zeros, scatter does
// nothing), true for "clamp" (it is moved inside). Error{value} for other words.
bool clamps(const Attrs& attrs);

// Whether operand axis `axis` goes through the data whole or by slices, not by batching and not as an inserted 1.
bool is_window_axis(const IndexAxes& axes, int64_t axis);
bool holds(const Dims& list, int64_t axis);

}  // namespace hearth
