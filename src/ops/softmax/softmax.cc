// SPDX-License-Identifier: Apache-2.0
#include "ops/softmax/softmax.h"

#include "base/error.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

Value softmax(const Value& x) { return x.graph->add("softmax", {x}); }

Value log_softmax(const Value& x) { return x.graph->add("log_softmax", {x}); }
Value logsumexp(const Value& x) { return x.graph->add("logsumexp", {x}); }

namespace {

void check(const InferArgs& args) {
  HEARTH_CHECK(is_float(args.in[0].dtype()) && args.in[0].rank() >= 1, shape, args.op,
               ": needs floats of rank 1 or more; x is ", args.in[0]);
}
std::vector<TensorType> infer(const InferArgs& args) {
  check(args);
  return {args.in[0].type()};
}
std::vector<TensorType> infer_without_last(const InferArgs& args) {
  check(args);
  TensorType type = args.in[0].type();
  type.dims.pop_back();
  return {type};
}

DType sums(const Value& x) { return x.dtype() == DType::f64 ? DType::f64 : DType::f32; }
Value wide(const Value& x) { return convert(x, sums(x)); }

std::vector<Value> decompose(Graph&, const std::vector<Value>& in, const Attrs&) {
  const Value x = wide(in[0]);
  const Value e = exp(x - max_last(x));
  return {convert(e / sum_last(e), in[0].dtype())};
}

// dx = y (dy - sum(dy y))
void grad(VjpArgs& v) {
  const Value y = wide(v.out[0]), dy = wide(v.cotangent[0]);
  v.grad[0] = convert(y * (dy - sum_last(dy * y)), v.in[0].dtype());
}

std::vector<Value> decompose_log(Graph&, const std::vector<Value>& in, const Attrs&) {
  const Value x = wide(in[0]);
  const Value from_max = x - max_last(x);
  return {convert(from_max - log(sum_last(exp(from_max))), in[0].dtype())};
}

// dx = dy - softmax(x) sum(dy). Not from y: rounded to 16 bits it has lost what exp would need.
void grad_log(VjpArgs& v) {
  const Value dy = wide(v.cotangent[0]);
  v.grad[0] = convert(dy - softmax(wide(v.in[0])) * sum_last(dy), v.in[0].dtype());
}

// x where it is finite, else 0.
Value finite_or_zero(const Value& x) { return select(is_finite(x), x, scalar_like(x, 0)); }

// [..., n] -> [..., 1]
Value logsumexp_kept(const Value& x) {
  const Value max = finite_or_zero(max_last(x));
  return log(sum_last(exp(x - max))) + max;
}
std::vector<Value> decompose_logsumexp(Graph&, const std::vector<Value>& in, const Attrs&) {
  Dims dims = in[0].dims();
  dims.pop_back();
  return {reshape(convert(logsumexp_kept(wide(in[0])), in[0].dtype()), dims)};
}

// dx = dy exp(x - y): the softmax, but 0 in a row of only -infinity
void grad_logsumexp(VjpArgs& v) {
  Dims kept = v.cotangent[0].dims();
  kept.push_back(1);
  const Value x = wide(v.in[0]), dy = reshape(wide(v.cotangent[0]), kept);
  v.grad[0] = convert(dy * exp(x - finite_or_zero(logsumexp_kept(x))), v.in[0].dtype());
}

}  // namespace

std::vector<OpInfo> softmax_ops() {
  return {{.name = "softmax",
           .doc = "softmax over the last axis",
           .infer = infer,
           .vjp = grad,
           .decompose = decompose,
           .batch = batch_same},
          {.name = "log_softmax",
           .doc = "logarithm of softmax over the last axis",
           .infer = infer,
           .vjp = grad_log,
           .decompose = decompose_log,
           .batch = batch_same},
          {.name = "logsumexp",
           .doc = "logarithm of the sum of exponentials over the last axis",
           .infer = infer_without_last,
           .vjp = grad_logsumexp,
           .decompose = decompose_logsumexp,
           .batch = batch_same}};
}

}  // namespace hearth
