// SPDX-License-Identifier: Apache-2.0
#include "ops/expert_linear/expert_linear.h"

#include "base/error.h"
#include "ir/op.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/expert_linear/expert_linear_workspace.h"
#include "ops/matmul/matmul.h"
#include "ops/shape/shape.h"

namespace hearth {

static constexpr size_t kFirstWeight = 2;

static Value add(std::vector<Value> in, bool transposed) {
  return in[0].graph->add("expert_linear", in, {{"transposed", int64_t(transposed)}});
}

Value expert_linear(const Value& x, const Value& ids, const std::vector<Value>& weights, bool transposed) {
  std::vector<Value> in = {x, ids};
  in.insert(in.end(), weights.begin(), weights.end());
  return add(in, transposed);
}

static std::vector<TensorType> infer(const InferArgs& args) {
  HEARTH_CHECK(args.in.size() > kFirstWeight, shape, args.op, ": there are no weights");
  const Value &x = args.in[0], &ids = args.in[1], &w = args.in[kFirstWeight];
  const bool transposed = args.attrs.integer("transposed") != 0;
  HEARTH_CHECK(x.rank() == 2 && is_float(x.dtype()) && (ids.type() == TensorType{DType::i32, {x.dim(0)}}), shape,
               args.op, ": needs x [N,K] and ids i32 [N]\n  x is ", x, "\n  ids is ", ids);
  HEARTH_CHECK(w.rank() == 2 && is_float(w.dtype()) && w.dim(transposed ? 0 : 1) == x.dim(1), shape, args.op,
               ": the weights do not fit x\n  x is ", x, "\n  a weight is ", w);
  for (size_t i = kFirstWeight; i < args.in.size(); ++i) {
    HEARTH_CHECK(args.in[i].type() == w.type(), shape, args.op, ": weights differ\n  one is ", w, "\n  another is ",
                 args.in[i]);
  }
  return {{x.dtype(), {x.dim(0), w.dim(transposed ? 1 : 0)}}};
}

// Every expert for every row; the one that it is sent to is picked, so that another's NaN does not enter.
static std::vector<Value> decompose(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  const Value &x = in[0], &ids = in[1];
  const bool transposed = attrs.integer("transposed") != 0;
  const int64_t N = x.dim(0), M = in[kFirstWeight].dim(transposed ? 1 : 0);
  Value y = scalar_like(broadcast_to(constant(graph, 0, x.dtype()), {N, M}), 0);
  for (size_t i = kFirstWeight; i < in.size(); ++i) {
    const Value hit =
        compare("EQ", reshape(ids, {N, 1}), constant(graph, double(i - kFirstWeight), DType::i32, {N, 1}));
    const Value w = convert(in[i], x.dtype());
    y = select(broadcast_to(hit, {N, M}), linear(x, transposed ? transpose(w, {1, 0}) : w), y);
  }
  return {y};
}

// dx[n,:] = dy[n,:] W_e: the same with the weights read the other way.
static void grad(VjpArgs& v) {
  for (size_t i = kFirstWeight; i < v.in.size(); ++i) v.use_decomposition = v.use_decomposition || v.wanted[i];
  if (v.use_decomposition || !v.wanted[0]) return;
  std::vector<Value> in = v.in;
  in[0] = v.cotangent[0];
  v.grad[0] = add(in, v.attrs.integer("transposed") == 0);
}

// Examples are more rows.
static void batch(BatchArgs& b) {
  for (size_t i = kFirstWeight; i < b.in.size(); ++i) {
    if (b.batched[i]) return batch_decomposition(b);
  }
  std::vector<Value> in = b.in;
  for (size_t i = 0; i < kFirstWeight; ++i) in[i] = fold_batch(b.with_batch(i));
  b.out = {unfold_batch(add(in, b.node.attrs.integer("transposed") != 0), b.size)};
}

static std::string refuse(const Graph&, const Node& n) {
  const bool wide = n.inputs[0].dtype() == DType::f64 || n.inputs[kFirstWeight].dtype() == DType::f64;
  return wide ? "no kernel for f64; has f32, bf16, f16" : "";
}

static int64_t workspace(const Node& n) {
  return expert_linear_workspace(n.inputs[0].dim(0), n.inputs[0].dim(1), n.types[0].dims[1], n.inputs[0].dtype(),
                                 int64_t(n.inputs.size() - kFirstWeight));
}

std::vector<OpInfo> expert_linear_ops() {
  OpInfo op{.name = "expert_linear",
            .doc = "each row through the linear layer that it is sent to",
            .infer = infer,
            .vjp = grad,
            .decompose = decompose,
            .batch = batch};
  op.offers = {{"cpu", "expert_linear", refuse, workspace}};
  return {op};
}

}  // namespace hearth
