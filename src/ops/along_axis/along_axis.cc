// SPDX-License-Identifier: Apache-2.0
#include "ops/along_axis/along_axis.h"

#include "base/error.h"
#include "ir/op.h"

namespace hearth {

int64_t checked_axis(const char* op, const Value& x, int64_t axis) {
  const int64_t from_front = axis < 0 ? axis + x.rank() : axis;
  HEARTH_CHECK(from_front >= 0 && from_front < x.rank(), value, op, ": axis ", axis, " does not exist in x ", x);
  return from_front;
}

Value gather_along_axis(const Value& x, const Value& index, int64_t axis) {
  return x.graph->add("gather_along_axis", {x, index}, {{"dimension", checked_axis("gather_along_axis", x, axis)}});
}

Value scatter_add_along_axis(const Value& x, const Value& index, int64_t axis, int64_t size) {
  return x.graph->add("scatter_add_along_axis", {x, index},
                      {{"dimension", checked_axis("scatter_add_along_axis", x, axis)}, {"size", size}});
}

void batch_along_axis(BatchArgs& batch) {
  std::vector<Value> in;
  for (size_t i = 0; i < batch.in.size(); ++i) in.push_back(batch.with_batch(i));
  Attrs attrs = batch.node.attrs;
  attrs.set("dimension", attrs.integer("dimension") + 1);
  batch.out = batch.graph.add_all(batch.node.op->name, in, attrs);
}

static int64_t check_operands(const InferArgs& args) {
  const Value &x = args.in[0], &index = args.in[1];
  const int64_t axis = args.attrs.integer("dimension");
  HEARTH_CHECK(axis >= 0 && axis < x.rank(), value, args.op, ": axis ", axis, " does not exist in x ", x);
  HEARTH_CHECK(index.dtype() == DType::i32 || index.dtype() == DType::i64, dtype, args.op,
               ": index must be i32 or i64; it is ", index);
  HEARTH_CHECK(index.rank() == x.rank(), shape, args.op, ": ranks differ\n  x is ", x, "\n  index is ", index);
  return axis;
}

static std::vector<TensorType> infer_gather(const InferArgs& args) {
  const Value &x = args.in[0], &index = args.in[1];
  const int64_t axis = check_operands(args);
  for (int64_t d = 0; d < x.rank(); ++d) {
    HEARTH_CHECK(d == axis || x.dim(d) == index.dim(d), shape, args.op, ": sizes of axis ", d, " differ\n  x is ", x,
                 "\n  index is ", index);
  }
  return {{x.dtype(), index.dims()}};
}

static std::vector<TensorType> infer_scatter(const InferArgs& args) {
  const Value &x = args.in[0], &index = args.in[1];
  const int64_t axis = check_operands(args), size = args.attrs.integer("size");
  HEARTH_CHECK(x.dims() == index.dims(), shape, args.op, ": shapes differ\n  x is ", x, "\n  index is ", index);
  HEARTH_CHECK(x.dtype() != DType::boolean, dtype, args.op, ": needs numbers; x is ", x);
  HEARTH_CHECK(size >= 0, value, args.op, ": size ", size, " of axis ", axis, " is negative; x is ", x);
  Dims dims = x.dims();
  dims[size_t(axis)] = size;
  return {{x.dtype(), dims}};
}

// The two are each other's transpose.
static void grad_gather(VjpArgs& v) {
  const int64_t axis = v.attrs.integer("dimension");
  if (v.wanted[0]) v.grad[0] = scatter_add_along_axis(v.cotangent[0], v.in[1], axis, v.in[0].dim(axis));
}
static void grad_scatter(VjpArgs& v) {
  if (v.wanted[0]) v.grad[0] = gather_along_axis(v.cotangent[0], v.in[1], v.attrs.integer("dimension"));
}

std::vector<OpInfo> along_axis_ops() {
  OpInfo gather{.name = "gather_along_axis",
                .doc = "elements by number along an axis",
                .infer = infer_gather,
                .vjp = grad_gather,
                .batch = batch_along_axis};
  gather.offers = {{"cpu", "gather_along_axis", nullptr}};
  OpInfo scatter{.name = "scatter_add_along_axis",
                 .doc = "sums of elements by number along an axis",
                 .infer = infer_scatter,
                 .vjp = grad_scatter,
                 .batch = batch_along_axis};
  scatter.offers = {{"cpu", "scatter_add_along_axis", nullptr}};
  return {gather, scatter};
}

}  // namespace hearth
