// SPDX-License-Identifier: Apache-2.0
#include "ops/scatter/scatter.h"

#include "base/error.h"
#include "ir/op.h"
#include "ops/gather/index_axes.h"
#include "ops/scatter/scatter_kind.h"
#include "ops/scatter/scatter_rules.h"

namespace hearth {

Value scatter(const Value& operand, const Value& indices, const Value& updates, const ScatterDims& dims,
              const ScatterOptions& options) {
  return operand.graph->add(
      "scatter", {operand, indices, updates},
      {{"update_window_dims", dims.update_window_dims},
       {"inserted_window_dims", dims.inserted_window_dims},
       {"input_batching_dims", dims.input_batching_dims},
       {"scatter_indices_batching_dims", dims.scatter_indices_batching_dims},
       {"scatter_dims_to_operand_dims", dims.scatter_dims_to_operand_dims},
       {"index_vector_dim", dims.index_vector_dim},
       {"kind", options.kind},
       {"indices_are_sorted", int64_t(options.indices_are_sorted)},
       {"unique_indices", int64_t(options.unique_indices)},
       {"out_of_range", std::string(options.out_of_range == OutOfRange::clamp ? "clamp" : "drop")}});
}

ScatterDims scatter_dims(const Attrs& attrs) {
  return {.update_window_dims = attrs.list("update_window_dims"),
          .inserted_window_dims = attrs.list("inserted_window_dims"),
          .input_batching_dims = attrs.list("input_batching_dims"),
          .scatter_indices_batching_dims = attrs.list("scatter_indices_batching_dims"),
          .scatter_dims_to_operand_dims = attrs.list("scatter_dims_to_operand_dims"),
          .index_vector_dim = attrs.integer("index_vector_dim")};
}

ScatterOptions scatter_options(const Attrs& attrs) {
  return {.kind = attrs.text("kind"),
          .out_of_range = clamps(attrs) ? OutOfRange::clamp : OutOfRange::drop,
          .indices_are_sorted = attrs.integer("indices_are_sorted") != 0,
          .unique_indices = attrs.integer("unique_indices") != 0};
}

static std::string operands_text(const InferArgs& args) {
  return cat("\n  operand is ", args.in[0], "\n  scatter_indices is ", args.in[1], "\n  updates is ", args.in[2]);
}

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value &operand = args.in[0], &indices = args.in[1], &updates = args.in[2];
  const std::string& kind = args.attrs.text("kind");
  const std::optional<ScatterKind> known = scatter_kind(kind);
  HEARTH_CHECK(known, value, "scatter: unknown kind '", kind, "'; there are set add multiply minimum maximum and or");
  HEARTH_CHECK(takes(*known, operand.dtype()), dtype, "scatter ", kind, ": has no meaning for ", operand.dtype(),
               operands_text(args));
  HEARTH_CHECK(is_index_dtype(indices.dtype()), dtype, "scatter ", kind, ": indices must be integers",
               operands_text(args));
  HEARTH_CHECK(updates.dtype() == operand.dtype(), dtype, "scatter ", kind, ": dtypes differ: ", operand.dtype(),
               " != ", updates.dtype(), operands_text(args));
  clamps(args.attrs);
  const std::string problem = scatter_problem(operand.dims(), indices.dims(), updates.dims(), args.attrs);
  HEARTH_CHECK(problem.empty(), shape, "scatter ", kind, ": ", problem, operands_text(args));
  return {operand.type()};
}

static Dims behind_batch(const Dims& axes) {
  Dims moved = axes;
  for (int64_t& axis : moved) ++axis;
  return moved;
}

// The batch becomes a batching axis of operand and indices, or, when the indices have none, one more whole axis of
// every window.
static void batch(BatchArgs& b) {
  const ScatterDims one = scatter_dims(b.node.attrs);
  ScatterDims d{.update_window_dims = behind_batch(one.update_window_dims),
                .inserted_window_dims = behind_batch(one.inserted_window_dims),
                .input_batching_dims = behind_batch(one.input_batching_dims),
                .scatter_indices_batching_dims = one.scatter_indices_batching_dims,
                .scatter_dims_to_operand_dims = behind_batch(one.scatter_dims_to_operand_dims),
                .index_vector_dim = one.index_vector_dim};
  if (b.batched[1]) {
    d.scatter_indices_batching_dims = behind_batch(d.scatter_indices_batching_dims);
    d.scatter_indices_batching_dims.insert(d.scatter_indices_batching_dims.begin(), 0);
    d.input_batching_dims.insert(d.input_batching_dims.begin(), 0);
    ++d.index_vector_dim;
  } else {
    d.update_window_dims.insert(d.update_window_dims.begin(), 0);
  }
  b.out = {scatter(b.with_batch(0), b.in[1], b.with_batch(2), d, scatter_options(b.node.attrs))};
}

static int64_t workspace(const Node& node) {
  const std::optional<ScatterKind> kind = scatter_kind(node.attrs.text("kind"));
  return kind ? scatter_workspace(*kind, node.types[0]) : 0;
}

std::vector<OpInfo> scatter_ops() {
  OpInfo op{.name = "scatter",
            .doc = "writes or accumulates slices at starts that are data",
            .infer = infer,
            .vjp = scatter_vjp,
            .batch = batch,
            .offers = {{"cpu", "scatter", nullptr, workspace}}};
  op.in_place_input = 0;
  return {op};
}

}  // namespace hearth
