// SPDX-License-Identifier: Apache-2.0
#pragma once
// The graph side of what operations on chunks of logits share: their inputs, shape rule and definition.

#include <functional>

#include "ir/op.h"
#include "ops/linear_cross_entropy/linear_cross_entropy.h"

namespace hearth {

// Inputs: x, weight, labels, with attribute `scale` u and b, with `has_bias` the bias.
constexpr size_t kLogitsX = 0, kLogitsWeight = 1, kLogitsLabels = 2, kLogitsU = 3, kLogitsB = 4;
inline bool has_low_rank(const Attrs& attrs) { return attrs.has("scale"); }
inline bool has_logits_bias(const Attrs& attrs) { return attrs.has("has_bias"); }
inline size_t logits_bias_at(const Attrs& attrs) { return has_low_rank(attrs) ? 5 : 3; }
inline DType logits_sums(DType stored) { return stored == DType::f64 ? DType::f64 : DType::f32; }

struct LogitsInputs {
  std::vector<Value> in;
  Attrs attrs;
};
// Throws Error{value} for a soft cap below 0.
LogitsInputs logits_inputs(const std::string& op, const Value& x, const Value& weight, const Value& labels,
                           const LogitsOptions& options);

// Throws Error{shape} when the inputs do not fit each other.
void check_logits_inputs(const InferArgs& args);

struct LogitsPieces {
  Value counted, hit, logits, lse;  // [N,1], [N,V], [N,V], [N,1]
  Value slope;                      // of the cap [N,V]; not valid without one
  LossTerms terms;
};
LogitsPieces logits_pieces(Graph& graph, const std::vector<Value>& in, const Attrs& attrs);
// logsumexp(z) - z[label] + terms [N,1], 0 where the label does not count.
Value row_losses(const LogitsPieces& pieces);
// The loss's derivative, without terms softmax(z) - onehot(label) [N,V], by the products' sum (before bias and cap).
Value logits_slope(const LogitsPieces& pieces);
// {dx, and with a low-rank term du, db} for dz [N,V]: dx = dz weight, du = scale dz b, db = scale dz^T u. db is summed
// over chunks, so it has the dtype of sums.
std::vector<Value> logits_derivatives(const Value& dz, const std::vector<Value>& in, const Attrs& attrs);
// Derivatives by weight and bias (full tuning), where they are wanted, for dz() [N,V], which is made only then.
void add_weight_derivatives(VjpArgs& v, const std::function<Value()>& dz);
std::vector<TensorType> logits_derivative_types(const InferArgs& args);

std::string refuse_logits(const Graph& graph, const Node& node);
int64_t logits_workspace(const Node& node);

}  // namespace hearth
