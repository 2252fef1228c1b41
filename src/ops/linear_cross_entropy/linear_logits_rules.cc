// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_cross_entropy/linear_logits_rules.h"

#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linear_cross_entropy/linear_cross_entropy_chunk.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

LogitsInputs logits_inputs(const std::string& op, const Value& x, const Value& weight, const Value& labels,
                           const LogitsOptions& options) {
  HEARTH_CHECK(options.soft_cap >= 0, value, op, ": soft_cap must be 0 (none) or more; it is ", options.soft_cap);
  const LossTerms& terms = options.terms;
  HEARTH_CHECK(terms.label_smoothing >= 0 && terms.label_smoothing < 1 && terms.z_loss >= 0, value, op,
               ": label_smoothing must be at least 0 and below 1, z_loss at least 0; they are ", terms.label_smoothing,
               " and ", terms.z_loss);
  LogitsInputs inputs{{x, weight, labels}, {}};
  if (options.low_rank) {
    inputs.in.insert(inputs.in.end(), {options.low_rank->u, options.low_rank->b});
    inputs.attrs.set("scale", options.low_rank->scale);
  }
  if (options.bias) {
    inputs.in.push_back(*options.bias);
    inputs.attrs.set("has_bias", int64_t(1));
  }
  if (options.soft_cap > 0) inputs.attrs.set("soft_cap", options.soft_cap);
  if (terms.label_smoothing > 0) inputs.attrs.set("label_smoothing", terms.label_smoothing);
  if (terms.z_loss > 0) inputs.attrs.set("z_loss", terms.z_loss);
  return inputs;
}

static double real_or_0(const Attrs& attrs, const char* name) { return attrs.has(name) ? attrs.real(name) : 0; }

static void check_low_rank(const InferArgs& args) {
  const Value &x = args.in[kLogitsX], &w = args.in[kLogitsWeight], &u = args.in[kLogitsU], &b = args.in[kLogitsB];
  const bool matrices = u.dtype() == x.dtype() && is_float(b.dtype()) && u.rank() == 2 && b.rank() == 2;
  HEARTH_CHECK(matrices && u.dim(0) == x.dim(0) && b.dim(0) == w.dim(0) && u.dim(1) == b.dim(1), shape, args.op,
               ": needs u [N,r] in x's dtype and b [V,r]\n  x is ", x, "\n  weight is ", w, "\n  u is ", u, "\n  b is ",
               b);
}

void check_logits_inputs(const InferArgs& args) {
  const Value &x = args.in[kLogitsX], &w = args.in[kLogitsWeight], &labels = args.in[kLogitsLabels];
  HEARTH_CHECK(is_float(x.dtype()) && is_float(w.dtype()) && x.rank() == 2 && w.rank() == 2 && x.dim(1) == w.dim(1),
               shape, args.op, ": needs x [N,C] and weight [V,C]\n  x is ", x, "\n  weight is ", w);
  HEARTH_CHECK((labels.type() == TensorType{DType::i32, {x.dim(0)}}), shape, args.op,
               ": labels must be i32 [N]\n  x is ", x, "\n  labels is ", labels);
  if (has_low_rank(args.attrs)) check_low_rank(args);
  if (!has_logits_bias(args.attrs)) return;
  const Value& bias = args.in[logits_bias_at(args.attrs)];
  HEARTH_CHECK(is_float(bias.dtype()) && bias.dims() == Dims{w.dim(0)}, shape, args.op,
               ": the bias must be a float [V]\n  weight is ", w, "\n  bias is ", bias);
}

LogitsPieces logits_pieces(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  const int64_t N = in[kLogitsX].dim(0), V = in[kLogitsWeight].dim(0);
  const DType t = logits_sums(in[kLogitsX].dtype());
  LogitsPieces p;
  p.logits = linear(convert(in[kLogitsX], t), in[kLogitsWeight]);
  if (has_low_rank(attrs)) p.logits = p.logits + linear(convert(in[kLogitsU], t), in[kLogitsB]) * attrs.real("scale");
  if (has_logits_bias(attrs)) p.logits = p.logits + convert(in[logits_bias_at(attrs)], t);
  if (const double cap = real_or_0(attrs, "soft_cap")) {
    const Value bent = tanh(p.logits * (1 / cap));
    p.slope = 1.0 - bent * bent;
    p.logits = bent * cap;
  }
  const Value labels = reshape(in[kLogitsLabels], {N, 1}), limit = constant(graph, double(V), DType::i32),
              zero = constant(graph, 0, DType::i32);
  p.counted = binary("and", compare("GE", labels, zero), compare("LT", labels, limit));
  p.hit = compare("EQ", iota(graph, DType::i32, {N, V}, 1), labels);
  const Value top = max_last(p.logits);
  p.lse = log(sum_last(exp(p.logits - top))) + top;
  p.terms = {.label_smoothing = real_or_0(attrs, "label_smoothing"), .z_loss = real_or_0(attrs, "z_loss")};
  return p;
}

Value row_losses(const LogitsPieces& p) {
  const Value picked = sum_last(select(p.hit, p.logits, scalar_like(p.logits, 0)));
  Value loss = p.lse - picked;
  if (p.terms.label_smoothing > 0)
    loss = loss + (picked - sum_last(p.logits) * (1 / double(p.logits.dim(1)))) * p.terms.label_smoothing;
  if (p.terms.z_loss > 0) loss = loss + p.lse * p.lse * p.terms.z_loss;
  return select(p.counted, loss, scalar_like(p.lse, 0));
}

Value logits_slope(const LogitsPieces& p) {
  const double s = p.terms.label_smoothing, others = s / double(p.logits.dim(1));
  const Value target = select(p.hit, scalar_like(p.logits, 1 - s + others), scalar_like(p.logits, others));
  Value softmax = exp(p.logits - p.lse);
  if (p.terms.z_loss > 0) softmax = softmax * (1.0 + p.lse * (2 * p.terms.z_loss));
  const Value dz = softmax - target;
  return select(p.counted, p.slope.valid() ? dz * p.slope : dz, scalar_like(p.logits, 0));
}

std::vector<Value> logits_derivatives(const Value& dz, const std::vector<Value>& in, const Attrs& attrs) {
  const auto summed = [&](const Value& x) { return convert(x, dz.dtype()); };
  std::vector<Value> out = {convert(matmul(dz, summed(in[kLogitsWeight])), in[kLogitsX].dtype())};
  if (!has_low_rank(attrs)) return out;
  const double scale = attrs.real("scale");
  out.push_back(convert(matmul(dz, summed(in[kLogitsB])) * scale, in[kLogitsU].dtype()));  // [N,r]
  out.push_back(matmul(dz, summed(in[kLogitsU]), {.transpose_a = true}) * scale);          // [V,r]
  return out;
}

void add_weight_derivatives(VjpArgs& v, const std::function<Value()>& dz) {
  const size_t bias = logits_bias_at(v.attrs);
  const bool wants_bias = has_logits_bias(v.attrs) && v.wanted[bias];
  if (!v.wanted[kLogitsWeight] && !wants_bias) return;
  const Value slope = dz();
  if (wants_bias) v.grad[bias] = convert(reduce_sum(slope, {0}), v.in[bias].dtype());
  if (v.wanted[kLogitsWeight]) {
    v.grad[kLogitsWeight] = convert(matmul(slope, convert(v.in[kLogitsX], slope.dtype()), {.transpose_a = true}),
                                    v.in[kLogitsWeight].dtype());
  }
}

std::vector<TensorType> logits_derivative_types(const InferArgs& args) {
  std::vector<TensorType> types = {args.in[kLogitsX].type()};
  if (has_low_rank(args.attrs)) {
    types.push_back(args.in[kLogitsU].type());
    types.push_back({logits_sums(args.in[kLogitsX].dtype()), args.in[kLogitsB].dims()});
  }
  return types;
}

std::string refuse_logits(const Graph&, const Node& n) {
  for (const Value& in : n.inputs) {
    if (in.dtype() == DType::f64) return "no kernel for f64; has f32, bf16, f16";
  }
  return "";
}

int64_t logits_workspace(const Node& n) {
  const Value &x = n.inputs[kLogitsX], &w = n.inputs[kLogitsWeight];
  return cross_entropy_workspace(x.dim(0), w.dim(0), x.dtype());
}

}  // namespace hearth
