// SPDX-License-Identifier: Apache-2.0
// Whole programs: known functions against f64, and random programs against the slow interpreter.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include "base/error.h"
#include "base/threads.h"
#include "ops/row_program/row_program_test_kit.h"

namespace hearth::row_test {
namespace {

std::vector<float> normal_values(int64_t n, float scale, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& x : values) x = normal(random);
  return values;
}

const std::vector<std::pair<int64_t, int64_t>> kSizes = {{1, 1},   {70, 8},  {33, 9},    {9, 64},
                                                         {5, 300}, {7, 513}, {40, 2048}, {3, 5000}};

TEST(RowProgramPhases, Softmax) {
  for (const auto& [rows, width] : kSizes) {
    const std::vector<float> x = normal_values(rows * width, 5, 1);
    for (Isa isa : isas()) {
      Tensors out{Tensor(DType::f32, {rows, width})};
      run(isa, softmax(rows, width), {Tensor(x, {rows, width})}, &out);
      for (int64_t r = 0; r < rows; ++r) {
        const float* row = x.data() + r * width;
        const double top = *std::max_element(row, row + width);
        double sum = 0;
        for (int64_t c = 0; c < width; ++c) sum += std::exp(row[c] - top);
        for (int64_t c = 0; c < width; ++c) {
          const double want = std::exp(row[c] - top) / sum;
          // x - top is up to 40 here, rounded at 2^-24 of that.
          ASSERT_NEAR(out[0].at<float>(r * width + c), want, 3e-6 * want + 1e-38)
              << isa_name(isa) << ' ' << rows << 'x' << width;
        }
      }
    }
  }
}

TEST(RowProgramPhases, RmsNorm) {
  for (const auto& [rows, width] : kSizes) {
    const std::vector<float> x = normal_values(rows * width, 3, 2), w = normal_values(width, 1, 3);
    for (Isa isa : isas()) {
      Tensors out{Tensor(DType::f32, {rows, width})};
      run(isa, rms_norm(rows, width), {Tensor(x, {rows, width}), Tensor(w, {width})}, &out);
      for (int64_t r = 0; r < rows; ++r) {
        double squares = 0;
        for (int64_t c = 0; c < width; ++c) squares += double(x[size_t(r * width + c)]) * x[size_t(r * width + c)];
        for (int64_t c = 0; c < width; ++c) {
          const double want =
              x[size_t(r * width + c)] * double(w[size_t(c)]) / std::sqrt(squares / double(width) + 1e-6);
          ASSERT_NEAR(out[0].at<float>(r * width + c), want, 1e-6 * std::fabs(want))
              << isa_name(isa) << ' ' << rows << 'x' << width;
        }
      }
    }
  }
}

// A row whose all elements are -inf has no softmax: NaN, not garbage; and a NaN reaches its whole row but no other.
TEST(RowProgramPhases, SoftmaxOfSpecialRows) {
  const int64_t width = 20;
  std::vector<float> x = normal_values(3 * width, 1, 4);
  std::fill(x.begin(), x.begin() + width, -INFINITY);
  x[size_t(width) + 7] = NAN;
  for (Isa isa : isas()) {
    Tensors out{Tensor(DType::f32, {3, width})};
    run(isa, softmax(3, width), {Tensor(x, {3, width})}, &out);
    for (int64_t i = 0; i < 3 * width; ++i)
      EXPECT_EQ(std::isnan(out[0].at<float>(i)), i < 2 * width) << isa_name(isa) << ' ' << i;
  }
}

TEST(RowProgramPhases, AdamWInPlace) {
  const int64_t n = 40001;
  Tensors start;
  for (uint32_t t = 0; t < 4; ++t) start.emplace_back(normal_values(n, 1, 10 + t), Dims{n});
  for (int64_t i = 0; i < n; ++i) start[3].bytes[size_t(i) * 4 + 3] &= 0x7f;  // v is a mean of squares
  Tensors want = start;
  run_slowly(adamw(1, n), start, &want);
  for (Isa isa : isas()) {
    for (int threads : {1, 2, 5}) {
      set_num_threads(threads);
      Tensors got = start;
      run_in_place(isa, adamw(1, n), &got);
      for (size_t t = 0; t < 4; ++t) {
        for (int64_t i = 0; i < n; ++i) {
          const double w = want[t].at<float>(i);
          ASSERT_NEAR(got[t].at<float>(i), w, 1e-6 * std::fabs(w) + 1e-6)
              << isa_name(isa) << " tensor " << t << " element " << i;
        }
      }
    }
  }
  set_num_threads(2);
}

// Random programs of exactly rounded instructions, so that every bit must agree whatever the order of evaluation.
struct RandomProgram : RandomParts {
  RandomProgram(uint32_t seed, int64_t rows, int64_t width, int64_t inner) : RandomParts(seed, rows, width, inner) {
    for (int t = 0; t < 3; ++t) {
      Tensor tensor(DType::i32, {rows, width});
      for (uint8_t& byte : tensor.bytes) byte = uint8_t(random());
      in.push_back(tensor);
    }
    const int phases = 1 + int(random() % 3);
    for (int p = 0; p < phases; ++p) {
      if (p > 0) build.next_phase();
      add_phase();
    }
  }

  static std::vector<RowOp> exact_ops() {
    std::vector<RowOp> ops;
    for (int i = 1; i < int(RowOp::count); ++i) {
      const RowOp op = RowOp(i);
      if (define(op, 0, 0, 0) && !is_float_result(op)) ops.push_back(op);
    }
    return ops;
  }

  RowOperand view() {
    const int64_t rows = build.p.rows, width = build.p.width;
    const int64_t inner = build.p.inner, outer = rows / inner;
    if (inner > 1 && random() % 2) {
      const std::vector<Dims> strides = {{inner, 0, 1}, {0, 0, 1}, {0, inner, 1}, {width, 1, 0}, {0, 1, width}};
      return {int(random() % 3), DType::i32, false, 0, {outer, width, inner}, pick(strides)};
    }
    const std::vector<Dims> strides = {{width, 1}, {0, 1}, {width, 0}, {0, 0}, {1, rows}};
    return {int(random() % 3), DType::i32, false, 0, {rows, width}, pick(strides)};
  }

  void add_phase() {
    static const std::vector<RowOp> ops = exact_ops();
    const std::vector<RowOp> reductions = {RowOp::sum_i32,     RowOp::max_row_i32, RowOp::min_row_i32,
                                           RowOp::prod_i32,    RowOp::max_row_u32, RowOp::min_row_u32,
                                           RowOp::and_row_u32, RowOp::or_row_u32};
    full.clear();
    std::vector<uint8_t> reduced;
    full.push_back(build.load(view()));
    for (int i = 0; i < 8 && build.p.full_registers < 50; ++i) {
      switch (random() % 8) {
        case 0: full.push_back(build.load(view())); break;
        case 1: full.push_back(build.constant(float(random() % 9))); break;
        case 2:
          if (!row.empty()) full.push_back(build.op(RowOp::spread, pick(row)));
          break;
        case 3: reduced.push_back(build.op(pick(reductions), pick(full))); break;
        default: full.push_back(build.op(pick(ops), pick(full), pick(full), pick(full)));
      }
    }
    row.insert(row.end(), reduced.begin(), reduced.end());
    if (!row.empty()) row.push_back(build.after(pick(ops), pick(row), pick(row), pick(row)));
    build.store(pick(full), int(out.size()), DType::i32);
    out.emplace_back(DType::i32, Dims{build.p.rows, build.p.width});
  }
};

TEST(RowProgramPhases, RandomProgramsMatchTheSlowInterpreter) {
  // Rows, their width, and how many interleave. The last ones are large enough that threads share blocks.
  const std::vector<Dims> sizes = {{40, 3, 1},     {70, 16, 1},   {5, 130, 1},    {3, 600, 1},    {50, 1, 1},
                                   {1, 2000, 1},   {200, 100, 1}, {3, 50, 3},     {6, 200, 3},    {2, 3, 2},
                                   {40, 7, 20},    {64, 9, 32},   {300, 20, 300}, {600, 5, 300},  {1030, 4, 1030},
                                   {2100, 3, 700}, {1, 70000, 1}, {40, 3000, 40}, {20, 7001, 20}, {1, 131073, 1}};
  for (uint32_t seed = 0; seed < 400; ++seed) {
    const Dims& size = sizes[seed % sizes.size()];
    if (size[0] * size[1] > 30000 && seed >= 60) continue;  // the slow interpreter takes its time
    RandomProgram random(seed, size[0], size[1], size[2]);
    const RowProgram program = random.build.done();
    Tensors want = random.out;
    run_slowly(program, random.in, &want);
    for (Isa isa : isas()) {
      Tensors got = random.out;
      run(isa, program, random.in, &got);
      for (size_t t = 0; t < want.size(); ++t) {
        ASSERT_EQ(got[t].bytes, want[t].bytes) << isa_name(isa) << " seed " << seed << " output " << t << '\n'
                                               << to_text(program);
      }
    }
  }
}

}  // namespace
}  // namespace hearth::row_test
