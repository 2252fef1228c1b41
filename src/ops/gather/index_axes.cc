// SPDX-License-Identifier: Apache-2.0
#include "ops/gather/index_axes.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {

bool holds(const Dims& list, int64_t axis) { return std::find(list.begin(), list.end(), axis) != list.end(); }

bool is_index_dtype(DType dtype) { return is_int(dtype); }

bool clamps(const Attrs& attrs) {
  const std::string& mode = attrs.text("out_of_range");
  HEARTH_CHECK(mode == "clamp" || mode == "drop", value, "out_of_range is '", mode, "'; there are clamp and drop");
  return mode == "clamp";
}

IndexAxes gather_axes(const Attrs& attrs) {
  return {.window = attrs.list("offset_dims"),
          .inserted = attrs.list("collapsed_slice_dims"),
          .operand_batching = attrs.list("operand_batching_dims"),
          .indices_batching = attrs.list("start_indices_batching_dims"),
          .index_map = attrs.list("start_index_map"),
          .index_vector = attrs.integer("index_vector_dim"),
          .sizes = attrs.list("slice_sizes")};
}

bool is_window_axis(const IndexAxes& axes, int64_t axis) {
  return !holds(axes.inserted, axis) && !holds(axes.operand_batching, axis);
}

IndexAxes scatter_axes(const Attrs& attrs, const Dims& operand, const Dims& updates) {
  IndexAxes axes{.window = attrs.list("update_window_dims"),
                 .inserted = attrs.list("inserted_window_dims"),
                 .operand_batching = attrs.list("input_batching_dims"),
                 .indices_batching = attrs.list("scatter_indices_batching_dims"),
                 .index_map = attrs.list("scatter_dims_to_operand_dims"),
                 .index_vector = attrs.integer("index_vector_dim"),
                 .sizes = operand};
  for (int64_t& size : axes.sizes) size = std::min<int64_t>(size, 1);  // nothing fits in an empty axis
  size_t next = 0;
  for (size_t i = 0; i < operand.size(); ++i) {
    if (!is_window_axis(axes, int64_t(i)) || next == axes.window.size()) continue;
    const int64_t axis = axes.window[next++];
    if (axis >= 0 && axis < int64_t(updates.size())) axes.sizes[i] = updates[size_t(axis)];
  }
  return axes;
}

namespace {

bool all_inside(const Dims& list, int64_t rank) {
  return std::all_of(list.begin(), list.end(), [&](int64_t axis) { return axis >= 0 && axis < rank; });
}
bool rises(const Dims& list) {
  return std::adjacent_find(list.begin(), list.end(), [](int64_t a, int64_t b) { return a >= b; }) == list.end();
}
bool disjoint_and_unique(Dims a, const Dims& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  return std::adjacent_find(a.begin(), a.end()) == a.end();
}
int64_t data_rank(const Dims& indices, const IndexAxes& axes) {
  const bool implicit = axes.index_vector == int64_t(indices.size());
  return int64_t(indices.size()) - (implicit ? 0 : 1) + int64_t(axes.window.size());
}

std::string operand_problem(const Dims& operand, const IndexAxes& axes) {
  const int64_t rank = int64_t(operand.size());
  if (!all_inside(axes.inserted, rank) || !rises(axes.inserted))
    return cat("collapsed axes ", ShowDims{axes.inserted}, " must rise and exist in the operand");
  if (!all_inside(axes.operand_batching, rank) || !disjoint_and_unique(axes.operand_batching, axes.inserted))
    return cat("operand batching axes ", ShowDims{axes.operand_batching},
               " must exist in the operand, stand once and not be collapsed");
  if (rank != int64_t(axes.window.size() + axes.inserted.size() + axes.operand_batching.size()))
    return cat("the operand has ", rank, " axes, but ", axes.window.size(), " window, ", axes.inserted.size(),
               " collapsed and ", axes.operand_batching.size(), " batching axes are named");
  if (!all_inside(axes.index_map, rank) || !disjoint_and_unique(axes.index_map, axes.operand_batching))
    return cat("index map ", ShowDims{axes.index_map}, " must name axes of the operand, once, and none for batching");
  if (int64_t(axes.sizes.size()) != rank) return cat("slice sizes ", ShowDims{axes.sizes}, " need one number an axis");
  for (int64_t i = 0; i < rank; ++i) {
    const int64_t size = axes.sizes[size_t(i)], whole = operand[size_t(i)];
    if (size < 0 || size > whole) return cat("slice size ", size, " of axis ", i, " does not fit in ", whole);
    if (size > 1 && !is_window_axis(axes, i))
      return cat("slice size ", size, " of axis ", i, " must be 1: the axis is collapsed or batching");
  }
  return "";
}

std::string indices_problem(const Dims& operand, const Dims& indices, const IndexAxes& axes) {
  const int64_t rank = int64_t(indices.size());
  if (axes.index_vector < 0 || axes.index_vector > rank)
    return cat("index_vector_dim ", axes.index_vector, " must lie in 0..", rank);
  const int64_t components = axes.index_vector == rank ? 1 : indices[size_t(axes.index_vector)];
  if (components != int64_t(axes.index_map.size()))
    return cat("each index has ", components, " numbers, the index map ", ShowDims{axes.index_map}, " has ",
               axes.index_map.size());
  if (!all_inside(axes.indices_batching, rank) || !disjoint_and_unique(axes.indices_batching, {axes.index_vector}))
    return cat("indices batching axes ", ShowDims{axes.indices_batching},
               " must exist in the indices, stand once and not be index_vector_dim");
  if (axes.indices_batching.size() != axes.operand_batching.size())
    return cat(axes.operand_batching.size(), " batching axes of the operand, ", axes.indices_batching.size(),
               " of the indices");
  for (size_t i = 0; i < axes.indices_batching.size(); ++i) {
    const int64_t a = operand[size_t(axes.operand_batching[i])], b = indices[size_t(axes.indices_batching[i])];
    if (a != b)
      return cat("sizes of batching axes differ: ", a, " of operand axis ", axes.operand_batching[i], ", ", b,
                 " of indices axis ", axes.indices_batching[i]);
  }
  return "";
}

}  // namespace

std::string index_problem(const Dims& operand, const Dims& indices, const IndexAxes& axes) {
  std::string problem = operand_problem(operand, axes);
  if (problem.empty()) problem = indices_problem(operand, indices, axes);
  if (problem.empty() && (!all_inside(axes.window, data_rank(indices, axes)) || !rises(axes.window)))
    problem = cat("window axes ", ShowDims{axes.window}, " must rise and lie below ", data_rank(indices, axes));
  return problem;
}

Dims data_dims(const Dims& indices, const IndexAxes& axes) {
  Dims batch, window, dims;
  for (int64_t i = 0; i < int64_t(indices.size()); ++i)
    if (i != axes.index_vector) batch.push_back(indices[size_t(i)]);
  for (int64_t i = 0; i < int64_t(axes.sizes.size()); ++i)
    if (is_window_axis(axes, i)) window.push_back(axes.sizes[size_t(i)]);
  size_t next_batch = 0, next_window = 0;
  for (int64_t i = 0; i < data_rank(indices, axes); ++i)
    dims.push_back(holds(axes.window, i) ? window[next_window++] : batch[next_batch++]);
  return dims;
}

}  // namespace hearth
