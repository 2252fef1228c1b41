// SPDX-License-Identifier: Apache-2.0
// Operations on the bits of numbers: logic, shifts, counts, bitcast_convert, reduce_precision.
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/elementwise/elementwise_rules.h"
#include "ops/elementwise/row_instructions.h"

namespace hearth {

static OpInfo bits_op(const char* name, Takes takes) {
  return {.name = name,
          .doc = "element-wise",
          .infer = same_type_rule(takes),
          .row_kind = RowKind::elementwise,
          .row_op = row_instruction_of,
          .differentiable = false};
}

// --- bitcast_convert ------------------------------------------------------------------------------------------------

// f32[2,3] is u32[2,3], u16[2,3,2] and, of f32[2,2], u64[2].
static std::vector<TensorType> infer_bitcast(const InferArgs& args) {
  const Value& x = args.in[0];
  const int64_t number = args.attrs.integer("dtype");
  HEARTH_CHECK(number >= 0 && number < kDTypes, value, "bitcast_convert: dtype number ", number, " does not exist");
  const DType to = static_cast<DType>(number);
  HEARTH_CHECK(x.dtype() != DType::boolean && to != DType::boolean, dtype,
               "bitcast_convert: bool has no bits of its own; x is ", x, ", wanted ", to);
  HEARTH_CHECK(is_complex(x.dtype()) == is_complex(to), dtype,
               "bitcast_convert: complex numbers become complex numbers only; x is ", x, ", wanted ", to);
  const int64_t from_bytes = size_bytes(x.dtype()), to_bytes = size_bytes(to);
  Dims dims = x.dims();
  if (from_bytes > to_bytes) dims.push_back(from_bytes / to_bytes);
  if (from_bytes < to_bytes) {
    HEARTH_CHECK(x.rank() > 0 && x.dim(-1) == to_bytes / from_bytes, shape, "bitcast_convert: ", to_bytes / from_bytes,
                 " elements of ", x.dtype(), " make one ", to, ", so the last axis needs that size; x is ", x);
    dims.pop_back();
  }
  return {{to, dims}};
}

static bool takes_row(DType t) { return t == DType::f32 || t == DType::i32 || t == DType::u32; }

// The axis that comes or goes is the last one; element-wise batching would align the shapes at the right.
static void batch_bitcast(BatchArgs& b) { b.out = b.graph.add_all("bitcast_convert", b.in, b.node.attrs); }

static OpInfo bitcast_op() {
  return {.name = "bitcast_convert",
          .doc = "the same bits as another dtype",
          .infer = infer_bitcast,
          .batch = batch_bitcast,
          .row_kind = RowKind::elementwise,
          .row_op =
              [](const Node& n) {
                return takes_row(n.inputs[0].dtype()) && takes_row(n.types[0].dtype) ? RowOp::copy : RowOp::none;
              },
          .offers = {{"cpu", "bitcast_convert", nullptr}},
          .differentiable = false};
}

// --- reduce_precision -----------------------------------------------------------------------------------------------

struct Format {
  DType bits;
  int64_t width, exponent, mantissa;
};

// Adds just below half of the last bit kept, or half where that bit is odd, and cuts the rest: ties to even. A carry
// into the exponent is right.
static Value rounded_mantissa(const Value& bits, const Format& f, int64_t mantissa) {
  const auto number = [&](uint64_t n) {
    return bits.graph->add("constant", {}, {{"value", int64_t(n)}, {"dtype", int64_t(f.bits)}, {"shape", Dims{}}});
  };
  const uint64_t last = uint64_t(1) << (f.mantissa - mantissa);
  const Value odd =
      binary("and", binary("shift_right_logical", bits, number(uint64_t(f.mantissa - mantissa))), number(1));
  return binary("and", bits + (odd + number(last / 2 - 1)), number(~(last - 1)));
}

// As XLA: what is too large becomes infinite, what lies below the smallest normal number becomes zero.
static Value limited_exponent(const Value& bits, const Format& f, int64_t exponent) {
  const auto number = [&](uint64_t n) {
    return bits.graph->add("constant", {}, {{"value", int64_t(n)}, {"dtype", int64_t(f.bits)}, {"shape", Dims{}}});
  };
  const uint64_t bias = (uint64_t(1) << (f.exponent - 1)) - 1, reduced = (uint64_t(1) << (exponent - 1)) - 1;
  const uint64_t field = ((uint64_t(1) << f.exponent) - 1) << f.mantissa;
  const Value power = binary("and", bits, number(field));
  const Value sign = binary("and", bits, number(uint64_t(1) << (f.width - 1)));
  const Value limited =
      select(compare("GT", power, number((bias + reduced) << f.mantissa)), binary("or", sign, number(field)), bits);
  return select(compare("LE", power, number((bias - reduced) << f.mantissa)), sign, limited);
}

static std::vector<Value> decompose_reduce_precision(Graph&, const std::vector<Value>& in, const Attrs& attrs) {
  const Value x = size_bytes(in[0].dtype()) == 2 ? convert(in[0], DType::f32) : in[0];
  const Format f = x.dtype() == DType::f64 ? Format{DType::u64, 64, 11, 52} : Format{DType::u32, 32, 8, 23};
  const int64_t exponent = attrs.integer("exponent_bits"), mantissa = attrs.integer("mantissa_bits");
  Value bits = bitcast_convert(x, f.bits);
  if (mantissa < f.mantissa) bits = rounded_mantissa(bits, f, mantissa);
  if (exponent < f.exponent) bits = limited_exponent(bits, f, exponent);
  const Value y = bitcast_convert(bits, x.dtype());
  return {convert(select(compare("NE", x, x), x, y), in[0].dtype())};
}

static OpInfo reduce_precision_op() {
  return {.name = "reduce_precision",
          .doc = "rounding to fewer exponent and mantissa bits",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> {
            const int64_t exponent = args.attrs.integer("exponent_bits"),
                          mantissa = args.attrs.integer("mantissa_bits");
            HEARTH_CHECK(is_float(args.in[0].dtype()), dtype, "reduce_precision: needs a float; x is ", args.in[0]);
            HEARTH_CHECK(exponent >= 1 && mantissa >= 0, value, "reduce_precision: ", exponent, " exponent bits and ",
                         mantissa, " mantissa bits; needs at least 1 and 0");
            return {args.in[0].type()};
          },
          .vjp =
              [](VjpArgs& v) {
                v.grad[0] = reduce_precision(v.cotangent[0], v.attrs.integer("exponent_bits"),
                                             v.attrs.integer("mantissa_bits"));
              },
          .decompose = decompose_reduce_precision,
          .row_kind = RowKind::elementwise,  // a batch is done at once
          .row_op = row_instruction_of};
}

std::vector<OpInfo> bits_ops() {
  return {bits_op("and", kBits),
          bits_op("or", kBits),
          bits_op("xor", kBits),
          bits_op("not", kBits),
          bits_op("shift_left", kInteger),
          bits_op("shift_right_logical", kInteger),
          bits_op("shift_right_arithmetic", kInteger),
          bits_op("count_leading_zeros", kInteger),
          bits_op("popcnt", kInteger),
          bitcast_op(),
          reduce_precision_op()};
}

}  // namespace hearth
