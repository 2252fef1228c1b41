// SPDX-License-Identifier: Apache-2.0
// The table of row-program instructions. f32 stands for f16 and bf16 too, i32 for i8 and i16, u32 for u8 and u16:
// registers hold them widened.
#include <map>

#include "ops/elementwise/row_instructions.h"

namespace hearth {
namespace {

// clang-format off
//    operation                f32            f64            i32       u32       i64       u64       bool
#define HEARTH_ROW_INSTRUCTIONS(ROW)                                                                          \
  ROW(exponential,             exp_f32,       exp_f64,       none,     none,     none,     none,     none)    \
  ROW(exponential_minus_one,   expm1_f32,     expm1_f64,     none,     none,     none,     none,     none)    \
  ROW(log,                     log_f32,       log_f64,       none,     none,     none,     none,     none)    \
  ROW(log_plus_one,            log1p_f32,     log1p_f64,     none,     none,     none,     none,     none)    \
  ROW(sqrt,                    sqrt_f32,      sqrt_f64,      none,     none,     none,     none,     none)    \
  ROW(rsqrt,                   rsqrt_f32,     rsqrt_f64,     none,     none,     none,     none,     none)    \
  ROW(cbrt,                    cbrt_f32,      cbrt_f64,      none,     none,     none,     none,     none)    \
  ROW(logistic,                logistic_f32,  logistic_f64,  none,     none,     none,     none,     none)    \
  ROW(tanh,                    tanh_f32,      tanh_f64,      none,     none,     none,     none,     none)    \
  ROW(sine,                    sin_f32,       sin_f64,       none,     none,     none,     none,     none)    \
  ROW(cosine,                  cos_f32,       cos_f64,       none,     none,     none,     none,     none)    \
  ROW(tan,                     tan_f32,       tan_f64,       none,     none,     none,     none,     none)    \
  ROW(erf,                     erf_f32,       erf_f64,       none,     none,     none,     none,     none)    \
  ROW(floor,                   floor_f32,     floor_f64,     none,     none,     none,     none,     none)    \
  ROW(ceil,                    ceil_f32,      ceil_f64,      none,     none,     none,     none,     none)    \
  ROW(round_nearest_even,      round_even_f32,round_even_f64,none,     none,     none,     none,     none)    \
  ROW(round_nearest_afz,       round_away_f32,round_away_f64,none,     none,     none,     none,     none)    \
  ROW(is_finite,               is_finite_f32, is_finite_f64, none,     none,     none,     none,     none)    \
  ROW(negate,                  neg_f32,       neg_f64,       neg_i32,  neg_i32,  neg_i64,  neg_i64,  none)    \
  ROW(abs,                     abs_f32,       abs_f64,       abs_i32,  copy,     abs_i64,  copy_64,  none)    \
  ROW(sign,                    sign_f32,      sign_f64,      sign_i32, sign_u32, sign_i64, sign_u64, none)    \
  ROW(not,                     none,          none,          not_u32,  not_u32,  not_u64,  not_u64,  not_bool)\
  ROW(popcnt,                  none,          none,          popcnt_u32,popcnt_u32,popcnt_u64,popcnt_u64,none)\
  ROW(count_leading_zeros,     none,          none,          clz_u32,  clz_u32,  clz_u64,  clz_u64,  none)    \
  ROW(add,                     add_f32,       add_f64,       add_i32,  add_i32,  add_i64,  add_i64,  or_u32)  \
  ROW(subtract,                sub_f32,       sub_f64,       sub_i32,  sub_i32,  sub_i64,  sub_i64,  none)    \
  ROW(multiply,                mul_f32,       mul_f64,       mul_i32,  mul_i32,  mul_i64,  mul_i64,  and_u32) \
  ROW(divide,                  div_f32,       div_f64,       div_i32,  div_u32,  div_i64,  div_u64,  none)    \
  ROW(maximum,                 max_f32,       max_f64,       max_i32,  max_u32,  max_i64,  max_u64,  or_u32)  \
  ROW(minimum,                 min_f32,       min_f64,       min_i32,  min_u32,  min_i64,  min_u64,  and_u32) \
  ROW(power,                   pow_f32,       pow_f64,       pow_i32,  pow_u32,  pow_i64,  pow_u64,  none)    \
  ROW(remainder,               rem_f32,       rem_f64,       rem_i32,  rem_u32,  rem_i64,  rem_u64,  none)    \
  ROW(atan2,                   atan2_f32,     atan2_f64,     none,     none,     none,     none,     none)    \
  ROW(and,                     none,          none,          and_u32,  and_u32,  and_u64,  and_u64,  and_u32) \
  ROW(or,                      none,          none,          or_u32,   or_u32,   or_u64,   or_u64,   or_u32)  \
  ROW(xor,                     none,          none,          xor_u32,  xor_u32,  xor_u64,  xor_u64,  xor_u32) \
  ROW(shift_left,              none,          none,          shl_u32,  shl_u32,  shl_u64,  shl_u64,  none)    \
  ROW(shift_right_logical,     none,          none,          shr_u32,  shr_u32,  shr_u64,  shr_u64,  none)    \
  ROW(shift_right_arithmetic,  none,          none,          shr_i32,  shr_i32,  shr_i64,  shr_i64,  none)
#define HEARTH_ROW_COMPARISONS(ROW)                                                                           \
  ROW(EQ,                      eq_f32,        eq_f64,        eq_i32,   eq_i32,   eq_i64,   eq_i64,   eq_i32)  \
  ROW(NE,                      ne_f32,        ne_f64,        ne_i32,   ne_i32,   ne_i64,   ne_i64,   ne_i32)  \
  ROW(LT,                      lt_f32,        lt_f64,        lt_i32,   lt_u32,   lt_i64,   lt_u64,   lt_u32)  \
  ROW(LE,                      le_f32,        le_f64,        le_i32,   le_u32,   le_i64,   le_u64,   le_u32)  \
  ROW(GT,                      gt_f32,        gt_f64,        gt_i32,   gt_u32,   gt_i64,   gt_u64,   gt_u32)  \
  ROW(GE,                      ge_f32,        ge_f64,        ge_i32,   ge_u32,   ge_i64,   ge_u64,   ge_u32)
// clang-format on

struct Instructions {
  RowOp f32, f64, i32, u32, i64, u64, boolean;
};

bool in_f32(DType t) { return t == DType::f32 || t == DType::bf16 || t == DType::f16; }
bool in_i32(DType t) { return t == DType::i32 || t == DType::i16 || t == DType::i8; }
bool in_u32(DType t) { return t == DType::u32 || t == DType::u16 || t == DType::u8; }

RowOp by_dtype(const Instructions& row, DType t) {
  if (in_f32(t)) return row.f32;
  if (in_i32(t)) return row.i32;
  if (in_u32(t)) return row.u32;
  switch (t) {
    case DType::f64: return row.f64;
    case DType::i64: return row.i64;
    case DType::u64: return row.u64;
    case DType::boolean: return row.boolean;
    default: return RowOp::none;  // complex numbers are computed as pairs of real ones
  }
}

using Table = std::map<std::string, Instructions>;

RowOp look_up(const Table& table, const std::string& name, DType t) {
  const auto row = table.find(name);
  return row == table.end() ? RowOp::none : by_dtype(row->second, t);
}

// Whether the result of an instruction may lie outside a narrow dtype although its inputs lie inside.
bool leaves_range(RowOp op) {
  switch (op) {
    case RowOp::add_i32:
    case RowOp::sub_i32:
    case RowOp::mul_i32:
    case RowOp::div_i32:
    case RowOp::div_u32:
    case RowOp::pow_i32:
    case RowOp::pow_u32:
    case RowOp::neg_i32:
    case RowOp::abs_i32:
    case RowOp::not_u32:
    case RowOp::shl_u32: return true;
    default: return false;
  }
}

// Shifts to the right look at the bits above a narrow integer: logical ones want zeros there, arithmetic ones its sign.
DType of_same_size(DType t, bool with_sign) {
  if (size_bytes(t) == 1) return with_sign ? DType::i8 : DType::u8;
  return with_sign ? DType::i16 : DType::u16;
}

}  // namespace

RowOp wrap_instruction(DType of) {
  switch (of) {
    case DType::i8: return RowOp::wrap_i8;
    case DType::i16: return RowOp::wrap_i16;
    case DType::u8: return RowOp::wrap_u8;
    case DType::u16: return RowOp::wrap_u16;
    default: return RowOp::none;
  }
}

#define HEARTH_ROW(name, f32, f64, i32, u32, i64, u64, boolean) \
  {#name, {RowOp::f32, RowOp::f64, RowOp::i32, RowOp::u32, RowOp::i64, RowOp::u64, RowOp::boolean}},

RowRecipe row_instruction_of(const Node& node) {
  static const Table table = {HEARTH_ROW_INSTRUCTIONS(HEARTH_ROW)};
  const DType t = node.inputs[0].dtype();
  const RowOp op = look_up(table, node.op->name, t), wrap = wrap_instruction(t);
  if (wrap == RowOp::none) return op;
  if (op == RowOp::shr_u32 || op == RowOp::shr_i32)
    return {wrap_instruction(of_same_size(t, op == RowOp::shr_i32)), op, wrap};
  if (op == RowOp::popcnt_u32) return {wrap_instruction(of_same_size(t, false)), op, RowOp::none};  // no sign's copies
  if (op == RowOp::clz_u32) return size_bytes(t) == 1 ? RowOp::clz_u8 : RowOp::clz_u16;
  return {RowOp::none, op, leaves_range(op) ? wrap : RowOp::none};
}

RowRecipe compare_instruction(const std::string& direction, DType of) {
  static const Table table = {HEARTH_ROW_COMPARISONS(HEARTH_ROW)};
  return look_up(table, direction, of);
}
#undef HEARTH_ROW

RowRecipe select_instruction(DType of) {
  const int bytes = register_bytes(of);
  return bytes == 4 ? RowOp::select : bytes == 8 ? RowOp::select_64 : RowOp::select_128;
}

// --- conversions ----------------------------------------------------------------------------------------------------

namespace {

using R = RowOp;

RowOp copy_of(DType t) {
  const int bytes = register_bytes(t);
  return bytes == 4 ? R::copy : bytes == 8 ? R::copy_64 : R::copy_128;
}

// To 16 bits a number rounds once: what does not fit f32 comes there rounded to odd.
RowRecipe to_half(DType from, RowOp round) {
  if (in_f32(from)) return round;
  const bool fits = from == DType::boolean || size_bytes(from) <= 2;
  const RowOp to_f32 =
      fits ? by_dtype({R::none, R::none, R::i32_to_f32, R::u32_to_f32, R::none, R::none, R::u32_to_f32}, from)
           : by_dtype({R::none, R::f64_to_f32_odd, R::i32_to_f32_odd, R::u32_to_f32_odd, R::i64_to_f32_odd,
                       R::u64_to_f32_odd, R::none},
                      from);
  return {R::none, to_f32, round};
}

RowRecipe to_integer(DType from, DType to) {
  const bool wide = size_bytes(to) == 8, of_float = in_f32(from) || from == DType::f64;
  if (!of_float) {  // the low bits, extended as the dtype they come from says
    if (wide)
      return by_dtype({R::none, R::none, R::i32_to_i64, R::u32_to_u64, R::copy_64, R::copy_64, R::u32_to_u64}, from);
    const RowOp low = size_bytes(from) == 8 ? R::i64_to_i32 : R::copy;
    return {R::none, low, wrap_instruction(to)};
  }
  const bool f64 = from == DType::f64;
  if (to == DType::i64) return f64 ? R::f64_to_i64 : R::f32_to_i64;
  if (to == DType::u64) return f64 ? R::f64_to_u64 : R::f32_to_u64;
  if (to == DType::u32) return f64 ? R::f64_to_u32 : R::f32_to_u32;
  const RowOp clamp = to == DType::i8    ? R::clamp_i8
                      : to == DType::i16 ? R::clamp_i16
                      : to == DType::u8  ? R::clamp_u8
                      : to == DType::u16 ? R::clamp_u16
                                         : R::none;
  return {R::none, f64 ? R::f64_to_i32 : R::f32_to_i32, clamp};
}

}  // namespace

RowRecipe convert_instruction(DType from, DType to) {
  if (from == to) return copy_of(to);
  if (is_complex(from) || is_complex(to)) return R::none;
  if (to == DType::bf16) return to_half(from, R::round_bf16);
  if (to == DType::f16) return to_half(from, R::round_f16);
  if (to == DType::f32)
    return by_dtype({R::copy, R::f64_to_f32, R::i32_to_f32, R::u32_to_f32, R::i64_to_f32, R::u64_to_f32, R::u32_to_f32},
                    from);
  if (to == DType::f64)
    return by_dtype(
        {R::f32_to_f64, R::copy_64, R::i32_to_f64, R::u32_to_f64, R::i64_to_f64, R::u64_to_f64, R::u32_to_f64}, from);
  if (to == DType::boolean)
    return by_dtype(
        {R::f32_to_bool, R::f64_to_bool, R::i32_to_bool, R::i32_to_bool, R::i64_to_bool, R::i64_to_bool, R::copy},
        from);
  return to_integer(from, to);
}

}  // namespace hearth
