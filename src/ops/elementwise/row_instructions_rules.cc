// SPDX-License-Identifier: Apache-2.0
// The table of row-program instructions. f32 stands for f16 and bf16 too: registers hold them widened.
#include <map>

#include "ops/elementwise/row_instructions.h"

namespace hearth {
namespace {

// clang-format off
//    operation                f32            f64    i32        u32        i64    u64    bool
#define HEARTH_ROW_INSTRUCTIONS(ROW)                                                               \
  ROW(exponential,             exp_f32,       none,  none,      none,      none,  none,  none)     \
  ROW(exponential_minus_one,   expm1_f32,     none,  none,      none,      none,  none,  none)     \
  ROW(log,                     log_f32,       none,  none,      none,      none,  none,  none)     \
  ROW(log_plus_one,            log1p_f32,     none,  none,      none,      none,  none,  none)     \
  ROW(sqrt,                    sqrt_f32,      none,  none,      none,      none,  none,  none)     \
  ROW(rsqrt,                   rsqrt_f32,     none,  none,      none,      none,  none,  none)     \
  ROW(cbrt,                    cbrt_f32,      none,  none,      none,      none,  none,  none)     \
  ROW(logistic,                logistic_f32,  none,  none,      none,      none,  none,  none)     \
  ROW(tanh,                    tanh_f32,      none,  none,      none,      none,  none,  none)     \
  ROW(sine,                    sin_f32,       none,  none,      none,      none,  none,  none)     \
  ROW(cosine,                  cos_f32,       none,  none,      none,      none,  none,  none)     \
  ROW(tan,                     tan_f32,       none,  none,      none,      none,  none,  none)     \
  ROW(erf,                     erf_f32,       none,  none,      none,      none,  none,  none)     \
  ROW(floor,                   floor_f32,     none,  none,      none,      none,  none,  none)     \
  ROW(ceil,                    ceil_f32,      none,  none,      none,      none,  none,  none)     \
  ROW(round_nearest_even,      round_even_f32, none, none,      none,      none,  none,  none)     \
  ROW(round_nearest_afz,       round_away_f32, none, none,      none,      none,  none,  none)     \
  ROW(is_finite,               is_finite_f32, none,  none,      none,      none,  none,  none)     \
  ROW(negate,                  neg_f32,       none,  neg_i32,   none,      none,  none,  none)     \
  ROW(abs,                     abs_f32,       none,  abs_i32,   none,      none,  none,  none)     \
  ROW(sign,                    sign_f32,      none,  sign_i32,  none,      none,  none,  none)     \
  ROW(not,                     none,          none,  not_u32,   not_u32,   none,  none,  not_bool) \
  ROW(popcnt,                  none,          none,  popcnt_u32, popcnt_u32, none, none, none)     \
  ROW(count_leading_zeros,     none,          none,  clz_u32,   clz_u32,   none,  none,  none)     \
  ROW(add,                     add_f32,       none,  add_i32,   add_i32,   none,  none,  or_u32)   \
  ROW(subtract,                sub_f32,       none,  sub_i32,   sub_i32,   none,  none,  none)     \
  ROW(multiply,                mul_f32,       none,  mul_i32,   mul_i32,   none,  none,  and_u32)  \
  ROW(divide,                  div_f32,       none,  none,      none,      none,  none,  none)     \
  ROW(maximum,                 max_f32,       none,  max_i32,   max_u32,   none,  none,  or_u32)   \
  ROW(minimum,                 min_f32,       none,  min_i32,   min_u32,   none,  none,  and_u32)  \
  ROW(power,                   pow_f32,       none,  none,      none,      none,  none,  none)     \
  ROW(remainder,               rem_f32,       none,  none,      none,      none,  none,  none)     \
  ROW(atan2,                   atan2_f32,     none,  none,      none,      none,  none,  none)     \
  ROW(and,                     none,          none,  and_u32,   and_u32,   none,  none,  and_u32)  \
  ROW(or,                      none,          none,  or_u32,    or_u32,    none,  none,  or_u32)   \
  ROW(xor,                     none,          none,  xor_u32,   xor_u32,   none,  none,  xor_u32)  \
  ROW(shift_left,              none,          none,  shl_u32,   shl_u32,   none,  none,  none)     \
  ROW(shift_right_logical,     none,          none,  shr_u32,   shr_u32,   none,  none,  none)     \
  ROW(shift_right_arithmetic,  none,          none,  shr_i32,   none,      none,  none,  none)
#define HEARTH_ROW_COMPARISONS(ROW)                                                              \
  ROW(EQ,                      eq_f32,        none,  eq_i32,    eq_i32,    none,  none,  eq_i32) \
  ROW(NE,                      ne_f32,        none,  ne_i32,    ne_i32,    none,  none,  ne_i32) \
  ROW(LT,                      lt_f32,        none,  lt_i32,    lt_u32,    none,  none,  lt_u32) \
  ROW(LE,                      le_f32,        none,  le_i32,    le_u32,    none,  none,  le_u32) \
  ROW(GT,                      gt_f32,        none,  gt_i32,    gt_u32,    none,  none,  gt_u32) \
  ROW(GE,                      ge_f32,        none,  ge_i32,    ge_u32,    none,  none,  ge_u32)
// clang-format on

struct Instructions {
  RowOp f32, f64, i32, u32, i64, u64, boolean;
};

bool in_f32(DType t) { return t == DType::f32 || t == DType::bf16 || t == DType::f16; }

RowOp by_dtype(const Instructions& row, DType t) {
  if (in_f32(t)) return row.f32;
  switch (t) {
    case DType::f64: return row.f64;
    case DType::i32: return row.i32;
    case DType::u32: return row.u32;
    case DType::i64: return row.i64;
    case DType::u64: return row.u64;
    case DType::boolean: return row.boolean;
    default: return RowOp::none;
  }
}

using Table = std::map<std::string, Instructions>;

RowOp look_up(const Table& table, const std::string& name, DType t) {
  const auto row = table.find(name);
  return row == table.end() ? RowOp::none : by_dtype(row->second, t);
}

}  // namespace

#define HEARTH_ROW(name, f32, f64, i32, u32, i64, u64, boolean) \
  {#name, {RowOp::f32, RowOp::f64, RowOp::i32, RowOp::u32, RowOp::i64, RowOp::u64, RowOp::boolean}},

RowOp row_instruction_of(const Node& node) {
  static const Table table = {HEARTH_ROW_INSTRUCTIONS(HEARTH_ROW)};
  return look_up(table, node.op->name, node.inputs[0].dtype());
}

RowOp compare_instruction(const std::string& direction, DType of) {
  static const Table table = {HEARTH_ROW_COMPARISONS(HEARTH_ROW)};
  return look_up(table, direction, of);
}
#undef HEARTH_ROW

RowOp select_instruction(DType of) { return size_bytes(of) <= 4 ? RowOp::select : RowOp::none; }

RowOp convert_instruction(DType from, DType to) {
  using R = RowOp;
  if (in_f32(from) && to == DType::bf16) return from == DType::bf16 ? R::copy : R::round_bf16;
  if (in_f32(from) && to == DType::f16) return from == DType::f16 ? R::copy : R::round_f16;
  if (in_f32(from) && to == DType::f32) return R::copy;
  if (to == DType::f32)
    return by_dtype({R::copy, R::none, R::i32_to_f32, R::u32_to_f32, R::none, R::none, R::u32_to_f32}, from);
  if (in_f32(from))
    return by_dtype({R::none, R::none, R::f32_to_i32, R::f32_to_u32, R::none, R::none, R::f32_to_bool}, to);
  if (from == DType::boolean && (to == DType::i32 || to == DType::u32)) return R::copy;
  if ((from == DType::i32 && to == DType::u32) || (from == DType::u32 && to == DType::i32)) return R::copy;
  return R::none;
}

}  // namespace hearth
