// SPDX-License-Identifier: Apache-2.0
#include "ops/dynamic_slice/dynamic_slice.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/scatter/scatter.h"
#include "ops/shape/shape.h"

namespace hearth {

static std::vector<Value> with_starts(std::vector<Value> in, const std::vector<Value>& starts) {
  in.insert(in.end(), starts.begin(), starts.end());
  return in;
}

Value dynamic_slice(const Value& x, const std::vector<Value>& starts, const Dims& sizes) {
  return x.graph->add("dynamic_slice", with_starts({x}, starts), {{"sizes", sizes}});
}

Value dynamic_update_slice(const Value& x, const Value& update, const std::vector<Value>& starts) {
  return x.graph->add("dynamic_update_slice", with_starts({x, update}, starts));
}

static void check_box(const InferArgs& args, const Dims& sizes, size_t first_start) {
  const Value& x = args.in[0];
  HEARTH_CHECK(int64_t(sizes.size()) == x.rank(), shape, args.op, ": ", sizes.size(), " sizes for x ", x);
  HEARTH_CHECK(args.in.size() == first_start + sizes.size(), shape, args.op, ": ", args.in.size() - first_start,
               " starts for x ", x);
  for (size_t i = 0; i < sizes.size(); ++i) {
    HEARTH_CHECK(sizes[i] >= 0 && sizes[i] <= x.dim(int64_t(i)), shape, args.op, ": size ", sizes[i], " of axis ", i,
                 " does not fit in x ", x);
    const Value& start = args.in[first_start + i];
    HEARTH_CHECK(start.rank() == 0 && start.dtype() == DType::i32, dtype, args.op,
                 ": starts must be i32 scalars; start ", i, " is ", start);
  }
}

static std::vector<TensorType> infer_slice(const InferArgs& args) {
  const Dims& sizes = args.attrs.list("sizes");
  check_box(args, sizes, 1);
  return {{args.in[0].dtype(), sizes}};
}

static std::vector<TensorType> infer_update(const InferArgs& args) {
  HEARTH_CHECK(args.in[1].dtype() == args.in[0].dtype(), dtype, args.op, ": dtypes differ\n  x is ", args.in[0],
               "\n  update is ", args.in[1]);
  check_box(args, args.in[1].dims(), 2);
  return {args.in[0].type()};
}

static std::vector<Value> starts_of(const VjpArgs& v, size_t first) { return {v.in.begin() + long(first), v.in.end()}; }

// --- batches: with starts that all examples share, a box that spans the whole batch axis; with starts of their own, a
// gather or scatter of one box an example, which clamp in the same way

static bool any_batched(const BatchArgs& b, size_t first) {
  return std::find(b.batched.begin() + long(first), b.batched.end(), true) != b.batched.end();
}

static std::vector<Value> starts_after_batch(const BatchArgs& b, size_t first) {
  std::vector<Value> starts = {constant(b.graph, 0, DType::i32)};
  starts.insert(starts.end(), b.in.begin() + long(first), b.in.end());
  return starts;
}

// [B, rank]
static Value starts_of_examples(const BatchArgs& b, size_t first) {
  std::vector<Value> columns;
  for (size_t i = first; i < b.in.size(); ++i) columns.push_back(reshape(b.with_batch(i), {b.size, 1}));
  return columns.size() == 1 ? columns[0] : concatenate(columns, 1);
}

static Dims counted(int64_t from, int64_t count) {
  Dims list(static_cast<size_t>(count));
  std::iota(list.begin(), list.end(), from);
  return list;
}

static void batch_slice(BatchArgs& b) {
  const Dims& sizes = b.node.attrs.list("sizes");
  if (!any_batched(b, 1)) {
    b.out = {dynamic_slice(b.in[0], starts_after_batch(b, 1), with_first(b.size, sizes))};
    return;
  }
  if (b.size == 0) return batch_one_by_one(b);  // a gather wants one example to cut from
  const int64_t rank = int64_t(sizes.size());
  GatherDims dims{.offset_dims = counted(1, rank), .start_index_map = counted(0, rank), .index_vector_dim = 1};
  if (b.batched[0]) {
    dims.operand_batching_dims = dims.start_indices_batching_dims = {0};
    dims.start_index_map = counted(1, rank);
  }
  b.out = {gather(b.in[0], starts_of_examples(b, 1), dims, b.batched[0] ? with_first(1, sizes) : sizes)};
}

static void batch_update(BatchArgs& b) {
  if (b.size == 0) return batch_one_by_one(b);
  const Value x = b.with_batch(0), update = b.with_batch(1);
  if (!any_batched(b, 2)) {
    b.out = {dynamic_update_slice(x, update, starts_after_batch(b, 2))};
    return;
  }
  const Dims boxes = counted(1, x.rank() - 1);
  const ScatterDims dims{.update_window_dims = boxes,
                         .input_batching_dims = {0},
                         .scatter_indices_batching_dims = {0},
                         .scatter_dims_to_operand_dims = boxes,
                         .index_vector_dim = 1};
  b.out = {scatter(x, starts_of_examples(b, 2), update, dims,
                   {.kind = "set", .out_of_range = OutOfRange::clamp, .unique_indices = true})};
}

std::vector<OpInfo> dynamic_slice_ops() {
  OpInfo slice{.name = "dynamic_slice", .doc = "a box at run-time starts", .infer = infer_slice, .vjp = [](VjpArgs& v) {
                 const Value zeros = scalar_like(v.in[0], 0);
                 if (v.wanted[0]) v.grad[0] = dynamic_update_slice(zeros, v.cotangent[0], starts_of(v, 1));
               }};
  slice.batch = batch_slice;
  slice.offers = {{"cpu", "dynamic_slice", nullptr}};
  OpInfo update{.name = "dynamic_update_slice",
                .doc = "writes a box at run-time starts",
                .infer = infer_update,
                .vjp = [](VjpArgs& v) {
                  const std::vector<Value> starts = starts_of(v, 2);
                  if (v.wanted[0]) v.grad[0] = dynamic_update_slice(v.cotangent[0], scalar_like(v.in[1], 0), starts);
                  if (v.wanted[1]) v.grad[1] = dynamic_slice(v.cotangent[0], starts, v.in[1].dims());
                }};
  update.batch = batch_update;
  update.offers = {{"cpu", "dynamic_update_slice", nullptr}};
  update.in_place_input = 0;
  return {slice, update};
}

}  // namespace hearth
