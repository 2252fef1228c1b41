// SPDX-License-Identifier: Apache-2.0
// Machine code against the interpreter: the same bits for every instruction, way of reading and writing, reduction,
// phase and tail, with values spilled, and for programs that have more tensors than there are registers.
#include "ops/row_program/row_code.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/threads.h"
#include "ops/row_program/row_code_formulas.h"
#include "ops/row_program/row_program_test_kit.h"

namespace hearth::row_test {
namespace {

std::vector<Isa> coded_isas() {
  std::vector<Isa> found;
  for (Isa isa : isas()) {
    if (isa >= Isa::avx2) found.push_back(isa);
  }
  return found;
}

// Runs both ways and compares words; any NaN is as good as another.
void expect_same_bits(Isa isa, const RowProgram& program, const Tensors& in, const Tensors& out,
                      const std::string& what) {
  Tensors interpreted = out, coded = out;
  want_row_code(false);
  run(isa, program, in, &interpreted);
  want_row_code(true);
  run(isa, program, in, &coded);
  for (size_t t = 0; t < out.size(); ++t) {
    if (size_bytes(out[t].type.dtype) != 4) {
      ASSERT_EQ(interpreted[t].bytes, coded[t].bytes) << what << ' ' << isa_name(isa) << " tensor " << t;
      continue;
    }
    for (int64_t i = 0; i < out[t].type.elements(); ++i) {
      const uint32_t want = interpreted[t].at<uint32_t>(i), got = coded[t].at<uint32_t>(i);
      const bool both_nan = std::isnan(interpreted[t].at<float>(i)) && std::isnan(coded[t].at<float>(i));
      ASSERT_TRUE(want == got || both_nan) << what << ' ' << isa_name(isa) << " tensor " << t << " element " << i
                                           << ": " << coded[t].at<float>(i) << " not " << interpreted[t].at<float>(i);
    }
  }
}

// Any bits, with a number of zeros, ones, infinities and NaN among them.
Tensor any_words(Dims dims, std::mt19937& random) {
  Tensor t(DType::f32, std::move(dims));
  const float special[] = {0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN, 0x1p-149f, 0.5f, -2.5f};
  for (int64_t i = 0; i < t.type.elements(); ++i) {
    const uint32_t bits = random();
    const float x = random() % 4 == 0 ? special[random() % std::size(special)] : float(int32_t(random())) * 0x1p-25f;
    std::memcpy(t.bytes.data() + i * 4, random() % 3 == 0 ? static_cast<const void*>(&bits) : &x, 4);
  }
  return t;
}
Tensor small_numbers(DType dtype, Dims dims, std::mt19937& random) {
  Tensor t(dtype, std::move(dims));
  for (int64_t i = 0; i < t.type.elements(); ++i) {
    const float x = float(int32_t(random())) * 0x1p-30f;
    const bf16 half(x);
    const size_t size = size_t(size_bytes(dtype));
    std::memcpy(t.bytes.data() + size_t(i) * size, size == 2 ? static_cast<const void*>(&half) : &x, size);
  }
  return t;
}

TEST(RowCode, EveryInstruction) {
  constexpr int64_t n = 20011;  // a tail of 11
  std::mt19937 random(1);
  const Tensors in = {any_words({n}, random), any_words({n}, random), any_words({n}, random)};
  int count = 0;
  for (int i = 0; i < int(RowOp::count); ++i) {
    const RowOp op = RowOp(i);
    if (!is_recorded(op) || is_reduction(op)) continue;
    ++count;
    Builder build(1, n);
    const uint8_t a = build.load(0), b = build.load(1), c = build.load(2);
    const uint8_t y = build.op(op, a, b, c);
    build.store(y, 0);
    build.store(build.op(RowOp::neg_f32, y), 1);  // a run has two steps at least
    for (Isa isa : coded_isas())
      expect_same_bits(isa, build.done(), in, {Tensor(DType::f32, {n}), Tensor(DType::f32, {n})}, name(op));
  }
  EXPECT_EQ(count, 30);
}

// Rows of a few kinds of numbers each, so that all are below zero, or zeros of both signs, or one is NaN of either
// sign.
TEST(RowCode, ExtremesOfRows) {
  constexpr int64_t rows = 512, width = 256;
  const std::vector<float> kinds = {0.0f, -0.0f, 1.5f, -2.5f, 0x1p-149f, -0x1p-149f, INFINITY, -INFINITY, NAN, -NAN};
  std::mt19937 random(3);
  Tensors in{Tensor(DType::f32, {rows, width})};
  std::vector<float> most(rows, -INFINITY), least(rows, INFINITY);
  for (int64_t r = 0; r < rows; ++r) {
    const size_t common = random() % kinds.size(), rare = random() % kinds.size();
    const int64_t at = int64_t(random() % width);
    for (int64_t i = 0; i < width; ++i) {
      const float x = kinds[i == at ? rare : common];
      std::memcpy(in[0].bytes.data() + (r * width + i) * 4, &x, 4);
      const bool nan = std::isnan(x) || std::isnan(most[size_t(r)]);
      const auto above = [](float a, float b) { return a > b || (a == b && std::signbit(b)); };
      most[size_t(r)] = nan ? NAN : above(x, most[size_t(r)]) ? x : most[size_t(r)];
      least[size_t(r)] = nan ? NAN : above(x, least[size_t(r)]) ? least[size_t(r)] : x;
    }
  }
  Builder build(rows, width);
  const uint8_t x = build.load(0);
  build.store_row(build.op(RowOp::max_row_f32, x), 0);
  build.store_row(build.op(RowOp::min_row_f32, x), 1);
  for (Isa isa : isas()) {
    for (bool coded : {false, true}) {
      Tensors out{Tensor(DType::f32, {rows}), Tensor(DType::f32, {rows})};
      want_row_code(coded);
      run(isa, build.done(), in, &out);
      for (int64_t r = 0; r < rows; ++r) {
        const std::string what = std::string(isa_name(isa)) + (coded ? " coded" : "") + " row " + std::to_string(r);
        EXPECT_EQ(ulps_between(out[0].at<float>(r), most[size_t(r)]), 0) << what;
        EXPECT_EQ(ulps_between(out[1].at<float>(r), least[size_t(r)]), 0) << what;
      }
    }
  }
}

// Values and numbers per row of all kinds, in several phases.
struct RandomProgram : RandomParts {
  RandomProgram(uint32_t seed, int64_t rows, int64_t width, int64_t inner) : RandomParts(seed, rows, width, inner) {
    in = {small_numbers(DType::f32, {rows, width}, random), small_numbers(DType::bf16, {rows, width}, random),
          small_numbers(DType::f32, {rows, width}, random)};
    if (inner == 1) in.push_back(small_numbers(DType::f32, {width}, random));
    const int phases = 1 + int(random() % 3);
    for (int p = 0; p < phases; ++p) {
      if (p > 0) build.next_phase();
      add_phase(inner);
    }
  }

  uint8_t load(int64_t inner) {
    const size_t tensor = random() % in.size();
    const DType dtype = in[tensor].type.dtype;
    if (tensor < 3 || inner > 1) return build.load(int(tensor), dtype);
    return build.load(
        RowOperand{.tensor = 3, .dtype = dtype, .dims = {build.p.rows, build.p.width}, .strides = {0, 1}});
  }

  void add_phase(int64_t inner) {
    static const std::vector<RowOp> ops = {RowOp::add_f32,  RowOp::sub_f32, RowOp::mul_f32,    RowOp::max_f32,
                                           RowOp::div_f32,  RowOp::lt_f32,  RowOp::select,     RowOp::tanh_f32,
                                           RowOp::exp_f32,  RowOp::erf_f32, RowOp::round_bf16, RowOp::logistic_f32,
                                           RowOp::sqrt_f32, RowOp::neg_f32, RowOp::sin_f32};
    full = {load(inner), load(inner)};
    for (int i = 0; i < 14 && build.p.full_registers < 50; ++i) {
      if (i % 5 == 0)
        full.push_back(load(inner));
      else if (i % 5 == 1)
        full.push_back(row.empty() ? build.constant(0.75f) : build.op(RowOp::spread, pick(row)));
      else
        full.push_back(build.op(pick(ops), pick(full), pick(full), pick(full)));
    }
    const uint8_t product = build.op(RowOp::mul_f32, pick(full), pick(full));
    std::vector<uint8_t> reduced = {build.op(random() % 2 ? RowOp::sum_f32 : RowOp::max_row_f32, pick(full)),
                                    build.op(RowOp::sum_f32, product)};
    if (random() % 3 == 0) reduced.push_back(build.op(RowOp::min_row_f32, pick(full)));
    row.insert(row.end(), reduced.begin(), reduced.end());
    row.push_back(build.after(RowOp::sub_f32, pick(row), pick(row)));
    for (int i = 0; i < 2; ++i) {
      const DType dtype = random() % 2 ? DType::bf16 : DType::f32;
      build.store(pick(full), int(out.size()), dtype);
      out.emplace_back(dtype, Dims{build.p.rows, build.p.width});
    }
  }
};

TEST(RowCode, RandomPrograms) {
  struct Size {
    int64_t rows, width, inner;
  };
  const Size sizes[] = {{40, 256, 1}, {9, 1088, 1},  {3, 4096, 1},   {130, 64, 1},   {12, 1000, 1},
                        {90, 97, 1},  {1, 40000, 1}, {384, 64, 384}, {128, 192, 64}, {2048, 5, 2048}};
  const int threads = num_threads();
  for (uint32_t seed = 0; seed < 120; ++seed) {
    const Size size = sizes[seed % std::size(sizes)];
    RandomProgram random(seed, size.rows, size.width, size.inner);
    set_num_threads(seed % 2 ? 1 : 3);
    for (Isa isa : coded_isas())
      expect_same_bits(isa, random.build.done(), random.in, random.out, "seed " + std::to_string(seed));
  }
  set_num_threads(threads);
}

// All values live until the end: there are more than registers.
TEST(RowCode, SpilledValues) {
  constexpr int64_t n = 16384;
  std::mt19937 random(2);
  Builder build(1, n);
  std::vector<uint8_t> values = {build.load(0)};
  for (int i = 0; i < 30; ++i) values.push_back(build.op(RowOp::add_f32, values.back(), values[size_t(i / 2)]));
  uint8_t sum = values.back();
  for (size_t i = 0; i < values.size(); ++i) sum = build.op(i % 2 ? RowOp::mul_f32 : RowOp::sub_f32, values[i], sum);
  build.store(sum, 0);
  for (Isa isa : coded_isas())
    expect_same_bits(isa, build.done(), {small_numbers(DType::f32, {n}, random)}, {Tensor(DType::f32, {n})}, "spilled");
}

TEST(RowCode, MoreTensorsThanAddressRegisters) {
  constexpr int64_t n = 16384;
  std::mt19937 random(3);
  Builder build(1, n);
  Tensors in;
  uint8_t sum = build.constant(0.0f);
  for (int t = 0; t < 20; ++t) {
    in.push_back(small_numbers(DType::f32, {n}, random));
    sum = build.op(RowOp::add_f32, sum, build.load(t));
  }
  build.store(sum, 0);
  for (Isa isa : coded_isas()) expect_same_bits(isa, build.done(), in, {Tensor(DType::f32, {n})}, "20 tensors");
}

// Results larger than the caches pass them, but for what is written in place.
TEST(RowCode, LargeTensors) {
  constexpr int64_t rows = 1700, width = 2048;
  std::mt19937 random(4);
  Builder build(rows, width);
  const uint8_t x = build.load(0), sum = build.op(RowOp::sum_f32, x);
  build.next_phase();
  const uint8_t y = build.op(RowOp::mul_f32, build.load(1), build.op(RowOp::spread, sum));
  build.store(build.op(RowOp::add_f32, y, build.load(0)), 0);
  build.store(y, 1);
  const Tensors in = {small_numbers(DType::f32, {rows, width}, random),
                      small_numbers(DType::f32, {rows, width}, random)};
  for (Isa isa : coded_isas()) {
    expect_same_bits(isa, build.done(), in, {Tensor(DType::f32, {rows, width}), Tensor(DType::f32, {rows, width})},
                     "large");
    Tensors interpreted = in, coded = in;
    want_row_code(false);
    run_in_place(isa, build.done(), &interpreted);
    want_row_code(true);
    run_in_place(isa, build.done(), &coded);
    EXPECT_EQ(interpreted[0].bytes, coded[0].bytes) << isa_name(isa);
    EXPECT_EQ(interpreted[1].bytes, coded[1].bytes) << isa_name(isa);
  }
}

TEST(RowCode, EqualRunsShareCode) {
  RowRun run{.wide = false, .inputs = {RowRead::words}, .steps = {}, .outputs = 1};
  run.steps = {{.op = RowOp::neg_f32, .in = {0, -1, -1}, .write = RowWrite::words, .output = 0}};
  if (coded_isas().empty()) GTEST_SKIP() << "no AVX2";
  const auto code = code_of(run);
  ASSERT_TRUE(code);
  EXPECT_EQ(code, code_of(run));
  EXPECT_EQ(code->unit(), 16);
  run.steps[0].op = RowOp::abs_f32;
  EXPECT_NE(code, code_of(run));
}

}  // namespace
}  // namespace hearth::row_test
