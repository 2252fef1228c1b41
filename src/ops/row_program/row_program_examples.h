// SPDX-License-Identifier: Apache-2.0
#pragma once
// Row programs written by hand, for tests and benchmarks. The compiler makes the same from graphs.

#include <bit>

#include "plan/row_program.h"

namespace hearth::row_test {

// Dense operand of [rows, width], or [rows].
inline RowOperand dense(const RowProgram& program, int tensor, DType dtype, bool row = false) {
  const Dims dims = row ? Dims{program.rows} : Dims{program.rows, program.width};
  return {tensor, dtype, row, 0, dims, row_major_strides(dims)};
}

// Each call adds an operand or an instruction to the last phase and gives the register that it writes, a new one.
struct Builder {
  RowProgram p;

  Builder(int64_t rows, int64_t width, int64_t inner = 1) {
    p.rows = rows;
    p.width = width;
    p.inner = inner;
    p.phases.emplace_back();
  }
  uint8_t load(int tensor, DType dtype = DType::f32) { return load(dense(p, tensor, dtype)); }
  uint8_t load(RowOperand operand, RowOp op = RowOp::load) {
    return full({.op = op, .dst = 0, .operand = add(std::move(operand))});
  }
  uint8_t constant(float x) { return full({.op = RowOp::constant, .dst = 0, .immediate = std::bit_cast<uint32_t>(x)}); }
  uint8_t constant_f64(double x) {
    return full({.op = RowOp::constant_64, .dst = 0, .immediate = std::bit_cast<uint64_t>(x)});
  }
  uint8_t op(RowOp op, uint8_t a, uint8_t b = 0, uint8_t c = 0) {  // element-wise, spread or reduction
    if (!is_reduction(op)) return full({.op = op, .dst = 0, .a = a, .b = b, .c = c});
    return row(&p.phases.back().tiles, {.op = op, .dst = 0, .a = a});
  }
  void store(uint8_t a, int tensor, DType dtype = DType::f32) { store(a, dense(p, tensor, dtype)); }
  void store(uint8_t a, RowOperand operand) {
    p.phases.back().tiles.push_back({.op = RowOp::store, .dst = 0, .a = a, .operand = add(std::move(operand))});
  }
  uint8_t load_row(int tensor, bool after = false, DType dtype = DType::f32) {
    const uint16_t operand = add(dense(p, tensor, dtype, true));
    RowPhase& phase = p.phases.back();
    return row(after ? &phase.after : &phase.tiles, {.op = RowOp::load_row, .dst = 0, .operand = operand});
  }
  uint8_t after(RowOp op, uint8_t a, uint8_t b = 0, uint8_t c = 0) {
    return row(&p.phases.back().after, {.op = op, .dst = 0, .a = a, .b = b, .c = c});
  }
  uint8_t after_constant(float x) {
    return row(&p.phases.back().after, {.op = RowOp::constant, .dst = 0, .immediate = std::bit_cast<uint32_t>(x)});
  }
  void store_row(uint8_t r, int tensor, DType dtype = DType::f32) {
    const uint16_t operand = add(dense(p, tensor, dtype, true));
    p.phases.back().after.push_back({.op = RowOp::store_row, .dst = 0, .a = r, .operand = operand});
  }
  void next_phase() { p.phases.emplace_back(); }
  RowProgram done() const { return p; }

 private:
  uint16_t add(RowOperand operand) {
    p.operands.push_back(std::move(operand));
    return uint16_t(p.operands.size() - 1);
  }
  uint8_t full(RowInstruction i) {
    i.dst = uint8_t(p.full_registers++);
    p.phases.back().tiles.push_back(i);
    return i.dst;
  }
  uint8_t row(std::vector<RowInstruction>* list, RowInstruction i) {
    i.dst = uint8_t(p.row_registers++);
    list->push_back(i);
    return i.dst;
  }
};

// out = ((x * y + x) * 0.5 - y) * x
inline RowProgram five_operations(int64_t rows, int64_t width) {
  Builder b(rows, width);
  const uint8_t x = b.load(0), y = b.load(1), half = b.constant(0.5f);
  const uint8_t sum = b.op(RowOp::add_f32, b.op(RowOp::mul_f32, x, y), x);
  b.store(b.op(RowOp::mul_f32, b.op(RowOp::sub_f32, b.op(RowOp::mul_f32, sum, half), y), x), 0);
  return b.done();
}

inline RowProgram five_operations_f64(int64_t rows, int64_t width) {
  Builder b(rows, width);
  const uint8_t x = b.load(0, DType::f64), y = b.load(1, DType::f64), half = b.constant_f64(0.5);
  const uint8_t sum = b.op(RowOp::add_f64, b.op(RowOp::mul_f64, x, y), x);
  b.store(b.op(RowOp::mul_f64, b.op(RowOp::sub_f64, b.op(RowOp::mul_f64, sum, half), y), x), 0, DType::f64);
  return b.done();
}

// out[r] = sum of x[r,:], of f32 or f64
inline RowProgram sums(int64_t rows, int64_t width, int64_t inner = 1, DType dtype = DType::f32) {
  Builder b(rows, width, inner);
  b.store_row(b.op(dtype == DType::f64 ? RowOp::sum_f64 : RowOp::sum_f32, b.load(0, dtype)), 0, dtype);
  return b.done();
}

// out = x * logistic(x) * y
inline RowProgram silu_times(int64_t rows, int64_t width, DType dtype = DType::f32) {
  Builder b(rows, width);
  const uint8_t x = b.load(0, dtype), y = b.load(1, dtype);
  b.store(b.op(RowOp::mul_f32, b.op(RowOp::mul_f32, x, b.op(RowOp::logistic_f32, x)), y), 0, dtype);
  return b.done();
}

// out = 0.5 x (1 + tanh(0.79788456 (x + 0.044715 x^3)))
inline RowProgram gelu(int64_t rows, int64_t width) {
  Builder b(rows, width);
  const uint8_t x = b.load(0), c = b.constant(0.044715f), s = b.constant(0.79788456f), one = b.constant(1),
                half = b.constant(0.5f);
  const uint8_t cube = b.op(RowOp::mul_f32, b.op(RowOp::mul_f32, x, x), x);
  const uint8_t inner = b.op(RowOp::mul_f32, s, b.op(RowOp::add_f32, x, b.op(RowOp::mul_f32, c, cube)));
  const uint8_t gate = b.op(RowOp::add_f32, one, b.op(RowOp::tanh_f32, inner));
  b.store(b.op(RowOp::mul_f32, b.op(RowOp::mul_f32, half, x), gate), 0);
  return b.done();
}

// out[r,:] = exp(x[r,:] - max x[r,:]) / sum of the same
inline RowProgram softmax(int64_t rows, int64_t width) {
  Builder b(rows, width);
  const uint8_t top = b.op(RowOp::max_row_f32, b.load(0));
  const auto exponential = [&] {
    return b.op(RowOp::exp_f32, b.op(RowOp::sub_f32, b.load(0), b.op(RowOp::spread, top)));
  };
  b.next_phase();
  const uint8_t sum = b.op(RowOp::sum_f32, exponential());
  const uint8_t scale = b.after(RowOp::div_f32, b.after_constant(1), sum);
  b.next_phase();
  const uint8_t e = exponential();
  b.store(b.op(RowOp::mul_f32, e, b.op(RowOp::spread, scale)), 0);
  return b.done();
}

// out[r,c] = x[r,c] w[c] / sqrt(mean x[r,:]^2 + 1e-6)
inline RowProgram rms_norm(int64_t rows, int64_t width, DType dtype = DType::f32) {
  Builder b(rows, width);
  const uint8_t x = b.load(0, dtype);
  const uint8_t sum = b.op(RowOp::sum_f32, b.op(RowOp::mul_f32, x, x));
  const uint8_t mean = b.after(RowOp::mul_f32, sum, b.after_constant(1.0f / float(width)));
  const uint8_t scale = b.after(RowOp::rsqrt_f32, b.after(RowOp::add_f32, mean, b.after_constant(1e-6f)));
  b.next_phase();
  const uint8_t again = b.load(0, dtype);
  const uint8_t weight = b.load(RowOperand{1, dtype, false, 0, {rows, width}, {0, 1}});
  b.store(b.op(RowOp::mul_f32, b.op(RowOp::mul_f32, again, b.op(RowOp::spread, scale)), weight), 0, dtype);
  return b.done();
}

// One step of AdamW on tensors 0 p, 1 g, 2 m, 3 v; p, m and v are written to outputs 0, 2, 3.
inline RowProgram adamw(int64_t rows, int64_t width) {
  Builder b(rows, width);
  const auto mul = [&](uint8_t x, uint8_t y) { return b.op(RowOp::mul_f32, x, y); };
  const auto add = [&](uint8_t x, uint8_t y) { return b.op(RowOp::add_f32, x, y); };
  const uint8_t p = b.load(0), g = b.load(1), m = b.load(2), v = b.load(3);
  const uint8_t m1 = add(mul(m, b.constant(0.9f)), mul(g, b.constant(0.1f)));
  const uint8_t v1 = add(mul(v, b.constant(0.999f)), mul(mul(g, g), b.constant(0.001f)));
  const uint8_t root = add(b.op(RowOp::sqrt_f32, mul(v1, b.constant(1.5f))), b.constant(1e-8f));
  const uint8_t step = b.op(RowOp::div_f32, mul(m1, b.constant(1.2e-3f)), root);
  b.store(m1, 2);
  b.store(v1, 3);
  b.store(b.op(RowOp::sub_f32, mul(p, b.constant(0.9999f)), step), 0);
  return b.done();
}

}  // namespace hearth::row_test
