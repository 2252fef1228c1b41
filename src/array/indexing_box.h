// SPDX-License-Identifier: Apache-2.0
#pragma once
// Boxes: the part of an array that slices and integers select, one start, step and size an axis; integers have size 1.
// For indexing_values.cc.

#include "array/indexing_plan.h"
#include "ir/graph.h"

namespace hearth {

struct Box {
  std::vector<IndexPlan::Axis> axes;

  Dims sizes() const;
  bool is_whole() const;
  bool is_contiguous() const;  // every step is 1
};

// Whether what is recorded now is computed soon and thrown away, so that numbers in memory let plans be used again.
bool numbers_lie_in_memory();
// A number of the graph: a constant, or one in memory.
Value index_number(Graph& graph, int64_t number, DType dtype);

// -> box.sizes(). `evaluated`: of ReadOptions.
Value read_box(const Value& x, const Box& box, bool evaluated);
// x with `values`, of box.sizes(), in the box. A contiguous box is written in place where nobody else needs x.
Value write_box(const Value& x, const Box& box, const Value& values);

}  // namespace hearth
