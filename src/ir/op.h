// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an operation says of itself. Each operation's folder in ops/ makes its OpInfo; ops/ops.def lists the folders.

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "plan/row_program.h"

namespace hearth {

// Inputs of a shape rule.
struct InferArgs {
  const std::string& op;
  const std::vector<Value>& in;
  const Attrs& attrs;
  const Graph::Bodies& bodies;
};

// Derivative of one node: given the node's inputs, outputs and the cotangents of its outputs, gives those of its
// inputs.
struct VjpArgs {
  Graph& graph;
  const Attrs& attrs;
  std::vector<Value> in;
  std::vector<Value> out;
  std::vector<Value> cotangent;    // of each output; invalid where nothing depends on it
  std::vector<bool> wanted;        // per input
  std::vector<Value> grad;         // to fill: per wanted input; left invalid means zero
  bool use_decomposition = false;  // to set when the rule does not cover this case: differentiate the decomposition
  const Graph::Bodies& bodies = kNoBodies;
  static inline const Graph::Bodies kNoBodies = {};
};

// Forward derivative of one node: tangents of its inputs in, those of its outputs out.
struct JvpArgs {
  Graph& graph;
  const Node& node;
  std::vector<Value> in;
  std::vector<Value> out;
  std::vector<Value> tangent;      // of each input; invalid means zero
  std::vector<Value> out_tangent;  // to fill, one per output; left invalid means zero
};

// One node for a whole batch: what the operation does to each of `size` examples, done to all at once. A batched input
// has the batch as its first axis; the others are the same for all examples.
struct BatchArgs {
  Graph& graph;
  const Node& node;  // of one example; its inputs' types are those without the batch axis
  std::vector<Value> in;
  std::vector<bool> batched;  // per input; at least one is
  int64_t size;
  std::vector<Value> out = {};         // to fill
  std::vector<bool> out_batched = {};  // per output; left empty: all are

  // Input i with the batch axis, repeated along it when it had none.
  Value with_batch(size_t i) const;
};

// How an operation enters a row program (plan/row_program.h).
enum class RowKind {
  none,         // never
  elementwise,  // row_op gives the instruction
  reduce,
  view,  // reads its input through other strides, costs nothing: broadcast_in_dim, reshape, transpose, slice, reverse
  constant,  // a splat or iota: no memory at all
};

// The instructions of one node: `before` on its first input, then `op`, then those `after` on its result, up to the
// first none. An op of none: there are no instructions for this node's dtypes.
struct RowRecipe {
  RowOp op = RowOp::none, before = RowOp::none;
  RowOp after[2] = {RowOp::none, RowOp::none};

  RowRecipe(RowOp op) : op(op) {}  // most have one
  RowRecipe(RowOp before, RowOp op, RowOp then, RowOp last = RowOp::none) : op(op), before(before), after{then, last} {}
};

// A device's kernel for this operation, and the dry run that tells whether it takes a given node.
struct Offer {
  std::string device;  // "cpu"
  std::string kernel;  // name in the kernel registry
  std::function<std::string(const Graph&, const Node&)>
      refuse;  // the reason why not; empty when taken. Null: always taken
  std::function<int64_t(const Node&)> workspace_bytes = nullptr;
};

using NodeRewrite = std::function<std::vector<Value>(Graph&, const Node&, const std::vector<Value>& in)>;

struct OpInfo {
  std::string name;
  std::string doc;  // one line for the table of operations
  std::function<std::vector<TensorType>(const InferArgs&)> infer;
  std::function<void(VjpArgs&)> vjp = nullptr;  // null: by the decomposition; neither: not differentiable
  std::function<std::vector<Value>(Graph&, const std::vector<Value>& in, const Attrs&)> decompose =
      nullptr;                           // composites
  NodeRewrite decompose_node = nullptr;  // instead of decompose, for composites with bodies
  // A primitive in terms of others, for nodes that the preferred device has no kernel for (complex numbers as pairs of
  // real ones). Gives no values for nodes it does not apply to.
  NodeRewrite expand = nullptr;
  std::function<void(JvpArgs&)> jvp = nullptr;      // null: by the transpose of vjp
  std::function<void(BatchArgs&)> batch = nullptr;  // null: element-wise ones and composites by what they are, others
                                                    // one example after the other
  RowKind row_kind = RowKind::none;
  std::function<RowRecipe(const Node&)> row_op = nullptr;
  std::vector<Offer> offers = {};
  bool pure = true;              // equal nodes may be merged
  std::string subsumed_by = {};  // an operation whose first outputs, for the same inputs and attributes, are this one's
  int in_place_input = -1;       // output i may take the memory of input in_place_input + i
  bool differentiable = true;    // false: gradients do not flow (compare, iota, integer results)

  bool is_composite() const { return decompose || decompose_node; }
  std::vector<Value> decomposed(Graph& graph, const Node& node, const std::vector<Value>& in) const {
    return decompose ? decompose(graph, in, node.attrs) : decompose_node(graph, node, in);
  }
};

const OpInfo& find_op(const std::string& name);  // Error{bug} when there is none
const std::deque<OpInfo>& all_ops();

// An operation of a program of its own, beside those of ops.def: find_op, graphs, transforms and the compiler treat it
// alike. Its kernels are registered with register_kernel (device/register_kernel.h), in a file that needs the runtime
// only, so that programs which run a saved plan can link that file alone. Call it before other threads make graphs.
// Error{value} when it has no name or shape rule, or the name is taken.
void register_op(OpInfo op);

}  // namespace hearth
