// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fusion: runs of element-wise operations and row reductions become groups, each one row program.

#include "compiler/view.h"

namespace hearth {

enum class Role { full, row };  // one element per element of the group, or one per row

struct Member {
  int32_t node;
  Role role;
};

// Iteration: `elements` in row-major order; with reductions they are rows of `width`.
struct Group {
  std::vector<Member> members;  // in graph order
  int64_t elements = 0;
  int64_t width = -1;      // -1 while no reduction fixed it
  int64_t inner = 1;       // rows that interleave (RowProgram)
  int64_t empty_rows = 0;  // their number where width is 0
  int64_t rows() const { return width < 0 ? 1 : width == 0 ? empty_rows : elements / width; }
};

// How a consumer reads an input: the view of it (for a reduction with the reduced axes moved together, to the last of
// them).
View operand_view(const Graph& graph, const Views& views, int32_t node, size_t input);

struct Fusion {
  std::vector<Group> groups;
  std::vector<int32_t> group_of;  // per node; -1: not in a group
};

// `compute`: the nodes that belong to row programs and are needed. `reads`: per node the inputs that it really reads
// (the lowering may read a matmul operand through a conversion), as values.
Fusion fuse(const Graph& graph, const Views& views, const std::vector<bool>& compute,
            const std::vector<std::vector<Value>>& reads);

// A cheap element-wise expression of one stored value: rather computed again by each reader than stored.
struct Recomputable {
  Value leaf;                  // the stored value
  std::vector<int32_t> nodes;  // of the expression, the value's own among them
};
std::optional<Recomputable> recomputable(const Graph& graph, const Views& views, const std::vector<bool>& compute,
                                         Value value);

}  // namespace hearth
