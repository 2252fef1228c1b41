// SPDX-License-Identifier: Apache-2.0
#pragma once
// Views: which element of which stored value an element of a reshaped, transposed, broadcast, sliced or reversed value
// is.

#include <optional>
#include <vector>

#include "compiler/passes.h"

namespace hearth {

// Element with row-major index i over `dims` lies at element offset + sum index_k * strides_k of `base`.
struct View {
  Value base;
  Dims dims, strides;
  int64_t offset = 0;
};

// Fewest axes that say the same: size-1 axes dropped, axes that continue each other joined.
View collapsed(View view);
// Same elements in the same order as the whole base, dense.
bool is_identity(const View& view);

// The view of a value through the view nodes that belong to row-program devices, down to a value that is none.
// A reshape of a view that strides cannot express ends there: is_copy() nodes are computed by copying.
class Views {
 public:
  Views(const Graph& graph, std::vector<bool> see_through);  // per node: a view or iota node of a row-program device
  const View& operator()(Value value) const { return views_[size_t(value.node)][size_t(value.output)]; }
  // A view node that must be computed after all, by a copy of its operand_view().
  bool is_copy(int32_t node) const { return copies_[size_t(node)].has_value(); }
  const View& copy_operand(int32_t node) const { return *copies_[size_t(node)]; }
  // An iota that is counted where it is read; one that another device made lies in memory like any value.
  bool is_counted(int32_t node) const { return counted_[size_t(node)]; }

 private:
  std::vector<std::vector<View>> views_;
  std::vector<std::optional<View>> copies_;
  std::vector<bool> counted_;
};

}  // namespace hearth
