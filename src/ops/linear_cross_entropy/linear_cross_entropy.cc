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

Value linear_cross_entropy(const Value& x, const Value& weight, const Value& labels, const LogitsOptions& options) {
  HEARTH_CHECK(options.soft_cap >= 0, value, "linear_cross_entropy: soft_cap must be 0 (none) or more; it is ",
               options.soft_cap);
  std::vector<Value> in = {x, weight, labels};
  Attrs attrs;
  if (options.low_rank) {
    in.insert(in.end(), {options.low_rank->u, options.low_rank->b});
    attrs.set("scale", options.low_rank->scale);
  }
  if (options.bias) {
    in.push_back(*options.bias);
    attrs.set("has_bias", int64_t(1));
  }
  if (options.soft_cap > 0) attrs.set("soft_cap", options.soft_cap);
  return x.graph->add("linear_cross_entropy", in, attrs);
}

// Inputs of both operations: x, weight, labels, with attribute `scale` u and b, with `has_bias` the bias.
static constexpr size_t kX = 0, kWeight = 1, kLabels = 2, kU = 3, kB = 4;
static bool has_low_rank(const Attrs& attrs) { return attrs.has("scale"); }
static bool has_bias(const Attrs& attrs) { return attrs.has("has_bias"); }
static double soft_cap(const Attrs& attrs) { return attrs.has("soft_cap") ? attrs.real("soft_cap") : 0; }

static DType sums(DType stored) { return stored == DType::f64 ? DType::f64 : DType::f32; }

static void check_low_rank(const InferArgs& args) {
  const Value &x = args.in[kX], &w = args.in[kWeight], &u = args.in[kU], &b = args.in[kB];
  const bool matrices = u.dtype() == x.dtype() && is_float(b.dtype()) && u.rank() == 2 && b.rank() == 2;
  HEARTH_CHECK(matrices && u.dim(0) == x.dim(0) && b.dim(0) == w.dim(0) && u.dim(1) == b.dim(1), shape, args.op,
               ": needs u [N,r] in x's dtype and b [V,r]\n  x is ", x, "\n  weight is ", w, "\n  u is ", u, "\n  b is ",
               b);
}

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value &x = args.in[kX], &w = args.in[kWeight], &labels = args.in[kLabels];
  HEARTH_CHECK(is_float(x.dtype()) && is_float(w.dtype()) && x.rank() == 2 && w.rank() == 2 && x.dim(1) == w.dim(1),
               shape, args.op, ": needs x [N,C] and weight [V,C]\n  x is ", x, "\n  weight is ", w);
  HEARTH_CHECK((labels.type() == TensorType{DType::i32, {x.dim(0)}}), shape, args.op,
               ": labels must be i32 [N]\n  x is ", x, "\n  labels is ", labels);
  if (has_low_rank(args.attrs)) check_low_rank(args);
  if (has_bias(args.attrs)) {
    const Value& bias = args.in.back();
    HEARTH_CHECK(is_float(bias.dtype()) && bias.dims() == Dims{w.dim(0)}, shape, args.op,
                 ": the bias must be a float [V]\n  weight is ", w, "\n  bias is ", bias);
  }
  return {{sums(x.dtype()), {}}};
}

// loss, dx, and with the low-rank term du, db; db is summed over the chunks, so it has the dtype of sums.
static std::vector<TensorType> infer_grad(const InferArgs& args) {
  std::vector<TensorType> types = {infer(args)[0], args.in[kX].type()};
  if (has_low_rank(args.attrs)) {
    types.push_back(args.in[kU].type());
    types.push_back({types[0].dtype, args.in[kB].dims()});
  }
  return types;
}

struct Pieces {
  Value counted, hit, logits, lse;  // [N,1], [N,V], [N,V], [N,1]
  Value slope;                      // of the cap [N,V]; not valid without one
};

static Pieces pieces(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  const int64_t N = in[kX].dim(0), V = in[kWeight].dim(0);
  const DType t = sums(in[kX].dtype());
  Pieces p;
  p.logits = linear(convert(in[kX], t), in[kWeight]);
  if (has_low_rank(attrs)) p.logits = p.logits + linear(convert(in[kU], t), in[kB]) * attrs.real("scale");
  if (has_bias(attrs)) p.logits = p.logits + convert(in.back(), t);
  if (const double cap = soft_cap(attrs)) {
    const Value bent = tanh(p.logits * (1 / cap));
    p.slope = 1.0 - bent * bent;
    p.logits = bent * cap;
  }
  const Value labels = reshape(in[kLabels], {N, 1}), limit = constant(graph, double(V), DType::i32),
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

// dz = softmax(z) - onehot(label)   [N,V], of the logits before the cap
static Value dz_of(const Pieces& p) {
  const Value onehot = select(p.hit, scalar_like(p.logits, 1), scalar_like(p.logits, 0));
  const Value dz = exp(p.logits - p.lse) - onehot;
  return select(p.counted, p.slope.valid() ? dz * p.slope : dz, scalar_like(p.logits, 0));
}

static std::vector<Value> decompose(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  return {loss_of(pieces(graph, in, attrs))};
}

// dx = dz weight,  du = scale dz b,  db = scale dz^T u
static std::vector<Value> decompose_grad(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  const Pieces p = pieces(graph, in, attrs);
  const Value dz = dz_of(p);
  const auto summed = [&](const Value& x) { return convert(x, dz.dtype()); };
  std::vector<Value> out = {loss_of(p), convert(matmul(dz, summed(in[kWeight])), in[kX].dtype())};
  if (has_low_rank(attrs)) {
    const double scale = attrs.real("scale");
    out.push_back(convert(matmul(dz, summed(in[kB])) * scale, in[kU].dtype()));  // [N,r]
    out.push_back(matmul(dz, summed(in[kU]), {.transpose_a = true}) * scale);    // [V,r]
  }
  return out;
}

// The gradient operation gives the loss as well; compiler/simplify.cc then drops the forward one (see `subsumed_by`).
// It makes dx even where only u and b want a derivative: one operation, so that the loss stays part of it.
// Gradients of weight and bias (full tuning) go through the definition.
static void grad(VjpArgs& v) {
  const size_t source[] = {kX, kU, kB};  // of the gradient operation's outputs after the loss
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
  const bool wants_bias = has_bias(v.attrs) && v.wanted.back();
  if (!v.wanted[kWeight] && !wants_bias) return;
  const Value dz = dz_of(pieces(v.graph, v.in, v.attrs)) * v.cotangent[0];
  if (wants_bias) v.grad.back() = convert(reduce_sum(dz, {0}), v.in.back().dtype());
  if (v.wanted[kWeight]) {
    v.grad[kWeight] = convert(matmul(dz, convert(v.in[kX], dz.dtype()), {.transpose_a = true}), v.in[kWeight].dtype());
  }
}

static std::string refuse(const Graph&, const Node& n) {
  for (const Value& in : n.inputs) {
    if (in.dtype() == DType::f64) return "no kernel for f64; has f32, bf16, f16";
  }
  return "";
}

static int64_t workspace(const Node& n) {
  const Value &x = n.inputs[kX], &w = n.inputs[kWeight];
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
                  .doc = "loss and its derivatives by x and a low-rank term",
                  .infer = infer_grad,
                  .decompose = decompose_grad};
  backward.offers = {{"cpu", "linear_cross_entropy_grad", refuse, workspace}};
  return {forward, backward};
}

}  // namespace hearth
