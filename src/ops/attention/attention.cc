// SPDX-License-Identifier: Apache-2.0
#include "ops/attention/attention.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

Value attention(const Value& q, const Value& k, const Value& v, const AttentionOptions& options) {
  HEARTH_CHECK(options.q_segments.has_value() == options.k_segments.has_value(), value,
               "attention: segments are needed for q and k, or for neither");
  std::vector<Value> in = {q, k, v};
  HEARTH_CHECK(options.window >= 0 && (options.window == 0 || options.causal), value, "attention: a window of ",
               options.window, " keys is for causal attention only");
  HEARTH_CHECK(options.soft_cap >= 0, value, "attention: soft_cap must be 0 (none) or more; it is ", options.soft_cap);
  for (const std::optional<Value>* extra :
       {&options.start, &options.q_segments, &options.k_segments, &options.mask, &options.key_bias}) {
    if (*extra) in.push_back(**extra);
  }
  const double scale = options.scale != 0 ? options.scale : 1 / std::sqrt(double(q.rank() == 4 ? q.dim(3) : 1));
  Attrs attrs{{"causal", int64_t(options.causal)},
              {"scale", scale},
              {"has_start", int64_t(options.start.has_value())},
              {"has_segments", int64_t(options.q_segments.has_value())},
              {"has_mask", int64_t(options.mask.has_value())}};
  if (options.window > 0) attrs.set("window", options.window);
  if (options.soft_cap > 0) attrs.set("soft_cap", options.soft_cap);
  if (options.key_bias) attrs.set("has_bias", int64_t(1));
  return q.graph->add("attention", in, attrs);
}

// --- shape rules
// -------------------------------------------------------------------------------------------------------

// The optional inputs by name; `first` is where they begin.
struct Extras {
  Value start, q_segments, k_segments, mask, key_bias;
};
static Extras extras_of(const std::vector<Value>& in, const Attrs& attrs, size_t first) {
  Extras e;
  if (attrs.integer("has_start")) e.start = in.at(first++);
  if (attrs.integer("has_segments")) {
    e.q_segments = in.at(first++);
    e.k_segments = in.at(first++);
  }
  if (attrs.integer("has_mask")) e.mask = in.at(first++);
  if (attrs.integer_or("has_bias", 0)) e.key_bias = in.at(first++);
  return e;
}

static void check(const InferArgs& args, size_t first_extra) {
  const Value &q = args.in[0], &k = args.in[1], &v = args.in[2];
  HEARTH_CHECK(is_float(q.dtype()) && k.dtype() == q.dtype() && v.dtype() == q.dtype(), dtype, args.op,
               ": dtypes differ or are no floats\n  q is ", q, "\n  k is ", k, "\n  v is ", v);
  HEARTH_CHECK(q.rank() == 4 && k.rank() == 4 && k.dims() == v.dims(), shape, args.op,
               ": needs q [B,T,H,D] and k, v [B,S,G,D]\n  q is ", q, "\n  k is ", k, "\n  v is ", v);
  HEARTH_CHECK(q.dim(0) == k.dim(0) && q.dim(3) == k.dim(3), shape, args.op, ": batch or head size differ\n  q is ", q,
               "\n  k is ", k);
  HEARTH_CHECK(k.dim(2) > 0 && q.dim(2) % k.dim(2) == 0, shape, args.op, ": ", q.dim(2), " heads do not share ",
               k.dim(2), " key heads evenly\n  q is ", q, "\n  k is ", k);
  const Extras e = extras_of(args.in, args.attrs, first_extra);
  if (e.start.valid()) {
    HEARTH_CHECK((e.start.type() == TensorType{DType::i32, {}} || e.start.type() == TensorType{DType::i32, {q.dim(0)}}),
                 shape, args.op, ": start must be an i32 scalar, or [B]; it is ", e.start, "\n  q is ", q);
  }
  if (e.q_segments.valid()) {
    HEARTH_CHECK((e.q_segments.type() == TensorType{DType::i32, {q.dim(0), q.dim(1)}} &&
                  e.k_segments.type() == TensorType{DType::i32, {k.dim(0), k.dim(1)}}),
                 shape, args.op, ": segments must be i32 [B,T] and [B,S]\n  q is ", q, "\n  k is ", k, "\n  they are ",
                 e.q_segments, " and ", e.k_segments);
  }
  if (e.mask.valid()) {
    const Dims whole = {q.dim(0), q.dim(2), q.dim(1), k.dim(1)};
    bool fits = e.mask.dtype() == DType::boolean && e.mask.rank() == 4;
    for (int64_t i = 0; fits && i < 4; ++i) fits = e.mask.dim(i) == whole[size_t(i)] || (i < 3 && e.mask.dim(i) == 1);
    HEARTH_CHECK(fits, shape, args.op, ": mask must be bool ", ShowDims{whole}, ", where B, H and T may be 1; it is ",
                 e.mask);
  }
  if (e.key_bias.valid()) {
    HEARTH_CHECK((e.key_bias.type() == TensorType{DType::f32, {q.dim(2), k.dim(1)}}), shape, args.op,
                 ": key_bias must be f32 [H,S]\n  q is ", q, "\n  k is ", k, "\n  key_bias is ", e.key_bias);
  }
}

static double soft_cap_of(const Attrs& attrs) { return attrs.has("soft_cap") ? attrs.real("soft_cap") : 0; }

static DType sums(DType stored) { return stored == DType::f64 ? DType::f64 : DType::f32; }

static std::vector<TensorType> infer(const InferArgs& args) {
  check(args, 3);
  const Value& q = args.in[0];
  return {q.type(), {sums(q.dtype()), {q.dim(0), q.dim(1), q.dim(2)}}};
}

static std::vector<TensorType> infer_grad(const InferArgs& args) {
  check(args, 6);
  return {args.in[0].type(), args.in[1].type(), args.in[2].type()};
}

// --- the definition
// ----------------------------------------------------------------------------------------------------

// Scaled and capped scores [B,G,R,T,S] with R = H/G: biased, hidden ones -infinity; and the derivative of the cap, not
// valid without one.
struct Scores {
  Value hidden, cap_slope;
};

// By position: causal, and not past the window.
static Value seen_by_position(Graph& graph, const Dims& whole, const Value& first, const Attrs& attrs) {
  const Value of_row = first.rank() == 0 ? first : broadcast_in_dim(first, whole, {0});
  const Value last = iota(graph, DType::i32, whole, 3) + of_row, key = iota(graph, DType::i32, whole, 4);
  const Value causal = compare("LE", key, last);
  const int64_t window = attrs.integer_or("window", 0);
  if (window == 0) return causal;
  return binary("and", causal, compare("GT", key, last - constant(graph, double(window), DType::i32)));
}

static Scores hidden_scores(const Value& q, const Value& k, const Extras& e, const Attrs& attrs) {
  Graph& graph = *q.graph;
  const int64_t B = q.dim(0), T = q.dim(1), H = q.dim(2), D = q.dim(3), S = k.dim(1), G = k.dim(2), R = H / G;
  const Value grouped = reshape(q, {B, T, G, R, D});
  const Value dot = dot_general(
      grouped, k, {.a_batch = {0, 2}, .b_batch = {0, 2}, .a_contract = {4}, .b_contract = {3}});  // [B,G,T,R,S]
  Value scores = transpose(dot, {0, 1, 3, 2, 4}) * attrs.real("scale"), slope;
  const Dims whole = {B, G, R, T, S};
  if (const double cap = soft_cap_of(attrs)) {
    const Value t = tanh(scores * (1 / cap));
    slope = 1.0 - t * t;
    scores = t * cap;
  }
  if (e.key_bias.valid())
    scores = scores + broadcast_in_dim(convert(reshape(e.key_bias, {G, R, S}), scores.dtype()), whole, {1, 2, 4});
  Value visible = scalar_like(compare("EQ", scores, scores), 1);
  if (attrs.integer("causal")) {
    const Value start = e.start.valid() ? e.start : constant(graph, double(S - T), DType::i32);
    visible = binary("and", visible, seen_by_position(graph, whole, start, attrs));
  }
  if (e.q_segments.valid()) {
    visible = binary(
        "and", visible,
        compare("EQ", broadcast_in_dim(e.q_segments, whole, {0, 3}), broadcast_in_dim(e.k_segments, whole, {0, 4})));
  }
  if (e.mask.valid()) {
    const Dims all_heads = {e.mask.dim(0), e.mask.dim(1), e.mask.dim(2), S};
    const bool one = e.mask.dim(1) == 1;
    const Value m = reshape(e.mask, {all_heads[0], one ? 1 : G, one ? 1 : R, all_heads[2], S});
    visible = binary("and", visible, broadcast_in_dim(m, whole, {0, 1, 2, 3, 4}));
  }
  return {select(visible, scores, scalar_like(scores, -std::numeric_limits<double>::infinity())), slope};
}

// [B,G,R,T,X] <-> [B,T,H,X]
static Value to_tokens_outside(const Value& x, int64_t H) {
  return reshape(transpose(x, {0, 3, 1, 2, 4}), {x.dim(0), x.dim(3), H, x.dim(4)});
}
static Value to_heads_outside(const Value& x, int64_t G) {
  return transpose(reshape(x, {x.dim(0), x.dim(1), G, x.dim(2) / G, x.dim(3)}), {0, 2, 3, 1, 4});
}

static std::vector<Value> decompose(Graph&, const std::vector<Value>& in, const Attrs& attrs) {
  const DType t = sums(in[0].dtype());
  const Value q = convert(in[0], t), k = convert(in[1], t), v = convert(in[2], t);
  const int64_t H = q.dim(2);
  const Value scores = hidden_scores(q, k, extras_of(in, attrs, 3), attrs).hidden;  // [B,G,R,T,S]
  const double infinity = std::numeric_limits<double>::infinity();
  const Value top = max_last(scores);
  const Value shift =
      select(compare("EQ", top, scalar_like(top, -infinity)), scalar_like(top, 0), top);  // a row with no key
  const Value e = exp(scores - shift), sum = sum_last(e);
  const Value p = e / select(compare("EQ", sum, scalar_like(sum, 0)), scalar_like(sum, 1), sum);
  const Value out =
      dot_general(p, v, {.a_batch = {0, 1}, .b_batch = {0, 2}, .a_contract = {4}, .b_contract = {1}});  // [B,G,R,T,D]
  const Value lse = to_tokens_outside(log(sum) + shift, H);                                             // [B,T,H,1]
  return {convert(to_tokens_outside(out, H), in[0].dtype()), reshape(lse, {q.dim(0), q.dim(1), H})};
}

// P = exp(scores - lse); dV = P^T dO; dS = P (dO V^T - rowsum(dO O)) (times the cap's slope); dQ = scale dS K;
// dK = scale dS^T Q.
static std::vector<Value> decompose_grad(Graph&, const std::vector<Value>& in, const Attrs& attrs) {
  const DType t = sums(in[0].dtype());
  const Value q = convert(in[0], t), k = convert(in[1], t), v = convert(in[2], t), out = convert(in[3], t),
              dout = convert(in[5], t);
  const int64_t B = q.dim(0), T = q.dim(1), H = q.dim(2), G = k.dim(2);
  const Scores all = hidden_scores(q, k, extras_of(in, attrs, 6), attrs);  // [B,G,R,T,S]
  const double infinity = std::numeric_limits<double>::infinity();
  const Value lse = to_heads_outside(reshape(in[4], {B, T, H, 1}), G);  // [B,G,R,T,1]
  const Value none = compare("EQ", lse, scalar_like(lse, -infinity));
  const Value p = exp(all.hidden - select(none, scalar_like(lse, 0), lse));
  const Value dO = to_heads_outside(dout, G), O = to_heads_outside(out, G), Q = to_heads_outside(q, G);  // [B,G,R,T,D]
  const Value dv = dot_general(
      p, dO, {.a_batch = {0, 1}, .b_batch = {0, 1}, .a_contract = {2, 3}, .b_contract = {2, 3}});  // [B,G,S,D]
  const Value dp =
      dot_general(dO, v, {.a_batch = {0, 1}, .b_batch = {0, 2}, .a_contract = {4}, .b_contract = {3}});  // [B,G,R,T,S]
  Value ds = p * (dp - sum_last(dO * O)) * attrs.real("scale");
  if (all.cap_slope.valid()) ds = ds * all.cap_slope;
  const Value dq =
      dot_general(ds, k, {.a_batch = {0, 1}, .b_batch = {0, 2}, .a_contract = {4}, .b_contract = {1}});  // [B,G,R,T,D]
  const Value dk = dot_general(
      ds, Q, {.a_batch = {0, 1}, .b_batch = {0, 1}, .a_contract = {2, 3}, .b_contract = {2, 3}});  // [B,G,S,D]
  const auto tokens_first = [](const Value& x) { return transpose(x, {0, 2, 1, 3}); };
  return {convert(to_tokens_outside(dq, H), in[0].dtype()), convert(tokens_first(dk), in[1].dtype()),
          convert(tokens_first(dv), in[2].dtype())};
}

// The whole derivative is one more operation; a cotangent of lse (only higher derivatives make one) goes through the
// definition.
static void grad(VjpArgs& v) {
  const bool biased = v.attrs.integer_or("has_bias", 0) != 0;
  v.use_decomposition = v.cotangent[1].valid() || (biased && v.wanted.back());
  if (v.use_decomposition) return;
  std::vector<Value> in = {v.in[0], v.in[1], v.in[2], v.out[0], v.out[1], v.cotangent[0]};
  in.insert(in.end(), v.in.begin() + 3, v.in.end());
  const std::vector<Value> grads = v.graph.add_all("attention_grad", in, v.attrs);
  for (size_t i = 0; i < 3; ++i) v.grad[i] = grads[i];
}

// Examples are more rows of the batch it has. `first` is where the optional inputs begin.
static void batch(BatchArgs& b, size_t first) {
  const Attrs& attrs = b.node.attrs;
  const size_t start = attrs.integer("has_start") ? first : b.in.size();
  const size_t bias = b.in.size() - size_t(attrs.integer_or("has_bias", 0));
  const size_t mask = attrs.integer("has_mask") ? bias - 1 : b.in.size();
  if (bias < b.in.size() && b.batched[bias]) return batch_decomposition(b);
  std::vector<Value> in = b.in;
  for (size_t i = 0; i < in.size(); ++i) {
    const bool shared_start = i == start && !b.batched[i] && in[i].rank() == 0;
    if (shared_start || i == bias || (i == mask && !b.batched[i] && in[i].dim(0) == 1)) continue;
    in[i] = b.with_batch(i);
    if (i == start && in[i].rank() == 1) {  // [N]: every row of an example has the same
      in[i] = broadcast_in_dim(in[i], {b.size, b.node.inputs[0].dim(0)}, {0});
    }
    if (i == mask) {  // [N,1,...]: every row of an example has the same
      Dims whole = in[i].dims();
      whole[1] = b.node.inputs[0].dim(0);
      in[i] = broadcast_to(in[i], whole);
    }
    in[i] = fold_batch(in[i]);
  }
  for (const Value& out : b.graph.add_all(b.node.op->name, in, attrs)) b.out.push_back(unfold_batch(out, b.size));
}

static std::string refuse(const Graph&, const Node& n) {
  const DType t = n.inputs[0].dtype();
  return t == DType::f32 || t == DType::bf16 || t == DType::f16
             ? ""
             : cat("no attention kernel for ", t, "; has f32, bf16, f16");
}

std::vector<OpInfo> attention_ops() {
  OpInfo forward{.name = "attention",
                 .doc = "softmax(q k^T) v without the score matrix",
                 .infer = infer,
                 .vjp = grad,
                 .decompose = decompose,
                 .batch = [](BatchArgs& b) { batch(b, 3); }};
  forward.offers = {{"cpu", "attention", refuse}};
  OpInfo backward{.name = "attention_grad",
                  .doc = "derivative of attention",
                  .infer = infer_grad,
                  .decompose = decompose_grad,
                  .batch = [](BatchArgs& b) { batch(b, 6); }};
  backward.offers = {{"cpu", "attention_grad", refuse}};
  return {forward, backward};
}

}  // namespace hearth
