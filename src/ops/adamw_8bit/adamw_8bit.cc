// SPDX-License-Identifier: Apache-2.0
#include "ops/adamw_8bit/adamw_8bit.h"

#include "base/error.h"
#include "ir/rules.h"
#include "ops/adamw_8bit/dynamic_map.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

AdamW8bitState adamw_8bit(const AdamW8bitState& state, const AdamW8bitStep& step, const AdamWOptions& o) {
  const CodedMoments& s = state.moments;
  const std::vector<Value> out = state.parameter.graph->add_all(
      "adamw_8bit",
      {state.parameter, s.m, s.m_scale, s.v, s.v_scale, step.gradient, step.learning_rate, step.correction1,
       step.correction2, step.apply},
      {{"beta1", o.beta1}, {"beta2", o.beta2}, {"eps", o.eps}, {"weight_decay", o.weight_decay}});
  return {out[0], {out[1], out[2], out[3], out[4]}};
}

static std::vector<TensorType> infer(const InferArgs& args) {
  const TensorType& p = args.in[0].type();
  const DType dtype = p.dtype == DType::f64 ? DType::f64 : DType::f32;
  const int64_t blocks = (p.elements() + kDynamicBlock - 1) / kDynamicBlock;
  const TensorType like{dtype, p.dims}, codes{DType::u8, {blocks, kDynamicBlock}}, scales{dtype, {blocks, 1}},
      scalar{dtype, {}}, flag{DType::boolean, {}};
  const TensorType wanted[] = {like, codes, scales, codes, scales, like, scalar, scalar, scalar, flag};
  for (size_t i = 0; i < std::size(wanted); ++i) {
    HEARTH_CHECK(args.in[i].type() == wanted[i], shape, "adamw_8bit: input ", i, " must be ", wanted[i],
                 "\n  parameter is ", args.in[0], "\n  input ", i, " is ", args.in[i]);
  }
  return {like, codes, scales, codes, scales};
}

// Of the decade that `x` lies in: by_decade(i) where x >= border(i), the last of them.
template <class ByDecade, class Border>
static Value choose(const Value& x, ByDecade by_decade, Border border) {
  Value chosen = scalar_like(x, by_decade(0));
  for (int i = 1; i < DynamicMap::kDecades; ++i)
    chosen = select(compare("GE", x, constant(*x.graph, border(i), x.dtype())), scalar_like(x, by_decade(i)), chosen);
  return chosen;
}

// The number of the value nearest to a magnitude of at most 1; 0 for 0.
static Value nearest(const Value& magnitude, const DynamicMap& map) {
  const auto parts = [&](int i) { return map.parts(i); };
  const auto border = [&](int i) { return map.border(i); };
  const Value count = choose(magnitude, parts, border);
  const Value inverse_top = choose(
      magnitude, [&](int i) { return 1 / map.top(i); }, border);
  const Value part = floor((magnitude * inverse_top - 0.1) * (1 / 0.9) * count);
  const Value number = count + clamp(scalar_like(part, 0), part, count - 1.0);
  const auto at_least = [&](double limit) {
    return compare("GE", magnitude, constant(*magnitude.graph, limit, magnitude.dtype()));
  };
  const Value above_zero = select(at_least(map.border(0)), number, scalar_like(number, 0));
  return select(at_least(map.border_of_one()), scalar_like(number, map.one()), above_zero);
}

static Value value_of(const Value& number, const DynamicMap& map) {
  const auto parts = [&](int i) { return map.parts(i); };
  const Value count = choose(number, parts, parts);
  const Value top = choose(
      number, [&](int i) { return map.top(i); }, parts);
  const Value value = top * (0.1 + 0.9 * ((number - count + 0.5) / count));
  const auto at_least = [&](double limit) {
    return compare("GE", number, constant(*number.graph, limit, number.dtype()));
  };
  const Value above_zero = select(at_least(map.first), value, scalar_like(value, 0));
  return select(at_least(map.one()), scalar_like(value, 1), above_zero);
}

static Value decode_signed(const Value& codes, const Value& scales) {
  const Value number = convert(codes, scales.dtype()) - 127.0;
  return sign(number) * value_of(abs(number), kSignedMap) * scales;
}
static Value encode_signed(const Value& x) {  // in [-1,1]
  const Value positive = nearest(abs(x), kSignedMap);
  const Value negative = minimum(positive, scalar_like(positive, 127));  // there is no -1
  const Value below = compare("LT", x, constant(*x.graph, 0, x.dtype()));
  return convert(select(below, 127.0 - negative, positive + 127.0), DType::u8);
}

static Value decode_unsigned(const Value& codes, const Value& scales) {
  return value_of(convert(codes, scales.dtype()) + 1.0, kUnsignedMap) * scales;
}
static Value encode_unsigned(const Value& x) {  // in [0,1]
  return convert(maximum(nearest(x, kUnsignedMap) - 1.0, scalar_like(x, 0)), DType::u8);
}

// x / scale, 0 where the whole block is. No product with 1 / scale, which overflows below 1e-38.
static Value scaled(const Value& x, const Value& scales) {
  const Value some = compare("GT", scales, constant(*x.graph, 0, x.dtype()));
  return x / select(some, scales, scalar_like(scales, 1));
}

// As [blocks,256], zeros behind the end; and back.
static Value in_blocks(const Value& x, int64_t blocks) {
  const int64_t missing = blocks * kDynamicBlock - x.type().elements();
  Value flat = reshape(x, {x.type().elements()});
  if (missing > 0) flat = pad(flat, constant(*x.graph, 0, x.dtype()), {.low = {0}, .high = {missing}, .interior = {0}});
  return reshape(flat, {blocks, kDynamicBlock});
}
static Value from_blocks(const Value& x, const TensorType& type) {
  const Value flat = reshape(x, {x.type().elements()});
  return reshape(slice(flat, {0}, {type.elements()}), type.dims);
}

static std::vector<Value> decompose(Graph&, const std::vector<Value>& in, const Attrs& attrs) {
  const Value &p = in[0], &rate = in[6], &apply = in[9];
  const double beta1 = attrs.real("beta1"), beta2 = attrs.real("beta2"), decay = attrs.real("weight_decay");
  const Value g = in_blocks(in[5], in[1].dim(0));
  const Value m = decode_signed(in[1], in[2]) * beta1 + g * (1 - beta1);
  const Value v = decode_unsigned(in[3], in[4]) * beta2 + g * g * (1 - beta2);
  const Value m_scale = max_last(abs(m)), v_scale = max_last(v);
  const Value step = rate / in[7] * m / (sqrt(v) / sqrt(in[8]) + attrs.real("eps"));
  const Value shrunk = decay == 0 ? p : p * (1.0 - rate * decay);
  std::vector<Value> out = {shrunk - from_blocks(step, p.type()), encode_signed(scaled(m, m_scale)), m_scale,
                            encode_unsigned(scaled(v, v_scale)), v_scale};
  for (size_t i = 0; i < out.size(); ++i) out[i] = select(broadcast_to(apply, out[i].dims()), out[i], in[i]);
  return out;
}

std::vector<OpInfo> adamw_8bit_ops() {
  OpInfo op{.name = "adamw_8bit",
            .doc = "one AdamW step with moments in 8 bits",
            .infer = infer,
            .decompose = decompose,
            .in_place_input = 0,
            .differentiable = false};
  op.offers = {{"cpu", "adamw_8bit", [](const Graph&, const Node& n) {
                  return std::string(n.types[0].dtype == DType::f64 ? "no kernel for f64; has f32" : "");
                }}};
  return {op};
}

}  // namespace hearth
