// SPDX-License-Identifier: Apache-2.0
#pragma once
// A row program: one pass over `rows` x `width` elements that computes a run of element-wise operations and reductions
// over rows. It is data: interpreted tile by tile on the CPU, emitted as source on a GPU.
//
// Registers hold one tile ("full": an element each) or one number per row ("row"). A program has phases: phase p runs
// over all tiles of a row before phase p+1 starts, so that a reduction finished in one phase is a row register in the
// next. Every phase loads and recomputes what it needs of earlier phases. After the tiles of a phase, its `after`
// instructions run once per row on row registers.
//
// A register has the width of what was last written to it: 4 bytes (f32, i32, u32; bool is a u32 of 0 or 1; bf16 and
// f16 are widened to f32 on load, i8 and i16 to i32, u8 and u16 to u32), 8 bytes (f64, i64, u64, complex64) or 16
// bytes (complex128, only moved). Narrow integers are computed in 32 bits and brought back by wrap_* where an
// instruction may leave their range.

#include <cstdint>
#include <string>
#include <vector>

#include "base/shape.h"

namespace hearth {

// clang-format off
// Instructions whose registers all have 4 bytes.
#define HEARTH_ROW_OPS(ROW)                                                                                    \
  ROW(none) ROW(load) ROW(iota_i32) ROW(iota_f32) ROW(iota_f32_odd) ROW(constant) ROW(store) ROW(load_row)     \
  ROW(store_row)                                 /* loads and stores: the width follows from the dtype */      \
  ROW(spread)                                    /* row register -> full register */                           \
  ROW(add_f32) ROW(sub_f32) ROW(mul_f32) ROW(div_f32) ROW(max_f32) ROW(min_f32) ROW(pow_f32) ROW(rem_f32)      \
  ROW(atan2_f32)                                                                                               \
  ROW(neg_f32) ROW(abs_f32) ROW(sign_f32) ROW(exp_f32) ROW(log_f32) ROW(sqrt_f32) ROW(rsqrt_f32)               \
  ROW(logistic_f32) ROW(tanh_f32) ROW(sin_f32) ROW(cos_f32) ROW(floor_f32) ROW(ceil_f32) ROW(expm1_f32)        \
  ROW(log1p_f32) ROW(cbrt_f32) ROW(tan_f32) ROW(round_even_f32) ROW(round_away_f32) ROW(erf_f32)               \
  ROW(is_finite_f32) ROW(round_bf16) ROW(round_f16)                                                            \
  ROW(add_i32) ROW(sub_i32) ROW(mul_i32) ROW(div_i32) ROW(div_u32) ROW(rem_i32) ROW(rem_u32) ROW(pow_i32)      \
  ROW(pow_u32) ROW(max_i32) ROW(min_i32) ROW(max_u32) ROW(min_u32)                                             \
  ROW(neg_i32) ROW(abs_i32) ROW(sign_i32) ROW(sign_u32) ROW(and_u32) ROW(or_u32) ROW(xor_u32) ROW(not_u32)     \
  ROW(not_bool) ROW(popcnt_u32) ROW(clz_u32) ROW(clz_u16) ROW(clz_u8)                                          \
  ROW(shl_u32) ROW(shr_u32) ROW(shr_i32)                                                                       \
  ROW(eq_f32) ROW(ne_f32) ROW(lt_f32) ROW(le_f32) ROW(gt_f32) ROW(ge_f32)                                      \
  ROW(eq_i32) ROW(ne_i32) ROW(lt_i32) ROW(le_i32) ROW(gt_i32) ROW(ge_i32)                                      \
  ROW(lt_u32) ROW(le_u32) ROW(gt_u32) ROW(ge_u32)                                                              \
  ROW(select)                                    /* a != 0 ? b : c */                                          \
  ROW(f32_to_i32) ROW(i32_to_f32) ROW(u32_to_f32) ROW(f32_to_u32) ROW(f32_to_bool) ROW(i32_to_bool)            \
  ROW(i32_to_f32_odd) ROW(u32_to_f32_odd)        /* rounded to odd: rounding again to 16 bits is then exact */ \
  ROW(wrap_i8) ROW(wrap_i16) ROW(wrap_u8) ROW(wrap_u16)     /* an integer's low bits, extended again */        \
  ROW(clamp_i8) ROW(clamp_i16) ROW(clamp_u8) ROW(clamp_u16) /* an i32 brought into the range */                \
  ROW(copy)
// Those with wider ones: bytes of the result, of a, of b, of c.
#define HEARTH_WIDE_ROW_OPS(ROW)                                                                               \
  ROW(iota_i64, 8, 0, 0, 0) ROW(iota_f64, 8, 0, 0, 0)                                                          \
  ROW(constant_64, 8, 0, 0, 0) ROW(constant_128, 16, 0, 0, 0)  /* the upper 8 bytes are 0 */                   \
  ROW(spread_64, 8, 8, 0, 0) ROW(spread_128, 16, 16, 0, 0)                                                     \
  ROW(copy_64, 8, 8, 0, 0) ROW(copy_128, 16, 16, 0, 0)                                                         \
  ROW(select_64, 8, 4, 8, 8) ROW(select_128, 16, 4, 16, 16)                                                    \
  ROW(add_f64, 8, 8, 8, 0) ROW(sub_f64, 8, 8, 8, 0) ROW(mul_f64, 8, 8, 8, 0) ROW(div_f64, 8, 8, 8, 0)          \
  ROW(max_f64, 8, 8, 8, 0) ROW(min_f64, 8, 8, 8, 0) ROW(pow_f64, 8, 8, 8, 0) ROW(rem_f64, 8, 8, 8, 0)          \
  ROW(atan2_f64, 8, 8, 8, 0)                                                                                   \
  ROW(neg_f64, 8, 8, 0, 0) ROW(abs_f64, 8, 8, 0, 0) ROW(sign_f64, 8, 8, 0, 0) ROW(exp_f64, 8, 8, 0, 0)         \
  ROW(log_f64, 8, 8, 0, 0) ROW(sqrt_f64, 8, 8, 0, 0) ROW(rsqrt_f64, 8, 8, 0, 0) ROW(logistic_f64, 8, 8, 0, 0)  \
  ROW(tanh_f64, 8, 8, 0, 0) ROW(sin_f64, 8, 8, 0, 0) ROW(cos_f64, 8, 8, 0, 0) ROW(floor_f64, 8, 8, 0, 0)       \
  ROW(ceil_f64, 8, 8, 0, 0) ROW(expm1_f64, 8, 8, 0, 0) ROW(log1p_f64, 8, 8, 0, 0) ROW(cbrt_f64, 8, 8, 0, 0)    \
  ROW(tan_f64, 8, 8, 0, 0) ROW(round_even_f64, 8, 8, 0, 0) ROW(round_away_f64, 8, 8, 0, 0)                     \
  ROW(erf_f64, 8, 8, 0, 0) ROW(popcnt_u64, 8, 8, 0, 0) ROW(clz_u64, 8, 8, 0, 0)                                \
  ROW(is_finite_f64, 4, 8, 0, 0)                                                                               \
  ROW(add_i64, 8, 8, 8, 0) ROW(sub_i64, 8, 8, 8, 0) ROW(mul_i64, 8, 8, 8, 0) ROW(div_i64, 8, 8, 8, 0)          \
  ROW(div_u64, 8, 8, 8, 0) ROW(rem_i64, 8, 8, 8, 0) ROW(rem_u64, 8, 8, 8, 0) ROW(pow_i64, 8, 8, 8, 0)          \
  ROW(pow_u64, 8, 8, 8, 0) ROW(max_i64, 8, 8, 8, 0) ROW(min_i64, 8, 8, 8, 0) ROW(max_u64, 8, 8, 8, 0)          \
  ROW(min_u64, 8, 8, 8, 0) ROW(and_u64, 8, 8, 8, 0) ROW(or_u64, 8, 8, 8, 0) ROW(xor_u64, 8, 8, 8, 0)           \
  ROW(shl_u64, 8, 8, 8, 0) ROW(shr_u64, 8, 8, 8, 0) ROW(shr_i64, 8, 8, 8, 0)                                   \
  ROW(neg_i64, 8, 8, 0, 0) ROW(abs_i64, 8, 8, 0, 0) ROW(sign_i64, 8, 8, 0, 0) ROW(sign_u64, 8, 8, 0, 0)        \
  ROW(not_u64, 8, 8, 0, 0)                                                                                     \
  ROW(eq_f64, 4, 8, 8, 0) ROW(ne_f64, 4, 8, 8, 0) ROW(lt_f64, 4, 8, 8, 0) ROW(le_f64, 4, 8, 8, 0)              \
  ROW(gt_f64, 4, 8, 8, 0) ROW(ge_f64, 4, 8, 8, 0)                                                              \
  ROW(eq_i64, 4, 8, 8, 0) ROW(ne_i64, 4, 8, 8, 0) ROW(lt_i64, 4, 8, 8, 0) ROW(le_i64, 4, 8, 8, 0)              \
  ROW(gt_i64, 4, 8, 8, 0) ROW(ge_i64, 4, 8, 8, 0) ROW(lt_u64, 4, 8, 8, 0) ROW(le_u64, 4, 8, 8, 0)              \
  ROW(gt_u64, 4, 8, 8, 0) ROW(ge_u64, 4, 8, 8, 0)                                                              \
  ROW(f32_to_f64, 8, 4, 0, 0) ROW(i32_to_f64, 8, 4, 0, 0) ROW(u32_to_f64, 8, 4, 0, 0)                          \
  ROW(f32_to_i64, 8, 4, 0, 0) ROW(f32_to_u64, 8, 4, 0, 0) ROW(i32_to_i64, 8, 4, 0, 0)                          \
  ROW(u32_to_u64, 8, 4, 0, 0)                                                                                  \
  ROW(f64_to_f32, 4, 8, 0, 0) ROW(f64_to_f32_odd, 4, 8, 0, 0) ROW(f64_to_i32, 4, 8, 0, 0)                      \
  ROW(f64_to_u32, 4, 8, 0, 0) ROW(f64_to_bool, 4, 8, 0, 0) ROW(f64_to_i64, 8, 8, 0, 0)                         \
  ROW(f64_to_u64, 8, 8, 0, 0) ROW(i64_to_i32, 4, 8, 0, 0) ROW(i64_to_f32, 4, 8, 0, 0)                          \
  ROW(u64_to_f32, 4, 8, 0, 0) ROW(i64_to_f32_odd, 4, 8, 0, 0) ROW(u64_to_f32_odd, 4, 8, 0, 0)                  \
  ROW(i64_to_f64, 8, 8, 0, 0) ROW(u64_to_f64, 8, 8, 0, 0) ROW(i64_to_bool, 4, 8, 0, 0)
// Full register -> row register of the same width: bytes of both.
#define HEARTH_ROW_REDUCTIONS(ROW)                                                                             \
  ROW(sum_f32, 4) ROW(max_row_f32, 4) ROW(min_row_f32, 4) ROW(prod_f32, 4) ROW(sum_i32, 4)                     \
  ROW(max_row_i32, 4) ROW(min_row_i32, 4) ROW(prod_i32, 4) ROW(max_row_u32, 4) ROW(min_row_u32, 4)             \
  ROW(and_row_u32, 4) ROW(or_row_u32, 4)                                                                       \
  ROW(sum_f64, 8) ROW(max_row_f64, 8) ROW(min_row_f64, 8) ROW(prod_f64, 8) ROW(sum_i64, 8)                     \
  ROW(max_row_i64, 8) ROW(min_row_i64, 8) ROW(prod_i64, 8) ROW(max_row_u64, 8) ROW(min_row_u64, 8)             \
  ROW(and_row_u64, 8) ROW(or_row_u64, 8)
// clang-format on

enum class RowOp : uint16_t {
#define HEARTH_ROW(name, ...) name,
  HEARTH_ROW_OPS(HEARTH_ROW) HEARTH_WIDE_ROW_OPS(HEARTH_ROW) HEARTH_ROW_REDUCTIONS(HEARTH_ROW)
#undef HEARTH_ROW
      count
};
const char* name(RowOp op);
int inputs_of(RowOp op);  // registers read: 0..3
constexpr bool is_reduction(RowOp op) { return op >= RowOp::sum_f32 && op < RowOp::count; }
constexpr bool is_spread(RowOp op) { return op == RowOp::spread || op == RowOp::spread_64 || op == RowOp::spread_128; }
constexpr bool is_constant(RowOp op) {
  return op == RowOp::constant || op == RowOp::constant_64 || op == RowOp::constant_128;
}
constexpr bool is_iota(RowOp op) {
  return (op >= RowOp::iota_i32 && op <= RowOp::iota_f32_odd) || op == RowOp::iota_i64 || op == RowOp::iota_f64;
}
// The width of a register that holds an element of this dtype.
constexpr int register_bytes(DType dtype) { return size_bytes(dtype) < 4 ? 4 : int(size_bytes(dtype)); }

// dst = op(a, b, c). load/iota/store use `operand`; constant uses the bits of `immediate`. Reductions write row
// registers, load_row/store_row and instructions in `after` lists work on row registers.
struct RowInstruction {
  RowOp op = RowOp::none;
  uint8_t dst = 0, a = 0, b = 0, c = 0;
  uint16_t operand = 0;
  uint64_t immediate = 0;
};

// Where element i (row-major over `dims`) of an operand lies: offset + sum index_k * strides_k, in elements of dtype.
// For full operands the product of dims is rows * width, for row operands it is rows. iota reads no memory: its value
// is that position itself.
struct RowOperand {
  int32_t tensor = 0;  // index in the instruction's inputs (loads) or outputs (stores); -1 for iota
  DType dtype = DType::f32;
  bool row = false;  // one element per row
  int64_t offset = 0;
  Dims dims, strides;
};

struct RowPhase {
  std::vector<RowInstruction> tiles, after;
};

// `inner` adjacent rows interleave: element e of a full operand belongs to row e / (width inner) * inner + e mod inner,
// and is its element e / inner mod width. With 1, a row's elements follow each other; with `rows`, rows are the columns
// of a matrix. So reductions over any axes read memory in its order.
struct RowProgram {
  int64_t rows = 0, width = 0, inner = 1;
  int full_registers = 0, row_registers = 0;
  std::vector<RowOperand> operands;
  std::vector<RowPhase> phases;
};

// Bytes of the register that an instruction of the program writes (0: none), and of the one that it reads as input k.
int result_bytes(const RowProgram& program, const RowInstruction& instruction);
int input_bytes(const RowProgram& program, const RowInstruction& instruction, int k);

// Checks a program against the tensors it is called with: register numbers and widths, operand bounds,
// instruction kinds.
// Throws Error{format} that says what is wrong. inputs/outputs: types of the instruction's tensors.
void validate(const RowProgram& program, const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs);
std::string to_text(const RowProgram& program);

inline constexpr int kMaxRowRegisters = 64;  // of each kind
inline constexpr int kMaxRowDims = 16;       // of an operand

}  // namespace hearth
