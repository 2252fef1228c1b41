// SPDX-License-Identifier: Apache-2.0
#include "ops/token_log_prob/token_log_prob.h"

#include "base/error.h"
#include "ops/arg_reduce/arg_reduce.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linear_cross_entropy/linear_logits_rules.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

TokenLogProbs token_log_prob(const Value& x, const Value& weight, const Value& labels, const LogitsOptions& options) {
  const LogitsInputs inputs = logits_inputs("token_log_prob", x, weight, labels, options);
  const std::vector<Value> out = x.graph->add_all("token_log_prob", inputs.in, inputs.attrs);
  return {out[0], out[1]};
}

static std::vector<TensorType> infer(const InferArgs& args) {
  check_logits_inputs(args);
  const Value& x = args.in[kLogitsX];
  return {{logits_sums(x.dtype()), {x.dim(0)}}, {DType::i32, {x.dim(0)}}};
}

// The last input is the derivative by the log-probabilities, [N].
static std::vector<TensorType> infer_grad(const InferArgs& args) {
  check_logits_inputs(args);
  const Value &x = args.in[kLogitsX], &g = args.in.back();
  HEARTH_CHECK(is_float(g.dtype()) && g.dims() == Dims{x.dim(0)}, shape, args.op,
               ": needs the derivative of each row\n  x is ", x, "\n  it is ", g);
  return logits_derivative_types(args);
}

static std::vector<Value> decompose(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  const LogitsPieces p = logits_pieces(graph, in, attrs);
  const int64_t N = in[kLogitsX].dim(0);
  const Value top = compare("EQ", argmax(p.logits), in[kLogitsLabels]);
  return {reshape(0.0 - row_losses(p), {N}), convert(binary("and", top, reshape(p.counted, {N})), DType::i32)};
}

// d log_prob / dz = onehot(label) - softmax(z)
static Value slope_of(Graph& graph, const std::vector<Value>& in, const Attrs& attrs, const Value& g) {
  const Value dz = logits_slope(logits_pieces(graph, in, attrs));
  return dz * (0.0 - convert(reshape(g, {g.dim(0), 1}), dz.dtype()));
}

static std::vector<Value> decompose_grad(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  return logits_derivatives(slope_of(graph, in, attrs, in.back()), in, attrs);
}

// Derivatives by weight and bias (full tuning) go through the definition.
static void grad(VjpArgs& v) {
  if (!v.cotangent[0].valid()) return;
  const size_t source[] = {kLogitsX, kLogitsU, kLogitsB};  // of the gradient operation's outputs
  const size_t count = has_low_rank(v.attrs) ? 3 : 1;
  const auto wants = [&](size_t i) { return v.wanted[source[i]]; };
  if (wants(0) || (count == 3 && (wants(1) || wants(2)))) {
    std::vector<Value> in = v.in;
    in.push_back(v.cotangent[0]);
    const std::vector<Value> out = v.graph.add_all("token_log_prob_grad", in, v.attrs);
    for (size_t i = 0; i < count; ++i) {
      if (wants(i)) v.grad[source[i]] = convert(out[i], v.in[source[i]].dtype());
    }
  }
  add_weight_derivatives(v, [&] { return slope_of(v.graph, v.in, v.attrs, v.cotangent[0]); });
}

static std::string refuse_grad(const Graph& graph, const Node& n) {
  if (n.inputs.back().dtype() != DType::f32) return "no kernel for a derivative that is not f32";
  return refuse_logits(graph, n);
}

std::vector<OpInfo> token_log_prob_ops() {
  OpInfo forward{.name = "token_log_prob",
                 .doc = "log-probability of each row's label under x W^T, logits never whole",
                 .infer = infer,
                 .vjp = grad,
                 .decompose = decompose};
  forward.offers = {{"cpu", "token_log_prob", refuse_logits, logits_workspace}};
  OpInfo backward{.name = "token_log_prob_grad",
                  .doc = "derivatives of log-probabilities by x and a low-rank term",
                  .infer = infer_grad,
                  .decompose = decompose_grad};
  backward.offers = {{"cpu", "token_log_prob_grad", refuse_grad, logits_workspace}};
  return {forward, backward};
}

}  // namespace hearth
