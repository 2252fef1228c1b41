// SPDX-License-Identifier: Apache-2.0
#pragma once
// A row program: one pass over `rows` x `width` elements that computes a run of element-wise operations and reductions
// over rows. It is data: interpreted tile by tile on the CPU, emitted as source on a GPU.
//
// Registers hold one tile ("full": an element each) or one number per row ("row"). A program has phases: phase p runs
// over all tiles of a row before phase p+1 starts, so that a reduction finished in one phase is a row register in the
// next. Every phase loads and recomputes what it needs of earlier phases. After the tiles of a phase, its `after`
// instructions run once per row on row registers. All registers are 4 bytes: f32, i32, u32; bool is a u32 of 0 or 1;
// bf16 and f16 are widened to f32 on load.

#include <cstdint>
#include <string>
#include <vector>

#include "base/shape.h"

namespace hearth {

// clang-format off
#define HEARTH_ROW_OPS(ROW)                                                                                    \
  ROW(none) ROW(load) ROW(iota_i32) ROW(iota_f32) ROW(constant) ROW(store) ROW(load_row) ROW(store_row)        \
  ROW(spread)                                    /* row register -> full register */                           \
  ROW(add_f32) ROW(sub_f32) ROW(mul_f32) ROW(div_f32) ROW(max_f32) ROW(min_f32) ROW(pow_f32) ROW(rem_f32)      \
  ROW(atan2_f32)                                                                                               \
  ROW(neg_f32) ROW(abs_f32) ROW(sign_f32) ROW(exp_f32) ROW(log_f32) ROW(sqrt_f32) ROW(rsqrt_f32)               \
  ROW(logistic_f32) ROW(tanh_f32) ROW(sin_f32) ROW(cos_f32) ROW(floor_f32) ROW(ceil_f32) ROW(expm1_f32)        \
  ROW(log1p_f32) ROW(cbrt_f32) ROW(tan_f32) ROW(round_even_f32) ROW(round_away_f32) ROW(erf_f32)               \
  ROW(is_finite_f32) ROW(round_bf16) ROW(round_f16)                                                            \
  ROW(add_i32) ROW(sub_i32) ROW(mul_i32) ROW(max_i32) ROW(min_i32) ROW(max_u32) ROW(min_u32) ROW(neg_i32)      \
  ROW(abs_i32) ROW(sign_i32) ROW(and_u32) ROW(or_u32) ROW(xor_u32) ROW(not_u32) ROW(not_bool)                  \
  ROW(popcnt_u32) ROW(clz_u32)                                                                                 \
  ROW(shl_u32) ROW(shr_u32) ROW(shr_i32)                                                                       \
  ROW(eq_f32) ROW(ne_f32) ROW(lt_f32) ROW(le_f32) ROW(gt_f32) ROW(ge_f32)                                      \
  ROW(eq_i32) ROW(ne_i32) ROW(lt_i32) ROW(le_i32) ROW(gt_i32) ROW(ge_i32)                                      \
  ROW(lt_u32) ROW(le_u32) ROW(gt_u32) ROW(ge_u32)                                                              \
  ROW(select)                                    /* a != 0 ? b : c */                                          \
  ROW(f32_to_i32) ROW(i32_to_f32) ROW(u32_to_f32) ROW(f32_to_u32) ROW(f32_to_bool) ROW(copy)                   \
  ROW(sum_f32) ROW(max_row_f32) ROW(min_row_f32) ROW(prod_f32) ROW(sum_i32) ROW(max_row_i32) ROW(min_row_i32)
// clang-format on

enum class RowOp : uint8_t {
#define HEARTH_ROW(name) name,
  HEARTH_ROW_OPS(HEARTH_ROW)
#undef HEARTH_ROW
      count
};
const char* name(RowOp op);
int inputs_of(RowOp op);  // registers read: 0..3
constexpr bool is_reduction(RowOp op) { return op >= RowOp::sum_f32 && op < RowOp::count; }

// dst = op(a, b, c). load/iota/store use `operand`; constant uses the bits of `immediate`. Reductions write row
// registers, load_row/store_row and instructions in `after` lists work on row registers.
struct RowInstruction {
  RowOp op = RowOp::none;
  uint8_t dst = 0, a = 0, b = 0, c = 0;
  uint16_t operand = 0;
  uint32_t immediate = 0;
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

struct RowProgram {
  int64_t rows = 0, width = 0;
  int full_registers = 0, row_registers = 0;
  std::vector<RowOperand> operands;
  std::vector<RowPhase> phases;
};

// Checks a program against the tensors it is called with: register numbers, operand bounds, instruction kinds.
// Throws Error{format} that says what is wrong. inputs/outputs: types of the instruction's tensors.
void validate(const RowProgram& program, const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs);
std::string to_text(const RowProgram& program);

inline constexpr int kMaxRowRegisters = 64;  // of each kind
inline constexpr int kMaxRowDims = 16;       // of an operand

}  // namespace hearth
