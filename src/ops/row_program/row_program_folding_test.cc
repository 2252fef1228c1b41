// SPDX-License-Identifier: Apache-2.0
// Loads, roundings, stores, constants and numbers per row that other steps do on the way (row_program_items.h): random
// programs over bf16 and f32 tensors, and updates in place, against the slow interpreter.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "base/threads.h"
#include "ops/row_program/row_program_test_kit.h"

namespace hearth::row_test {
namespace {

// Multiples of 1/4 below 8: products of two are exact and so are sums of those, in any order.
Tensor quarters(DType dtype, Dims dims, std::mt19937& random) {
  Tensor t(dtype, std::move(dims));
  for (int64_t i = 0; i < t.type.elements(); ++i) {
    const float x = float(int(random() % 64) - 32) * 0.25f;
    const bf16 half(x);
    const size_t size = size_t(size_bytes(dtype));
    std::memcpy(t.bytes.data() + size_t(i) * size, size == 2 ? static_cast<const void*>(&half) : &x, size);
  }
  return t;
}

float value(const Tensor& t, int64_t i) { return t.type.dtype == DType::bf16 ? float(t.at<bf16>(i)) : t.at<float>(i); }

void expect_same(const Tensors& got, const Tensors& want, const std::string& where) {
  for (size_t t = 0; t < want.size(); ++t) {
    for (int64_t i = 0; i < want[t].type.elements(); ++i) {
      ASSERT_EQ(ulps_between(value(got[t], i), value(want[t], i)), 0)
          << where << ", tensor " << t << " element " << i << ": " << value(got[t], i) << " not " << value(want[t], i);
    }
  }
}

struct RandomProgram : RandomParts {
  RandomProgram(uint32_t seed, int64_t rows, int64_t width) : RandomParts(seed, rows, width) {
    in = {quarters(DType::f32, {rows, width}, random),
          quarters(DType::bf16, {rows, width}, random),
          quarters(DType::bf16, {width}, random),
          quarters(DType::f32, {width}, random),
          quarters(DType::f32, {rows}, random),
          quarters(DType::bf16, {rows}, random),
          quarters(DType::f32, {1}, random)};
    const int phases = seed % 4 == 0 ? 1 : 1 + int(random() % 3);
    for (int p = 0; p < phases; ++p) {
      if (p > 0) build.next_phase();
      add_phase(seed % 4 != 0);
    }
  }

  uint8_t load() {
    const int64_t rows = build.p.rows, width = build.p.width;
    const int tensor = int(random() % in.size());
    const std::vector<std::vector<Dims>> strides = {
        {{width, 1}, {1, rows}}, {{width, 1}, {1, rows}}, {{0, 1}}, {{0, 1}}, {{1, 0}}, {{1, 0}}, {{0, 0}}};
    return build.load(RowOperand{.tensor = tensor,
                                 .dtype = in[size_t(tensor)].type.dtype,
                                 .dims = {rows, width},
                                 .strides = pick(strides[size_t(tensor)])});
  }

  void add_value(bool per_row) {
    const std::vector<RowOp> ops = {RowOp::add_f32, RowOp::sub_f32, RowOp::mul_f32,    RowOp::add_f32,
                                    RowOp::sub_f32, RowOp::mul_f32, RowOp::round_bf16, RowOp::round_bf16,
                                    RowOp::copy,    RowOp::max_f32, RowOp::neg_f32,    RowOp::div_f32};
    switch (random() % 8) {
      case 0:
      case 1: full.push_back(load()); break;
      case 2: full.push_back(build.constant(float(random() % 9) * 0.5f)); break;
      case 3:
        if (per_row && !row.empty()) full.push_back(build.op(RowOp::spread, pick(row)));
        break;
      default: full.push_back(build.op(pick(ops), pick(full), pick(full)));
    }
  }

  void add_store() {
    const int64_t rows = build.p.rows, width = build.p.width;
    const DType dtype = random() % 3 ? DType::bf16 : DType::f32;
    const bool wide = random() % 3 == 0;  // into the left half of a tensor
    const Dims dims = {rows, wide ? 2 * width : width};
    build.store(
        pick(full),
        RowOperand{
            .tensor = int32_t(out.size()), .dtype = dtype, .dims = {rows, width}, .strides = row_major_strides(dims)});
    out.emplace_back(dtype, dims);
  }

  void add_phase(bool per_row) {
    full = {load(), load()};
    std::vector<uint8_t> reduced;
    for (int i = 0; i < 10 && build.p.full_registers < 50; ++i) {
      add_value(per_row);
      if (per_row && i == 4) {
        const uint8_t product = build.op(RowOp::mul_f32, load(), load());
        reduced.push_back(build.op(RowOp::sum_f32, product));
        if (random() % 2) full.push_back(product);
      }
      if (per_row && i == 6) reduced.push_back(build.op(RowOp::max_row_f32, pick(full)));
      if (i % 3 == 2) add_store();
    }
    row.insert(row.end(), reduced.begin(), reduced.end());
    if (per_row) row.push_back(build.after(RowOp::sub_f32, pick(row), pick(row)));
    add_store();
  }
};

TEST(RowProgramFolding, RandomProgramsMatchTheSlowInterpreter) {
  const std::vector<std::pair<int64_t, int64_t>> sizes = {
      {40, 3}, {70, 16}, {9, 96}, {9, 97}, {33, 130}, {64, 384}, {300, 1}, {3, 1500}, {1, 5000}, {17, 513}, {2, 2050}};
  for (uint32_t seed = 0; seed < 300; ++seed) {
    const auto [rows, width] = sizes[seed % sizes.size()];
    RandomProgram random(seed, rows, width);
    const RowProgram program = random.build.done();
    Tensors want = random.out;
    run_slowly(program, random.in, &want);
    for (Isa isa : isas()) {
      for (int threads : {1, 3}) {
        set_num_threads(threads);
        Tensors got = random.out;
        run(isa, program, random.in, &got);
        expect_same(got, want, cat(isa_name(isa), " seed ", seed, ' ', rows, 'x', width));
        if (HasFatalFailure()) FAIL() << to_text(program);
      }
    }
  }
  set_num_threads(2);
}

// Each program writes tensor 0, of which it reads before and after in every order that a compiler may choose.
void check_in_place(const char* name, DType dtype, int64_t width, void (*make)(Builder&, DType)) {
  const int64_t rows = 21;
  std::mt19937 random(5);
  Builder build(rows, width);
  make(build, dtype);
  const Tensors start{quarters(dtype, {rows, width}, random), quarters(dtype, {rows, width}, random)};
  Tensors want = start;
  run_slowly(build.done(), start, &want);
  for (Isa isa : isas()) {
    Tensors got = start;
    run_in_place(isa, build.done(), &got);
    expect_same(got, want, cat(isa_name(isa), ' ', name, ' ', dtype, ' ', width));
  }
}

TEST(RowProgramFolding, UpdatesInPlace) {
  for (DType dtype : {DType::bf16, DType::f32}) {
    for (int64_t width : {5, 100, 3000}) {
      check_in_place("written by its only step", dtype, width,
                     [](Builder& b, DType t) { b.store(b.op(RowOp::mul_f32, b.load(0, t), b.load(1, t)), 0, t); });
      check_in_place("read after it was written", dtype, width, [](Builder& b, DType t) {
        const uint8_t x = b.load(0, t), y = b.load(1, t);
        b.store(b.op(RowOp::add_f32, x, y), 0, t);
        b.store(b.op(RowOp::sub_f32, x, y), 1, t);
      });
      check_in_place("loaded between step and store", dtype, width, [](Builder& b, DType t) {
        const uint8_t sum = b.op(RowOp::add_f32, b.load(0, t), b.load(1, t));
        const uint8_t again = b.op(RowOp::mul_f32, b.load(0, t), b.load(1, t));
        b.store(sum, 0, t);
        b.store(again, 1, t);
      });
      check_in_place("swapped", dtype, width, [](Builder& b, DType t) {
        const uint8_t x = b.load(0, t), y = b.load(1, t);
        b.store(x, 1, t);
        b.store(y, 0, t);
      });
      check_in_place("written in a later phase", dtype, width, [](Builder& b, DType t) {
        const uint8_t top = b.op(RowOp::max_row_f32, b.load(0, t));
        b.next_phase();
        const uint8_t scaled = b.op(RowOp::mul_f32, b.load(0, t), b.op(RowOp::spread, top));
        b.store(b.op(RowOp::round_bf16, b.op(RowOp::sub_f32, b.load(1, t), scaled)), 0, t);
      });
    }
  }
}

// A spread of a register that the same phase accumulates in means the number from before.
TEST(RowProgramFolding, SpreadOfARegisterThatIsWrittenAgain) {
  for (int64_t width : {7, 200, 1100}) {
    Builder b(6, width);
    b.op(RowOp::max_row_f32, b.load(0));
    b.next_phase();
    const uint8_t x = b.op(RowOp::sub_f32, b.load(0), b.op(RowOp::spread, 0));
    b.op(RowOp::min_row_f32, x);
    b.p.phases[1].tiles.back().dst = 0;
    b.p.row_registers = 1;
    b.store(x, 0);
    b.store_row(0, 1);
    std::mt19937 random(3);
    const Tensors in{quarters(DType::f32, {6, width}, random)};
    Tensors out{Tensor(DType::f32, {6, width}), Tensor(DType::f32, {6})}, want = out;
    run_slowly(b.done(), in, &want);
    for (Isa isa : isas()) {
      Tensors got = out;
      run(isa, b.done(), in, &got);
      expect_same(got, want, cat(isa_name(isa), " width ", width));
    }
  }
}

}  // namespace
}  // namespace hearth::row_test
