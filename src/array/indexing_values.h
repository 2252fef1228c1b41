// SPDX-License-Identifier: Apache-2.0
#pragma once
// Index plans on values of the graph: reading x at a plan, and x with values written at a plan. For indexing*.cc and
// indexed_update*.cc, which hold array_mutex().

#include "array/indexing_plan.h"
#include "ir/graph.h"

namespace hearth {

struct ReadOptions {
  IndexMode mode = IndexMode::clip;
  Value fill = {};         // scalar of x's dtype; only of mode drop and fill
  bool evaluated = false;  // x lies in memory: small pieces are taken at run-time places, so that loops reuse a plan
};
// x[n0,n1...] -> plan.result. `arrays`: plan.arrays as values.
Value read_at(const Value& x, const IndexPlan& plan, const Values& arrays, const ReadOptions& options);

enum class Update { set, add, subtract, multiply, divide, power, min, max };
const char* name_of(Update update);
// Error{dtype} when the update has no meaning for x's dtype.
void check_update(const std::string& op, Update update, const Array& x);
// a (update) b, element by element.
Value updated(Update update, const Value& a, const Value& b);

// x with `values`, of shape plan.result and x's dtype, combined with what is there.
Value write_at(const Value& x, const IndexPlan& plan, const Values& arrays, const Value& values, Update update,
               IndexMode mode, bool unique);

// What JAX fills with: NaN, the lowest signed, the highest unsigned number, true.
Value usual_fill(Graph& graph, DType dtype);

}  // namespace hearth
