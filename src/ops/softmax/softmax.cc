// SPDX-License-Identifier: Apache-2.0
#include "ops/softmax/softmax.h"

#include "base/error.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"

namespace hearth {

Value softmax(const Value& x) { return x.graph->add("softmax", {x}); }

static std::vector<TensorType> infer(const InferArgs& args) {
  HEARTH_CHECK(is_float(args.in[0].dtype()) && args.in[0].rank() >= 1, shape,
               "softmax: needs floats of rank 1 or more; x is ", args.in[0]);
  return {args.in[0].type()};
}

static std::vector<Value> decompose(Graph&, const std::vector<Value>& in, const Attrs&) {
  const DType stored = in[0].dtype(), sums = stored == DType::f64 ? DType::f64 : DType::f32;
  const Value x = convert(in[0], sums);
  const Value e = exp(x - max_last(x));
  return {convert(e / sum_last(e), stored)};
}

// dx = y (dy - sum(dy y))
static void grad(VjpArgs& v) {
  const DType stored = v.in[0].dtype(), sums = stored == DType::f64 ? DType::f64 : DType::f32;
  const Value y = convert(v.out[0], sums), dy = convert(v.cotangent[0], sums);
  v.grad[0] = convert(y * (dy - sum_last(dy * y)), stored);
}

std::vector<OpInfo> softmax_ops() {
  return {{.name = "softmax",
           .doc = "softmax over the last axis",
           .infer = infer,
           .vjp = grad,
           .decompose = decompose,
           .batch = batch_same}};
}

}  // namespace hearth
