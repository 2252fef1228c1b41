// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_cross_entropy/linear_cross_entropy.h"

#include "base/error.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linear_cross_entropy/linear_cross_entropy_chunk.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

Value linear_cross_entropy(const Value& x, const Value& weight, const Value& labels) {
  return x.graph->add("linear_cross_entropy", {x, weight, labels});
}

static DType sums(DType stored) { return stored == DType::f64 ? DType::f64 : DType::f32; }

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value &x = args.in[0], &w = args.in[1], &labels = args.in[2];
  HEARTH_CHECK(is_float(x.dtype()) && is_float(w.dtype()) && x.rank() == 2 && w.rank() == 2 && x.dim(1) == w.dim(1),
               shape, args.op, ": needs x [N,C] and weight [V,C]\n  x is ", x, "\n  weight is ", w);
  HEARTH_CHECK((labels.type() == TensorType{DType::i32, {x.dim(0)}}), shape, args.op,
               ": labels must be i32 [N]\n  x is ", x, "\n  labels is ", labels);
  return {{sums(x.dtype()), {}}};
}

static std::vector<TensorType> infer_grad(const InferArgs& args) { return {infer(args)[0], args.in[0].type()}; }

struct Pieces {
  Value counted, hit, logits, lse;  // [N,1], [N,V], [N,V], [N,1]
};

static Pieces pieces(Graph& graph, const std::vector<Value>& in) {
  const int64_t N = in[0].dim(0), V = in[1].dim(0);
  const DType t = sums(in[0].dtype());
  Pieces p;
  p.logits = linear(convert(in[0], t), in[1]);
  const Value labels = reshape(in[2], {N, 1}), limit = constant(graph, double(V), DType::i32),
              zero = constant(graph, 0, DType::i32);
  p.counted = binary("and", compare("GE", labels, zero), compare("LT", labels, limit));
  p.hit = compare("EQ", iota(graph, DType::i32, {N, V}, 1), labels);
  const Value top = max_last(p.logits);
  p.lse = log(sum_last(exp(p.logits - top))) + top;
  return p;
}

static Value loss_of(const Pieces& p) {
  const Value picked = sum_last(select(p.hit, p.logits, scalar_like(p.logits, 0)));
  return reduce_sum(select(p.counted, p.lse - picked, scalar_like(p.lse, 0)), {0, 1});
}

static std::vector<Value> decompose(Graph& graph, const std::vector<Value>& in, const Attrs&) {
  return {loss_of(pieces(graph, in))};
}

// dz = softmax(z) - onehot(label), dx = dz weight
static std::vector<Value> decompose_grad(Graph& graph, const std::vector<Value>& in, const Attrs&) {
  const Pieces p = pieces(graph, in);
  const Value onehot = select(p.hit, scalar_like(p.logits, 1), scalar_like(p.logits, 0));
  const Value dz = select(p.counted, exp(p.logits - p.lse) - onehot, scalar_like(p.logits, 0));
  const Value dx = matmul(dz, convert(in[1], dz.dtype()));
  return {loss_of(p), convert(dx, in[0].dtype())};
}

// The gradient operation gives the loss as well; compiler/simplify.cc then drops the forward one (see `subsumed_by`).
// A gradient of the weight (full tuning) goes through the definition.
static void grad(VjpArgs& v) {
  if (v.wanted[0]) {
    const Value dx = v.graph.add_all("linear_cross_entropy_grad", v.in)[1];
    v.grad[0] = convert(convert(dx, v.cotangent[0].dtype()) * v.cotangent[0], dx.dtype());
  }
  if (v.wanted[1]) {
    const Pieces p = pieces(v.graph, v.in);
    const Value onehot = select(p.hit, scalar_like(p.logits, 1), scalar_like(p.logits, 0));
    const Value dz = select(p.counted, exp(p.logits - p.lse) - onehot, scalar_like(p.logits, 0)) * v.cotangent[0];
    v.grad[1] = convert(matmul(dz, convert(v.in[0], dz.dtype()), {.transpose_a = true}), v.in[1].dtype());
  }
}

static std::string refuse(const Graph&, const Node& n) {
  for (int i = 0; i < 2; ++i) {
    if (n.inputs[size_t(i)].dtype() == DType::f64) return "no kernel for f64; has f32, bf16, f16";
  }
  return "";
}

static int64_t workspace(const Node& n) {
  const Value &x = n.inputs[0], &w = n.inputs[1];
  return cross_entropy_workspace(x.dim(0), w.dim(0), x.dtype());
}

std::vector<OpInfo> linear_cross_entropy_ops() {
  OpInfo forward{.name = "linear_cross_entropy",
                 .doc = "cross-entropy of x W^T, logits never whole",
                 .infer = infer,
                 .vjp = grad,
                 .decompose = decompose};
  forward.offers = {{"cpu", "linear_cross_entropy", refuse, workspace}};
  forward.subsumed_by = "linear_cross_entropy_grad";
  OpInfo backward{.name = "linear_cross_entropy_grad",
                  .doc = "loss and its derivative by x",
                  .infer = infer_grad,
                  .decompose = decompose_grad};
  backward.offers = {{"cpu", "linear_cross_entropy_grad", refuse, workspace}};
  return {forward, backward};
}

}  // namespace hearth
