// SPDX-License-Identifier: Apache-2.0
// Every instruction against its definition in f64, on every instruction set of this machine.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "base/error.h"
#include "ops/row_program/row_program_test_kit.h"

namespace hearth::row_test {
namespace {

std::vector<uint32_t> edge_bits() {
  std::vector<uint32_t> bits;
  for (float x : {0.0f,      1.0f,       0.5f,        2.0f,          0x1p-126f,     0x1p-149f,     0x1.fffffep127f,
                  INFINITY,  NAN,        1e-7f,       3.5f,          65504.0f,      65520.0f,      0x1p-24f,
                  0x1p-25f,  6e-5f,      88.72f,      88.73f,        104.0f,        103.9f,        87.4f,
                  0.625f,    9.1f,       1e5f,        2147483648.0f, 4294967040.0f, 4294967296.0f, 16777217.0f,
                  0x1.01p0f, 0x1.018p0f, 0.99999994f, 1e30f,         3e8f,          7e8f}) {
    bits.push_back(std::bit_cast<uint32_t>(x));
    bits.push_back(std::bit_cast<uint32_t>(-x));
  }
  for (uint32_t i :
       {0u, 1u, 2u, 31u, 32u, 33u, 0x7fffffffu, 0x80000000u, 0x80000001u, 0xffffffffu, 0x7fc12345u, 0xffc00000u})
    bits.push_back(i);
  return bits;
}

// Measured in row_program_accuracy_test.cc over all floats; 0 where the hardware rounds correctly.
double allowed_ulps(RowOp op) {
  switch (op) {
    case RowOp::exp_f32:
    case RowOp::log_f32:
    case RowOp::tanh_f32:
    case RowOp::logistic_f32:
    case RowOp::expm1_f32:
    case RowOp::log1p_f32:
    case RowOp::erf_f32: return 2;
    case RowOp::tan_f32:
    case RowOp::atan2_f32: return 3;
    case RowOp::cbrt_f32:
    case RowOp::pow_f32:
    case RowOp::rsqrt_f32: return 1;
    default: return 0;
  }
}

void expect_result(RowOp op, uint32_t got, uint32_t want, const std::string& where) {
  if (!is_float_result(op)) {
    EXPECT_EQ(got, want) << where;
    return;
  }
  const float g = std::bit_cast<float>(got), w = std::bit_cast<float>(want);
  if (op == RowOp::sin_f32 || op == RowOp::cos_f32) {
    EXPECT_TRUE((std::isnan(g) && std::isnan(w)) || std::fabs(double(g) - w) <= 1e-6)
        << where << ": " << g << " not " << w;
    return;
  }
  EXPECT_LE(ulps_between(g, w), allowed_ulps(op)) << where << ": " << g << " not " << w;
}

// All triples would be many: a over all, b over all, c follows from both.
void check_op(RowOp op, Isa isa) {
  std::vector<uint32_t> a, b, c;
  const std::vector<uint32_t> edges = edge_bits();
  for (uint32_t x : edges) {
    for (uint32_t y : edges) a.push_back(x), b.push_back(y), c.push_back(x ^ (y * 3));
  }
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 20);
  for (int i = 0; i < 500; ++i) {
    a.push_back(std::bit_cast<uint32_t>(normal(random)));
    b.push_back(std::bit_cast<uint32_t>(normal(random)));
    c.push_back(random());
  }
  const int64_t n = int64_t(a.size());
  Builder build(1, n);
  for (int t = 0; t < 3; ++t) build.load(t, DType::u32);
  build.store(build.op(op, 0, 1, 2), 0, DType::u32);
  Tensors out{Tensor(DType::u32, {n})};
  run(isa, build.done(), {Tensor(a, {n}), Tensor(b, {n}), Tensor(c, {n})}, &out);
  for (int64_t i = 0; i < n; ++i) {
    const size_t k = size_t(i);
    const auto want = define(op, a[k], b[k], c[k]);
    expect_result(op, out[0].at<uint32_t>(i), want.value(),
                  cat(isa_name(isa), ' ', name(op), "(", std::bit_cast<float>(a[k]), " ", std::bit_cast<float>(b[k]),
                      " | ", std::hex, a[k], " ", b[k], ")"));
    if (testing::Test::HasFailure()) return;
  }
}

// The same instruction on row registers.
void check_op_after(RowOp op, Isa isa) {
  const std::vector<uint32_t> edges = edge_bits();
  const int64_t rows = int64_t(edges.size());
  std::vector<float> a, b, c;
  for (size_t i = 0; i < edges.size(); ++i) {
    a.push_back(std::bit_cast<float>(edges[i]));
    b.push_back(std::bit_cast<float>(edges[(i * 7 + 3) % edges.size()]));
    c.push_back(float(i));
  }
  Builder build(rows, 3);
  for (int t = 0; t < 3; ++t) build.load_row(t, true);
  build.store_row(build.after(op, 0, 1, 2), 0);
  Tensors out{Tensor(DType::f32, {rows})}, want = out;
  const Tensors in{Tensor(a, {rows}), Tensor(b, {rows}), Tensor(c, {rows})};
  run(isa, build.done(), in, &out);
  run_slowly(build.done(), in, &want);
  for (int64_t i = 0; i < rows; ++i) {
    expect_result(op, out[0].at<uint32_t>(i), want[0].at<uint32_t>(i),
                  cat(isa_name(isa), " after ", name(op), " row ", i));
  }
}

void check_reduction(RowOp op, Isa isa, int64_t width, int special) {
  const int64_t rows = 37;
  std::mt19937 random(uint32_t(width + 1));
  std::normal_distribution<float> normal(0, 1);
  std::vector<uint32_t> a;
  double magnitude = 0;
  for (int64_t i = 0; i < rows * width; ++i) {
    const float x = op == RowOp::prod_f32 ? 1 + normal(random) * 0.01f : normal(random);
    magnitude = std::max(magnitude, std::fabs(double(x)));
    a.push_back(is_float_result(op) ? std::bit_cast<uint32_t>(x) : random());
  }
  const float specials[] = {0, NAN, INFINITY, -INFINITY, -0.0f};
  if (special > 0 && width > 0) a[size_t(width / 2)] = std::bit_cast<uint32_t>(specials[special]);
  Builder build(rows, width);
  const uint8_t r = build.op(op, build.load(0, DType::u32));
  build.store_row(r, 0);
  Tensors out{Tensor(DType::f32, {rows})}, want = out;
  const Tensors in{Tensor(a, {rows, width})};
  run(isa, build.done(), in, &out);
  run_slowly(build.done(), in, &want);
  const double tolerance = op == RowOp::sum_f32    ? 0x1p-24 * magnitude * double(width) * 0.5
                           : op == RowOp::prod_f32 ? 0x1p-24 * std::sqrt(double(width)) * 4
                                                   : 0;
  for (int64_t i = 0; i < rows; ++i) {
    const std::string where = cat(isa_name(isa), ' ', name(op), " width ", width, " row ", i, " special ", special);
    if (!is_float_result(op)) {
      ASSERT_EQ(out[0].at<uint32_t>(i), want[0].at<uint32_t>(i)) << where;
      continue;
    }
    const float got = out[0].at<float>(i), w = want[0].at<float>(i);
    if (!std::isfinite(w) || tolerance == 0)
      ASSERT_EQ(ulps_between(got, w), 0) << where << ": " << got << " not " << w;
    else
      ASSERT_NEAR(got, w, tolerance * std::max(1.0, op == RowOp::prod_f32 ? std::fabs(double(w)) : 1.0)) << where;
  }
}

// Instructions that move data have tests of their own (row_program_memory_test.cc); listed so that a new one is
// noticed.
bool moves_data(RowOp op) {
  return (op > RowOp::none && op <= RowOp::spread) || is_iota(op) || is_constant(op) || is_spread(op) ||
         op == RowOp::copy_128 || op == RowOp::select_128;
}

TEST(RowProgramOps, EveryInstructionHasADefinition) {
  for (int i = 1; i < int(RowOp::count); ++i) {
    const RowOp op = RowOp(i);
    EXPECT_TRUE(moves_data(op) || is_reduction(op) || define(op, 0, 0, 0).has_value() ||
                define_wide(op, 0, 0, 0).has_value())
        << name(op) << " has no test: define it in row_program_test_kit_test.cc";
  }
}

TEST(RowProgramOps, ElementwiseMatchesDefinition) {
  for (Isa isa : isas()) {
    for (int i = 1; i < int(RowOp::count); ++i) {
      if (define(RowOp(i), 0, 0, 0)) check_op(RowOp(i), isa);
    }
  }
}

TEST(RowProgramOps, RowRegistersMatchDefinition) {
  for (Isa isa : isas()) {
    for (int i = 1; i < int(RowOp::count); ++i) {
      if (define(RowOp(i), 0, 0, 0)) check_op_after(RowOp(i), isa);
    }
  }
}

TEST(RowProgramOps, ReductionsMatchDefinition) {
  for (Isa isa : isas()) {
    for (int i = int(RowOp::sum_f32); i < int(RowOp::sum_f64); ++i) {
      for (int64_t width : {0, 1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 255, 256, 257, 511, 512, 513, 1024, 3001}) {
        for (int special = 0; special < (is_float_result(RowOp(i)) ? 5 : 1); ++special) {
          check_reduction(RowOp(i), isa, width, special);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

// 16-bit sums stop growing at 256 equal terms, sequential f32 sums lose digits: 2^20 terms of 0.1 must not.
TEST(RowProgramOps, LongSumsKeepTheirDigits) {
  const int64_t n = 1 << 20;
  Builder build(1, n);
  build.store_row(build.op(RowOp::sum_f32, build.load(0)), 0);
  for (Isa isa : isas()) {
    Tensors out{Tensor(DType::f32, {1})};
    run(isa, build.done(), {Tensor(std::vector<float>(size_t(n), 0.1f), {n})}, &out);
    EXPECT_NEAR(out[0].at<float>(0), double(0.1f) * double(n), 0.05)
        << isa_name(isa);  // sequentially: off by 1.0 and more
  }
}

}  // namespace
}  // namespace hearth::row_test
