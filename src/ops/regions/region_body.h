// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the rules of the operations with regions share: checks of bodies, the few bodies that are known, and bodies of
// scalars done to arrays.

#include <functional>
#include <optional>
#include <string>

#include "ir/op.h"
#include "ops/scatter/scatter.h"
#include "ops/window/window_axes.h"

namespace hearth {

using Types = std::vector<TensorType>;

Types scalars_of(const Values& values);  // of their dtypes
inline Values part(const Values& list, size_t first, size_t count) {
  return Values(list.begin() + long(first), list.begin() + long(first + count));
}
inline Values part(const Values& list, size_t first) { return part(list, first, list.size() - first); }
inline void append(Values& to, const Values& more) { to.insert(to.end(), more.begin(), more.end()); }

// Body `which` takes `own` scalars and then what it captures, the `captured` of the node; and gives `gives`.
struct BodyContract {
  size_t which = 0;
  const char* what = "the body";
  Types own = {}, gives = {};
  Values captured = {};
};
void check_body(const InferArgs& args, const BodyContract& contract);
size_t operand_count(const InferArgs& args);  // attribute operands; Error{bug} unless 1 <= it and all inputs are there
void check_same_sizes(const InferArgs& args, size_t count);

// The operation that gives output `out` of inputs a and b of the body, in either order, when it is one of add multiply
// maximum minimum and or; "set" when the output is input b; else nothing.
std::string known_body(const Graph& body, size_t out, size_t a, size_t b);
// The kind of ops/reduce and ops/window of it; empty where there is none for the dtype.
std::string reduce_kind(const std::string& known, DType dtype);
// The kinds of a body of 2n scalars whose n outputs are each known of their own operands; empty when one is not.
std::vector<std::string> reduce_kinds(const Graph& body, size_t n);
std::optional<double> constant_of(const Node& node);  // the real number that all its elements are
bool is_total_order(const Node& compare);
bool is_neutral(const Value& init, const std::string& kind);  // a constant that changes nothing; false when not sure

// The body done to each element of arrays that all have the same sizes.
Values apply_body(Graph& graph, const Graph& body, Values arrays, const Values& captured);

// One of each operand in a and in b, as arrays.
using Combine = std::function<Values(const Values& a, const Values& b)>;
Combine combine_of(Graph& graph, const Graph& body, const Values& captured);
Values stretched(const Values& scalars, const Dims& dims);

// xs over axis, which goes, in order; it has at least one element.
Values combine_along(const Combine& f, Values xs, int64_t axis);
// The windows of xs, which are padded with the scalars `fills`; without them where a window is all padding or there is
// none at all.
Values combine_windows(const Combine& f, Values xs, const Values& fills, const WindowAxes& window);

Attrs scatter_body_attrs(const ScatterDims& dims, const ScatterOptions& options, size_t operands);

Types infer_map(const InferArgs& args);
Values decompose_map(Graph& graph, const Node& node, const Values& in);
Types infer_reduce_with_body(const InferArgs& args);
Values decompose_reduce_with_body(Graph& graph, const Node& node, const Values& in);
Types infer_window_with_body(const InferArgs& args);
Values decompose_window_with_body(Graph& graph, const Node& node, const Values& in);
Types infer_select_and_scatter_with_body(const InferArgs& args);
Values decompose_select_and_scatter_with_body(Graph& graph, const Node& node, const Values& in);
Types infer_sort_with_body(const InferArgs& args);
Values decompose_sort_with_body(Graph& graph, const Node& node, const Values& in);
Types infer_scatter_with_body(const InferArgs& args);
Values decompose_scatter_with_body(Graph& graph, const Node& node, const Values& in);
OpInfo composite_op();
OpInfo custom_call_op();

}  // namespace hearth
