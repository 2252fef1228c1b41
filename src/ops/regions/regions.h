// SPDX-License-Identifier: Apache-2.0
#pragma once
// StableHLO's operations whose region is any function of scalars. A region that the fast operations know (a sum, a
// maximum, "less than" ...) becomes that operation; others are done by element-wise steps on whole arrays, so they have
// derivatives and batches of their own. Functions given here are called once, on scalars, to write a body; values of
// the surrounding graph that they use are captured.
// Throw Error{value}, {shape} or {dtype} when a body does not take or give what the operation needs.
// Source: openxla.org/stablehlo/spec.

#include <functional>
#include <string>

#include "ir/graph.h"
#include "ops/scatter/scatter.h"
#include "ops/window/window.h"

namespace hearth {

using Region = std::function<Values(const Values&)>;
using PairRegion = std::function<Values(const Values& a, const Values& b)>;  // one of each operand in a, and in b
using Comparator = std::function<Value(const Values& a, const Values& b)>;   // to bool: a stands before b

// f of each element of arrays of one shape. ("map" goes along rows: ops/control/control.h)
Values map_elements(const Region& f, const Values& xs);

// All xs, of one shape, over axes. f must be associative; it sees elements in row-major order and each init once, as a.
// Cost: ceil(log2(n)) steps along an axis of n, together about twice the elements.
Values reduce_with_body(const Values& xs, const Values& inits, const Dims& axes, const PairRegion& f);

// Windows as reduce_window's; places outside x and between dilated elements hold the init, and each window begins with
// it. Cost: one step an element of the window, or 2 log2(size) over all of x where that is less.
Values reduce_window_with_body(const Values& xs, const Values& inits, const WindowDims& window, const PairRegion& f);

// In each window of x the element that `select` keeps against the others gets the window's source, by `scatter` on
// init. select(a, b): whether a is kept; must order the elements.
struct SelectAndScatter {
  WindowDims window;
  std::function<Value(const Value&a, const Value&b)> select, scatter;
};
Value select_and_scatter_with_body(const Value& x, const Value& source, const Value& init, const SelectAndScatter& how);

// Stable. Comparators that compare one function of a with the same of b, or chains of such as keys, cost a sort by
// these keys; others O(log2(n)^2) steps over the array.
Values sort_with_body(const Values& xs, int64_t axis, const Comparator& before);

// operands[k] at each index becomes f(operands, updates)[k], update after update in row-major order. Regions that no
// kind of scatter knows are done one index after the other, or all at once with unique_indices.
// options.kind is not read.
struct ScatterWithBody {
  ScatterDims dims;
  ScatterOptions options = {};
  PairRegion f;
};
Values scatter_with_body(const Values& operands, const Value& indices, const Values& updates,
                         const ScatterWithBody& how);

// f under a name, for devices and readers that know it: runs the kernel "composite.NAME" where one is registered
// (device/register_kernel.h), otherwise f. attrs are the kernel's; derivatives are f's.
struct CompositeOptions {
  std::string name;
  int64_t version = 0;
  Attrs attrs = {};
};
Values composite(const CompositeOptions& options, const Region& f, const Values& in);

// Runs the kernel registered as `target` (device/register_kernel.h) with these attributes. No derivative:
// Error{unsupported}. Calls are never merged; one whose results nobody needs is not made. Error{value} at the call when
// there is no such kernel.
struct CustomCall {
  std::string target;
  std::vector<TensorType> results;
  Attrs attrs = {};
};
Values custom_call(Graph& graph, const CustomCall& call, const Values& in);

}  // namespace hearth
