// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_code_formulas.h"

#include <bit>

#include "ops/row_program/row_program_tables.h"

namespace hearth {
namespace {

#include "ops/row_program/row_program_math.h"

// A value of a recording, with the operations of row_program_functions.h.
template <bool kWide>
struct CodeValue {
  CodeRecord* record;
  int node;
};
template <class V>
constexpr bool kLongTables = false;
template <>
constexpr bool kLongTables<CodeValue<true>> = true;

template <class V>
V made(V like, CodeOp op, int a, int b = -1, int c = -1, int immediate = 0) {
  return {like.record, like.record->add({.op = op, .in = {a, b, c}, .immediate = immediate})};
}
template <class V>
V constant_bits(V like, uint32_t x) {
  CodeInvariant value;
  value.words.fill(x);
  return {like.record, like.record->invariant(value)};
}
template <class V>
V constant(V like, float x) {
  return constant_bits(like, std::bit_cast<uint32_t>(x));
}
template <class V, size_t kSize>
V looked_up(const float (&table)[kSize], V integer) {
  static_assert(kSize == (kLongTables<V> ? 16 : 8));
  CodeInvariant value;
  for (size_t i = 0; i < kSize; ++i) value.words[i] = std::bit_cast<uint32_t>(table[i]);
  return made(integer, CodeOp::lookup, integer.node, integer.record->invariant(value));
}
template <class V>
V looked_up(const float (&table)[32], V integer) {
  CodeInvariant low, high;
  for (size_t i = 0; i < 16; ++i) {
    low.words[i] = std::bit_cast<uint32_t>(table[i]);
    high.words[i] = std::bit_cast<uint32_t>(table[16 + i]);
  }
  const int first = integer.record->invariant(low);
  return made(integer, CodeOp::lookup32, integer.node, first, integer.record->invariant(high));
}

#define HEARTH_TWO(name, op)                                      \
  template <bool kWide>                                           \
  CodeValue<kWide> name(CodeValue<kWide> a, CodeValue<kWide> b) { \
    return made(a, CodeOp::op, a.node, b.node);                   \
  }
HEARTH_TWO(operator+, add)
HEARTH_TWO(operator-, sub)
HEARTH_TWO(operator*, mul)
HEARTH_TWO(operator/, div)
HEARTH_TWO(larger, max)  // the second where one is NaN, or both are 0
HEARTH_TWO(smaller, min)
HEARTH_TWO(bits_and, bits_and)
HEARTH_TWO(bits_or, bits_or)
HEARTH_TWO(bits_xor, bits_xor)
HEARTH_TWO(bits_plus, bits_plus)
HEARTH_TWO(bits_minus, bits_minus)
HEARTH_TWO(scaled, scaled)
#undef HEARTH_TWO

// The predicates of vcmpps. Ordered: false for NaN.
constexpr int kEqual = 0, kNotEqual = 4, kLess = 0x11, kLessOrEqual = 0x12, kGreaterOrEqual = 0x1d, kGreater = 0x1e;

template <class V>
V compare(V a, V b, int predicate) {
  return made(a, CodeOp::compare, a.node, b.node, -1, predicate);
}
template <class V>
V less(V a, V b) {
  return compare(a, b, kLess);
}
// A mask of AVX2 is its signs.
template <bool kWide>
CodeValue<kWide> negative(CodeValue<kWide> a) {
  if constexpr (kWide) return made(a, CodeOp::bits_right_signed, a.node, -1, -1, 31);
  return a;
}
template <class V>
V where(V mask, V yes, V no) {
  return made(mask, CodeOp::where, mask.node, yes.node, no.node);
}
template <class V>
V fma(V a, V b, V c) {
  return made(a, CodeOp::fma, a.node, b.node, c.node);
}
template <class V>
V fnma(V a, V b, V c) {
  return made(a, CodeOp::fnma, a.node, b.node, c.node);
}
template <class V>
V at_least(float low, V x) {
  return larger(constant(x, low), x);
}
template <class V>
V at_most(float high, V x) {
  return smaller(constant(x, high), x);
}
template <class V>
V bits_left(V a, int by) {
  return made(a, CodeOp::bits_left, a.node, -1, -1, by);
}
template <class V>
V bits_right(V a, int by) {
  return made(a, CodeOp::bits_right, a.node, -1, -1, by);
}
template <class V>
V bits_right_signed(V a, int by) {
  return made(a, CodeOp::bits_right_signed, a.node, -1, -1, by);
}
template <class V>
V reciprocal(V a) {
  return made(a, CodeOp::reciprocal, a.node);
}
template <class V>
V square_root(V a) {
  return made(a, CodeOp::sqrt, a.node);
}

#include "ops/row_program/row_program_functions.h"

template <class V>
V where_nan(V x, V yes, V no) {
  return made(x, CodeOp::where_nan, x.node, yes.node, no.node);
}

template <class V>
V nan_or(V a, V b, V no) {
  return made(a, CodeOp::nan_or, a.node, b.node, no.node);
}

// As max_of and min_of: NaN wins, +0 is above -0. Of two zeros `larger` gives the second, AVX-512's own operation not.
template <bool kWide>
CodeValue<kWide> maximum(CodeValue<kWide> a, CodeValue<kWide> b) {
  if constexpr (kWide) return nan_or(a, b, made(a, CodeOp::range, a.node, b.node, -1, 5));
  return nan_or(a, b, bits_and(larger(a, b), larger(b, a)));
}
template <bool kWide>
CodeValue<kWide> minimum(CodeValue<kWide> a, CodeValue<kWide> b) {
  if constexpr (kWide) return nan_or(a, b, made(a, CodeOp::range, a.node, b.node, -1, 4));
  return nan_or(a, b, bits_or(smaller(a, b), smaller(b, a)));
}

// 1 and 0 as the register of a boolean holds them.
template <class V>
V boolean(V mask) {
  return bits_and(mask, constant_bits(mask, 1));
}

template <class V>
V rounded_bits(V x) {
  const V odd = bits_and(bits_right(x, 16), constant_bits(x, 1));
  const V rounded = bits_plus(x, bits_plus(odd, constant_bits(x, 0x7fff)));
  const V quiet = bits_or(x, constant_bits(x, 0x400000));
  return bits_and(where_nan(x, quiet, rounded), constant_bits(x, 0xffff0000u));
}

template <class V>
V value_of(RowOp op, V a, V b, V c) {
  switch (op) {
    case RowOp::add_f32: return a + b;
    case RowOp::sub_f32: return a - b;
    case RowOp::mul_f32: return a * b;
    case RowOp::div_f32: return a / b;
    case RowOp::max_f32: return maximum(a, b);
    case RowOp::min_f32: return minimum(a, b);
    case RowOp::neg_f32: return bits_xor(a, constant_bits(a, 0x80000000u));
    case RowOp::abs_f32: return magnitude(a);
    case RowOp::sqrt_f32: return square_root(a);
    case RowOp::rsqrt_f32: return constant(a, 1.0f) / square_root(a);
    case RowOp::exp_f32: return exp_of(a);
    case RowOp::expm1_f32: return expm1_of(a);
    case RowOp::tanh_f32: return tanh_of(a);
    case RowOp::logistic_f32: return logistic_of(a);
    case RowOp::erf_f32: return erf_of(a);
    case RowOp::eq_f32: return boolean(compare(a, b, kEqual));
    case RowOp::ne_f32: return boolean(compare(a, b, kNotEqual));
    case RowOp::lt_f32: return boolean(compare(a, b, kLess));
    case RowOp::le_f32: return boolean(compare(a, b, kLessOrEqual));
    case RowOp::gt_f32: return boolean(compare(a, b, kGreater));
    case RowOp::ge_f32: return boolean(compare(a, b, kGreaterOrEqual));
    case RowOp::select: return where(made(a, CodeOp::is_zero, a.node), c, b);
    case RowOp::add_i32: return bits_plus(a, b);
    case RowOp::sub_i32: return bits_minus(a, b);
    case RowOp::and_u32: return bits_and(a, b);
    case RowOp::or_u32: return bits_or(a, b);
    case RowOp::xor_u32: return bits_xor(a, b);
    case RowOp::i32_to_f32: return made(a, CodeOp::to_float, a.node);
    case RowOp::round_bf16: return rounded_bits(a);
    case RowOp::sum_f32: return a + b;
    case RowOp::max_row_f32:  // see record_extreme
    case RowOp::min_row_f32: return a;
    case RowOp::copy: return a;
    default: return {a.record, -1};
  }
}

template <bool kWide>
int record_as(CodeRecord* record, RowOp op, int a, int b, int c) {
  using V = CodeValue<kWide>;
  return value_of(op, V{record, a}, V{record, b}, V{record, c}).node;
}

}  // namespace

bool is_recorded(RowOp op) {
  static const std::vector<bool> known = [] {
    std::vector<bool> found;
    for (int i = 0; i < int(RowOp::count); ++i) {
      CodeRecord record;
      const int x = record.add({.op = CodeOp::load});
      found.push_back(record_op(&record, RowOp(i), x, x, x) >= 0);
    }
    return found;
  }();
  return known[size_t(op)];
}

int record_op(CodeRecord* record, RowOp op, int a, int b, int c) {
  return record->wide ? record_as<true>(record, op, a, b, c) : record_as<false>(record, op, a, b, c);
}
int record_multiply_add(CodeRecord* record, int a, int b, int c) {
  return record->add({.op = CodeOp::fma, .in = {a, b, c}});
}
int record_rounded(CodeRecord* record, int a) { return record_op(record, RowOp::round_bf16, a, -1, -1); }

int record_extreme(CodeRecord* record, int which, int a, int b) {
  constexpr CodeOp kOps[kExtremes] = {CodeOp::largest_signed, CodeOp::largest_unsigned, CodeOp::smallest_unsigned};
  return record->add({.op = kOps[which], .in = {a, b, -1}});
}

uint32_t record_start(RowOp reduction, int accumulator) {
  if (!is_extreme(reduction)) return std::bit_cast<uint32_t>(-0.0f);
  return accumulator == 0 ? 0x80000000u : accumulator == 1 ? 0u : 0xffffffffu;
}

}  // namespace hearth
