// SPDX-License-Identifier: Apache-2.0
#include "ops/gather/gather.h"

#include "base/error.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise.h"
#include "ops/gather/index_axes.h"
#include "ops/scatter/scatter.h"

namespace hearth {

Value gather(const Value& operand, const Value& start_indices, const GatherDims& dims, const Dims& slice_sizes,
             const GatherOptions& options) {
  return operand.graph->add(
      "gather", {operand, start_indices},
      {{"offset_dims", dims.offset_dims},
       {"collapsed_slice_dims", dims.collapsed_slice_dims},
       {"operand_batching_dims", dims.operand_batching_dims},
       {"start_indices_batching_dims", dims.start_indices_batching_dims},
       {"start_index_map", dims.start_index_map},
       {"index_vector_dim", dims.index_vector_dim},
       {"slice_sizes", slice_sizes},
       {"indices_are_sorted", int64_t(options.indices_are_sorted)},
       {"out_of_range", std::string(options.out_of_range == OutOfRange::clamp ? "clamp" : "drop")}});
}

static GatherDims dims_of(const Attrs& attrs) {
  return {.offset_dims = attrs.list("offset_dims"),
          .collapsed_slice_dims = attrs.list("collapsed_slice_dims"),
          .operand_batching_dims = attrs.list("operand_batching_dims"),
          .start_indices_batching_dims = attrs.list("start_indices_batching_dims"),
          .start_index_map = attrs.list("start_index_map"),
          .index_vector_dim = attrs.integer("index_vector_dim")};
}

static GatherOptions options_of(const Attrs& attrs) {
  return {clamps(attrs) ? OutOfRange::clamp : OutOfRange::drop, attrs.integer("indices_are_sorted") != 0};
}

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value &operand = args.in[0], &indices = args.in[1];
  HEARTH_CHECK(is_index_dtype(indices.dtype()), dtype, "gather: indices must be integers\n  operand is ", operand,
               "\n  start_indices is ", indices);
  clamps(args.attrs);
  const IndexAxes axes = gather_axes(args.attrs);
  const std::string problem = index_problem(operand.dims(), indices.dims(), axes);
  HEARTH_CHECK(problem.empty(), shape, "gather: ", problem, "\n  operand is ", operand, "\n  start_indices is ",
               indices);
  return {{operand.dtype(), data_dims(indices.dims(), axes)}};
}

// Every element of the result came from one of the operand (or nowhere), so each cotangent is added there.
static void grad(VjpArgs& v) {
  if (!v.wanted[0]) return;
  const GatherDims d = dims_of(v.attrs);
  const GatherOptions options = options_of(v.attrs);
  v.grad[0] =
      scatter(scalar_like(v.in[0], 0), v.in[1], v.cotangent[0],
              {.update_window_dims = d.offset_dims,
               .inserted_window_dims = d.collapsed_slice_dims,
               .input_batching_dims = d.operand_batching_dims,
               .scatter_indices_batching_dims = d.start_indices_batching_dims,
               .scatter_dims_to_operand_dims = d.start_index_map,
               .index_vector_dim = d.index_vector_dim},
              {.kind = "add", .out_of_range = options.out_of_range, .indices_are_sorted = options.indices_are_sorted});
}

static Dims behind_batch(const Dims& axes) {
  Dims moved = axes;
  for (int64_t& axis : moved) ++axis;
  return moved;
}
static Dims with_first(int64_t first, Dims rest) {
  rest.insert(rest.begin(), first);
  return rest;
}

// The batch is an axis of both operands (a batching axis), of the operand only (one more whole axis of every slice) or
// of the indices only (more indices).
static void batch(BatchArgs& b) {
  const Attrs& attrs = b.node.attrs;
  GatherDims d = dims_of(attrs);
  Dims sizes = attrs.list("slice_sizes");
  d.offset_dims = behind_batch(d.offset_dims);
  if (b.batched[0]) {
    d.collapsed_slice_dims = behind_batch(d.collapsed_slice_dims);
    d.operand_batching_dims = behind_batch(d.operand_batching_dims);
    d.start_index_map = behind_batch(d.start_index_map);
    sizes = with_first(b.batched[1] ? std::min<int64_t>(1, b.size) : b.size, sizes);
  }
  if (b.batched[1]) {
    d.start_indices_batching_dims = behind_batch(d.start_indices_batching_dims);
    ++d.index_vector_dim;
  } else {
    d.offset_dims = with_first(0, d.offset_dims);
  }
  if (b.batched[0] && b.batched[1]) {
    d.operand_batching_dims = with_first(0, d.operand_batching_dims);
    d.start_indices_batching_dims = with_first(0, d.start_indices_batching_dims);
  }
  b.out = {gather(b.in[0], b.in[1], d, sizes, options_of(attrs))};
}

std::vector<OpInfo> gather_ops() {
  OpInfo op{.name = "gather",
            .doc = "slices at starts that are data",
            .infer = infer,
            .vjp = grad,
            .batch = batch,
            .offers = {{"cpu", "gather", nullptr}}};
  return {op};
}

}  // namespace hearth
