// SPDX-License-Identifier: Apache-2.0
#pragma once
// gather and scatter written out in f64 on whole tensors, for the tests of both.

#include <algorithm>

#include "ops/gather/gather.h"
#include "ops/op_test.h"
#include "ops/scatter/scatter.h"

namespace hearth {

inline bool lists(const Dims& list, int64_t axis) { return std::find(list.begin(), list.end(), axis) != list.end(); }

// The operand's index of data element `at`, or nothing where the slice is dropped.
inline std::optional<Dims> operand_place(const Dims& operand, const Reals& indices, const GatherDims& d,
                                         const Dims& sizes, bool clamp, const Dims& at) {
  Dims batch, place(operand.size(), 0);
  std::vector<int64_t> window;
  for (size_t i = 0; i < at.size(); ++i) (lists(d.offset_dims, int64_t(i)) ? window : batch).push_back(at[i]);
  const auto component = [&](size_t k) {
    Dims index = batch;
    if (d.index_vector_dim < int64_t(indices.dims.size())) index.insert(index.begin() + d.index_vector_dim, int64_t(k));
    return indices(index);
  };
  for (size_t k = 0; k < d.start_index_map.size(); ++k) {
    const size_t axis = size_t(d.start_index_map[k]);
    const double last = double(operand[axis] - sizes[axis]), start = component(k);
    if (!clamp && (start < 0 || start > last)) return {};
    place[axis] = int64_t(std::clamp(start, 0.0, last));
  }
  for (size_t k = 0; k < d.operand_batching_dims.size(); ++k) {
    int64_t axis = d.start_indices_batching_dims[k];
    if (axis > d.index_vector_dim) --axis;
    place[size_t(d.operand_batching_dims[k])] = batch[size_t(axis)];
  }
  size_t next = 0;
  for (size_t i = 0; i < operand.size(); ++i)
    if (!lists(d.collapsed_slice_dims, int64_t(i)) && !lists(d.operand_batching_dims, int64_t(i)))
      place[i] += window[next++];
  return place;
}

inline Reals gathered(const Reals& operand, const Reals& indices, const GatherDims& d, const Dims& sizes,
                      const Dims& result, bool clamp = true) {
  Reals y(result);
  for_each_index(result, [&](const Dims& at, int64_t i) {
    const std::optional<Dims> place = operand_place(operand.dims, indices, d, sizes, clamp, at);
    y[i] = place && !operand.at.empty() ? operand(*place) : 0;
  });
  return y;
}

inline GatherDims as_gather(const ScatterDims& d) {
  return {.offset_dims = d.update_window_dims,
          .collapsed_slice_dims = d.inserted_window_dims,
          .operand_batching_dims = d.input_batching_dims,
          .start_indices_batching_dims = d.scatter_indices_batching_dims,
          .start_index_map = d.scatter_dims_to_operand_dims,
          .index_vector_dim = d.index_vector_dim};
}

inline Reals scattered(Reals operand, const Reals& indices, const Reals& updates, const ScatterDims& d,
                       const ScatterOptions& options) {
  Dims sizes(operand.dims.size(), 1);
  size_t next = 0;
  for (size_t i = 0; i < sizes.size(); ++i)
    if (!lists(d.inserted_window_dims, int64_t(i)) && !lists(d.input_batching_dims, int64_t(i)))
      sizes[i] = updates.dim(d.update_window_dims[next++]);
  for_each_index(updates.dims, [&](const Dims& at, int64_t i) {
    const bool clamp = options.out_of_range == OutOfRange::clamp;
    const std::optional<Dims> place = operand_place(operand.dims, indices, as_gather(d), sizes, clamp, at);
    if (!place || operand.at.empty()) return;
    double& x = operand(*place);
    const double u = updates[i];
    if (options.kind == "set") x = u;
    if (options.kind == "add") x += u;
    if (options.kind == "multiply") x *= u;
    if (options.kind == "minimum") x = std::isnan(x) ? x : std::isnan(u) ? u : std::min(x, u);
    if (options.kind == "maximum") x = std::isnan(x) ? x : std::isnan(u) ? u : std::max(x, u);
    if (options.kind == "and") x = double(int64_t(x) & int64_t(u));
    if (options.kind == "or") x = double(int64_t(x) | int64_t(u));
  });
  return operand;
}

}  // namespace hearth
