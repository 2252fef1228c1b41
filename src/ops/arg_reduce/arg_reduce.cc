// SPDX-License-Identifier: Apache-2.0
#include "ops/arg_reduce/arg_reduce.h"

#include "base/error.h"
#include "ir/op.h"
#include "ops/along_axis/along_axis.h"

namespace hearth {

static Value arg_reduce(const char* name, const char* kind, const Value& x, int64_t axis, DType index) {
  return x.graph->add(
      "arg_reduce", {x},
      {{"dimension", checked_axis(name, x, axis)}, {"kind", std::string(kind)}, {"dtype", int64_t(index)}});
}
Value argmax(const Value& x, int64_t axis, DType index) { return arg_reduce("argmax", "max", x, axis, index); }
Value argmin(const Value& x, int64_t axis, DType index) { return arg_reduce("argmin", "min", x, axis, index); }

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value& x = args.in[0];
  const int64_t axis = args.attrs.integer("dimension"), dtype = args.attrs.integer("dtype");
  const std::string& kind = args.attrs.text("kind");
  HEARTH_CHECK(kind == "max" || kind == "min", value, "arg_reduce: unknown kind '", kind, "'");
  const std::string op = "arg" + kind;
  HEARTH_CHECK(axis >= 0 && axis < x.rank(), value, op, ": axis ", axis, " does not exist in x ", x);
  HEARTH_CHECK(!is_complex(x.dtype()), dtype, op, ": needs real numbers; x is ", x);
  HEARTH_CHECK(dtype == int64_t(DType::i32) || dtype == int64_t(DType::i64), dtype, op,
               ": the index must be i32 or i64; x is ", x);
  Dims dims = x.dims();
  dims.erase(dims.begin() + axis);
  HEARTH_CHECK(x.dim(axis) > 0 || num_elements(dims) == 0, value, op, ": axis ", axis, " has no elements; x is ", x);
  HEARTH_CHECK(DType(dtype) == DType::i64 || x.dim(axis) <= INT32_MAX, value, op, ": i32 cannot number the ",
               x.dim(axis), " elements of axis ", axis, "; x is ", x, "\n  hint: ", op, "(x, ", axis, ", DType::i64)");
  return {{DType(dtype), dims}};
}

std::vector<OpInfo> arg_reduce_ops() {
  OpInfo op{.name = "arg_reduce",
            .doc = "number of the largest or smallest element along an axis",
            .infer = infer,
            .batch = batch_along_axis,
            .differentiable = false};
  op.offers = {{"cpu", "arg_reduce", nullptr}};
  return {op};
}

}  // namespace hearth
