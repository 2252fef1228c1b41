// SPDX-License-Identifier: Apache-2.0
// Instructions on registers of 8 and 16 bytes against their definitions, on every instruction set of this machine.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "base/error.h"
#include "ops/row_program/row_program_test_kit.h"

namespace hearth::row_test {
namespace {

std::vector<uint64_t> edges() {
  std::vector<uint64_t> bits;
  for (double x : {0.0,
                   1.0,
                   0.5,
                   2.0,
                   3.5,
                   1e-7,
                   0x1p-1022,
                   0x1p-1074,
                   0x1.fffffffffffffp1023,
                   0x1p24,
                   16777217.0,
                   0x1.fffffep127,
                   0x1.ffffffp127,
                   0x1p-149,
                   0x1p-150,
                   0x1.8p-149,
                   0x1.000001p0,
                   0x1.0000010001p0,
                   2147483647.0,
                   2147483648.0,
                   4294967295.0,
                   4294967296.0,
                   0x1p63,
                   0x1.fffffffffffffp62,
                   0x1p64,
                   1e30,
                   700.0,
                   710.0,
                   double(INFINITY),
                   double(NAN)}) {
    bits.push_back(std::bit_cast<uint64_t>(x));
    bits.push_back(std::bit_cast<uint64_t>(-x));
  }
  for (float x : {1.5f, -3e9f, 1e19f, 2e19f, -1e19f, INFINITY, NAN}) bits.push_back(std::bit_cast<uint32_t>(x));
  for (int64_t i : {int64_t(0), int64_t(1), int64_t(-1), int64_t(2), int64_t(63), int64_t(64), INT64_MAX, INT64_MIN,
                    INT64_MIN + 1, int64_t(16777217), int64_t(-16777217), (int64_t(1) << 53) + 1,
                    (int64_t(1) << 40) + 1, (int64_t(1) << 61) + (int64_t(1) << 36) + 1, int64_t(0xffffffff)})
    bits.push_back(uint64_t(i));
  return bits;
}

struct Sizes {
  int result, in[3];
};
Sizes sizes_of(RowOp op) {
  RowProgram none;
  none.operands.emplace_back();
  const RowInstruction i{.op = op};
  Sizes sizes{result_bytes(none, i), {}};
  for (int k = 0; k < 3; ++k) sizes.in[k] = k < inputs_of(op) ? input_bytes(none, i, k) : 4;
  return sizes;
}
DType bits_of(int bytes) { return bytes == 4 ? DType::u32 : bytes == 8 ? DType::u64 : DType::complex128; }

// As many elements, each of its width.
Tensor as_bits(const std::vector<uint64_t>& values, int bytes) {
  Tensor t(bits_of(bytes), {int64_t(values.size())});
  for (size_t i = 0; i < values.size(); ++i) std::memcpy(t.bytes.data() + i * size_t(bytes), &values[i], size_t(bytes));
  return t;
}

double ulps(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : 1e30;
  if (std::isinf(a) || std::isinf(b)) return a == b ? 0 : 1e30;
  return a == b ? (std::signbit(a) == std::signbit(b) ? 0 : 1)
                : std::fabs(a - b) / (std::nextafter(std::fabs(b), INFINITY) - std::fabs(b));
}

void expect_same(RowOp op, uint64_t got, uint64_t want, const std::string& where) {
  // pow is the C library's in both; the compiler may take another form of it in vector code.
  if (is_f64_result(op))
    EXPECT_LE(ulps(std::bit_cast<double>(got), std::bit_cast<double>(want)), op == RowOp::rsqrt_f64 ? 1 : 0) << where;
  else if (is_float_result(op))
    EXPECT_EQ(ulps_between(std::bit_cast<float>(uint32_t(got)), std::bit_cast<float>(uint32_t(want))), 0) << where;
  else
    EXPECT_EQ(got, want) << where;
}

uint64_t value_at(const Tensor& t, int64_t i) {
  return t.type.dtype == DType::u32 ? t.at<uint32_t>(i) : t.at<uint64_t>(i);
}

// On tiles and on row registers.
void check_op(RowOp op, Isa isa, bool after) {
  std::vector<uint64_t> in[3];
  for (uint64_t x : edges()) {
    for (uint64_t y : edges()) in[0].push_back(x), in[1].push_back(y), in[2].push_back(x ^ (y * 3));
  }
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal(0, 20);
  for (int i = 0; i < 300; ++i) {
    in[0].push_back(i % 2 ? random() : std::bit_cast<uint64_t>(normal(random)));
    in[1].push_back(i % 2 ? random() >> (i % 64) : std::bit_cast<uint64_t>(normal(random)));
    in[2].push_back(random());
  }
  const Sizes sizes = sizes_of(op);
  const int64_t n = int64_t(in[0].size());
  Builder build(after ? n : 1, after ? 3 : n);
  uint8_t r[3];
  for (int k = 0; k < 3; ++k) {
    const DType t = bits_of(sizes.in[k]);
    r[k] = after ? build.load_row(k, true, t) : build.load(k, t);
  }
  const DType t = bits_of(sizes.result);
  if (after)
    build.store_row(build.after(op, r[0], r[1], r[2]), 0, t);
  else
    build.store(build.op(op, r[0], r[1], r[2]), 0, t);
  Tensors tensors, out{Tensor(t, {n})};
  for (int k = 0; k < 3; ++k) tensors.push_back(as_bits(in[k], sizes.in[k]));
  run(isa, build.done(), tensors, &out);
  for (int64_t i = 0; i < n && !testing::Test::HasFailure(); ++i) {
    const uint64_t a = value_at(tensors[0], i), b = value_at(tensors[1], i), c = value_at(tensors[2], i);
    expect_same(op, value_at(out[0], i), define_wide(op, a, b, c).value(),
                cat(isa_name(isa), ' ', name(op), after ? " after" : "", "(", std::bit_cast<double>(a), " ",
                    std::bit_cast<double>(b), " | ", std::hex, a, " ", b, ")"));
  }
}

TEST(WideRowOps, ElementwiseMatchesDefinition) {
  for (Isa isa : isas()) {
    for (int i = 1; i < int(RowOp::sum_f32); ++i) {
      if (!define_wide(RowOp(i), 0, 0, 0)) continue;
      check_op(RowOp(i), isa, false);
      check_op(RowOp(i), isa, true);
    }
  }
}

void check_reduction(RowOp op, Isa isa, const Dims& size, int special) {
  const int64_t rows = size[0], width = size[1];
  const bool wide = op >= RowOp::sum_f64, real = is_f64_result(op) || is_float_result(op);
  std::mt19937_64 random(uint64_t(width + 1));
  std::normal_distribution<double> normal(0, 1);
  std::vector<uint64_t> a;
  double magnitude = 0;
  for (int64_t i = 0; i < rows * width; ++i) {
    const double x = op == RowOp::prod_f32 || op == RowOp::prod_f64 ? 1 + normal(random) * 0.01 : normal(random);
    magnitude = std::max(magnitude, std::fabs(x));
    a.push_back(!real ? random() : wide ? std::bit_cast<uint64_t>(x) : std::bit_cast<uint32_t>(float(x)));
  }
  const double specials[] = {0, NAN, INFINITY, -INFINITY, -0.0};
  if (special > 0 && width > 0)
    a[size_t(rows * width / 2)] =
        wide ? std::bit_cast<uint64_t>(specials[special]) : std::bit_cast<uint32_t>(float(specials[special]));
  Builder build(rows, width, size[2]);
  const DType t = wide ? DType::u64 : DType::u32;
  build.store_row(build.op(op, build.load(0, t)), 0, t);
  Tensors out{Tensor(t, {rows})}, want = out;
  const Tensors in{as_bits(a, wide ? 8 : 4)};
  run(isa, build.done(), in, &out);
  run_slowly(build.done(), in, &want);
  const double eps = wide ? 0x1p-53 : 0x1p-24;
  for (int64_t i = 0; i < rows; ++i) {
    const std::string where = cat(isa_name(isa), ' ', name(op), ' ', ShowDims{size}, " row ", i, " special ", special);
    const uint64_t g = value_at(out[0], i), w = value_at(want[0], i);
    if (!real) {
      ASSERT_EQ(g, w) << where;
      continue;
    }
    const double got = wide ? std::bit_cast<double>(g) : double(std::bit_cast<float>(uint32_t(g)));
    const double wanted = wide ? std::bit_cast<double>(w) : double(std::bit_cast<float>(uint32_t(w)));
    const bool sums = op == RowOp::sum_f32 || op == RowOp::sum_f64;
    const bool multiplies = op == RowOp::prod_f32 || op == RowOp::prod_f64;
    if (!std::isfinite(wanted) || !(sums || multiplies))
      ASSERT_EQ(ulps(got, wanted), 0) << where << ": " << got << " not " << wanted;
    else if (sums)
      ASSERT_NEAR(got, wanted, eps * magnitude * (double(width) * 0.5 + 1)) << where;
    else
      ASSERT_NEAR(got, wanted, eps * (std::sqrt(double(width)) * 4 + 2) * std::fabs(wanted)) << where;
  }
}

// Rows, width, and how many rows interleave: lines shorter than vectors, of several tiles, several groups of them.
TEST(WideRowOps, ReductionsMatchDefinition) {
  const std::vector<Dims> sizes = {{3, 0, 1},        {3, 1, 1},       {3, 7, 1},     {3, 65, 1}, {3, 257, 1},
                                   {2, 3001, 1},     {1, 140000, 1},  {6, 0, 3},     {6, 1, 3},  {6, 5, 3},
                                   {6, 700, 3},      {62, 33, 31},    {64, 130, 32}, {1, 1, 1},  {520, 9, 260},
                                   {1500, 70, 1500}, {129, 1100, 129}};
  for (Isa isa : isas()) {
    for (int i = int(RowOp::sum_f32); i < int(RowOp::count); ++i) {
      for (const Dims& size : sizes) {
        if (size[0] * size[1] > 110000 && isa != isas().back()) continue;
        const bool real = is_f64_result(RowOp(i)) || is_float_result(RowOp(i));
        for (int special = 0; special < (real && size[0] * size[1] < 10000 ? 5 : 1); ++special) {
          check_reduction(RowOp(i), isa, size, special);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

// What is 16 bytes wide is only moved: loaded through strides, chosen, spread, stored.
TEST(WideRowOps, SixteenBytesMove) {
  const int64_t rows = 5, width = 700;
  Tensor a(DType::complex128, {rows, width}), b = a, per_row(DType::complex128, {rows});
  std::mt19937_64 random(3);
  for (Tensor* t : {&a, &b, &per_row}) {
    for (uint8_t& byte : t->bytes) byte = uint8_t(random());
  }
  Tensor pred(DType::boolean, {rows, width});
  for (uint8_t& byte : pred.bytes) byte = uint8_t(random() & 1);
  Builder build(rows, width);
  const uint8_t p = build.load(0, DType::boolean);
  const uint8_t turned = build.load(RowOperand{1, DType::complex128, false, 0, {rows, width}, {1, rows}});
  const uint8_t chosen = build.op(RowOp::select_128, p, turned, build.load(2, DType::complex128));
  const uint8_t spread = build.op(RowOp::spread_128, build.load_row(3, false, DType::complex128));
  build.store(build.op(RowOp::select_128, p, build.op(RowOp::copy_128, chosen), spread), 0, DType::complex128);
  build.store(chosen, 1, DType::complex128);
  for (Isa isa : isas()) {
    Tensors out{a, a};
    run(isa, build.done(), {pred, a, b, per_row}, &out);
    for (int64_t i = 0; i < rows * width; ++i) {
      const auto at = [](const Tensor& t, int64_t k) {
        return std::string(t.bytes.begin() + k * 16, t.bytes.begin() + k * 16 + 16);
      };
      const std::string x = at(a, i % width * rows + i / width);
      ASSERT_EQ(at(out[0], i), pred.bytes[size_t(i)] ? x : at(per_row, i / width)) << isa_name(isa) << ' ' << i;
      ASSERT_EQ(at(out[1], i), pred.bytes[size_t(i)] ? x : at(b, i)) << isa_name(isa) << ' ' << i;
    }
  }
}

// 2^22 terms of 0.1 down a column, and along a row that two threads share.
TEST(WideRowOps, LongSumsKeepTheirDigits) {
  for (const auto& [rows, inner] : {std::pair<int64_t, int64_t>{1, 1}, {4, 4}, {64, 64}}) {
    const int64_t n = 1 << 20;
    Builder build(rows, n, inner);
    build.store_row(build.op(RowOp::sum_f32, build.load(0)), 0);
    Tensors out{Tensor(DType::f32, {rows})};
    run(isas().back(), build.done(), {Tensor(std::vector<float>(size_t(n * rows), 0.1f), {n * rows})}, &out);
    for (int64_t r = 0; r < rows; ++r) EXPECT_NEAR(out[0].at<float>(r), double(0.1f) * double(n), 0.05) << rows;
  }
}

}  // namespace
}  // namespace hearth::row_test
