// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_cross_entropy/linear_cross_entropy.h"

#include "ops/elementwise/elementwise.h"
#include "ops/linear_cross_entropy/linear_logits_rules.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"

namespace hearth {

Value linear_cross_entropy(const Value& x, const Value& weight, const Value& labels, const LogitsOptions& options) {
  const LogitsInputs inputs = logits_inputs("linear_cross_entropy", x, weight, labels, options);
  return x.graph->add("linear_cross_entropy", inputs.in, inputs.attrs);
}

static std::vector<TensorType> infer(const InferArgs& args) {
  check_logits_inputs(args);
  return {{logits_sums(args.in[kLogitsX].dtype()), {}}};
}

// loss, dx, and with the low-rank term du, db
static std::vector<TensorType> infer_grad(const InferArgs& args) {
  std::vector<TensorType> types = infer(args);
  for (const TensorType& type : logits_derivative_types(args)) types.push_back(type);
  return types;
}

static Value loss_of(const LogitsPieces& p) { return reduce_sum(row_losses(p), {0, 1}); }

static std::vector<Value> decompose(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  return {loss_of(logits_pieces(graph, in, attrs))};
}

static std::vector<Value> decompose_grad(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  const LogitsPieces p = logits_pieces(graph, in, attrs);
  std::vector<Value> out = logits_derivatives(logits_slope(p), in, attrs);
  out.insert(out.begin(), loss_of(p));
  return out;
}

// The gradient operation gives the loss as well; compiler/simplify.cc then drops the forward one (see `subsumed_by`).
// It makes dx even where only u and b want a derivative: one operation, so that the loss stays part of it.
// Gradients of weight and bias (full tuning) go through the definition.
static void grad(VjpArgs& v) {
  const size_t source[] = {kLogitsX, kLogitsU, kLogitsB};  // of the gradient operation's outputs after the loss
  const size_t count = has_low_rank(v.attrs) ? 3 : 1;
  const auto wants = [&](size_t i) { return v.wanted[source[i]]; };
  if (wants(0) || (count == 3 && (wants(1) || wants(2)))) {
    const std::vector<Value> out = v.graph.add_all("linear_cross_entropy_grad", v.in, v.attrs);
    for (size_t i = 0; i < count; ++i) {
      if (wants(i))
        v.grad[source[i]] =
            convert(convert(out[1 + i], v.cotangent[0].dtype()) * v.cotangent[0], v.in[source[i]].dtype());
    }
  }
  add_weight_derivatives(v, [&] { return logits_slope(logits_pieces(v.graph, v.in, v.attrs)) * v.cotangent[0]; });
}

std::vector<OpInfo> linear_cross_entropy_ops() {
  OpInfo forward{.name = "linear_cross_entropy",
                 .doc = "cross-entropy of x W^T, logits never whole",
                 .infer = infer,
                 .vjp = grad,
                 .decompose = decompose};
  forward.offers = {{"cpu", "linear_cross_entropy", refuse_logits, logits_workspace}};
  forward.subsumed_by = "linear_cross_entropy_grad";
  OpInfo backward{.name = "linear_cross_entropy_grad",
                  .doc = "loss and its derivatives by x and a low-rank term",
                  .infer = infer_grad,
                  .decompose = decompose_grad};
  backward.offers = {{"cpu", "linear_cross_entropy_grad", refuse_logits, logits_workspace}};
  return {forward, backward};
}

}  // namespace hearth
