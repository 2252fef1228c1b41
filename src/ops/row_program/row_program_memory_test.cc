// SPDX-License-Identifier: Apache-2.0
// Loads, stores, iota and the cutting into tiles: every memory type, strides, sizes around a tile, updates in place.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "base/threads.h"
#include "ops/row_program/row_program_test_kit.h"

namespace hearth::row_test {
namespace {

const DType kAll[] = {DType::boolean, DType::i8,  DType::i16, DType::i32,  DType::u8,
                      DType::u16,     DType::u32, DType::f16, DType::bf16, DType::f32};

Tensor random_tensor(DType dtype, Dims dims, uint32_t seed) {
  Tensor t(dtype, std::move(dims));
  std::mt19937 random(seed);
  for (uint8_t& byte : t.bytes) byte = uint8_t(random());
  return t;
}

Tensor random_f32(Dims dims, uint32_t seed) {
  Tensor t = random_tensor(DType::i32, std::move(dims), seed);
  t.type.dtype = DType::f32;
  return t;
}

void expect_same(const RowProgram& program, const Tensors& in, const Tensors& out, const std::string& where) {
  Tensors want = out;
  run_slowly(program, in, &want);
  for (Isa isa : isas()) {
    for (int threads : {1, 2, 5}) {
      set_num_threads(threads);
      Tensors got = out;
      run(isa, program, in, &got);
      for (size_t i = 0; i < out.size(); ++i) {
        ASSERT_EQ(got[i].bytes, want[i].bytes)
            << where << ' ' << isa_name(isa) << ", " << threads << " threads, output " << i;
      }
    }
  }
  set_num_threads(2);
}

// The operand that reads or writes a tensor of `dims` in the order of `axes`, some of them backwards.
RowOperand permuted(DType dtype, const Dims& dims, const std::vector<int>& axes, uint32_t backwards) {
  const Dims strides = row_major_strides(dims);
  RowOperand operand{.dtype = dtype, .dims = {}, .strides = {}};
  for (int axis : axes) {
    const bool back = backwards >> axis & 1;
    operand.dims.push_back(dims[size_t(axis)]);
    operand.strides.push_back(back ? -strides[size_t(axis)] : strides[size_t(axis)]);
    if (back) operand.offset += (dims[size_t(axis)] - 1) * strides[size_t(axis)];
  }
  return operand;
}

// Every bit pattern of 16 bits through each load and each store. Floats through copy keep their NaN class only.
TEST(RowProgramMemory, EveryTypeLoadsAndStores) {
  for (DType from : kAll) {
    for (DType to : kAll) {
      if (is_float(from) != is_float(to)) continue;
      const int64_t n = 65536;
      Tensor in(from, {n});
      for (int64_t i = 0; i < n; ++i) {
        const uint32_t bits = size_bytes(from) == 4 ? uint32_t(i * 0x10421 + 7) : uint32_t(i);
        std::memcpy(in.bytes.data() + i * size_bytes(from), &bits, size_t(size_bytes(from)));
      }
      Builder build(1, n);
      build.store(build.op(RowOp::copy, build.load(0, from)), 0, to);
      expect_same(build.done(), {in}, {Tensor(to, {n})}, cat(from, " to ", to));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(RowProgramMemory, PermutedAndReversed) {
  const std::vector<std::vector<int>> orders = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}, {2, 0, 1}};
  for (const Dims& dims : {Dims{7, 33, 40}, Dims{1, 5, 300}, Dims{2, 700, 1}, Dims{3, 16, 16}}) {
    for (const auto& order : orders) {
      for (uint32_t backwards : {0u, 1u, 4u, 7u}) {
        for (DType dtype : {DType::f32, DType::u8, DType::i16}) {
          const int64_t n = num_elements(dims);
          Builder build(dims[0], n / dims[0]);
          build.store(build.load(permuted(dtype, dims, order, backwards)), permuted(dtype, dims, order, backwards ^ 2));
          build.store(0, permuted(dtype, dims, {0, 1, 2}, 0));
          build.p.operands.back().tensor = 1;
          expect_same(build.done(), {random_tensor(dtype, dims, 1)}, {Tensor(dtype, dims), Tensor(dtype, dims)},
                      cat(ShowDims{dims}, " order ", order[0], order[1], order[2], " backwards ", backwards));
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

// A program with something per row cuts differently from one without.
void add_row_use(Builder* build, int output) { build->store_row(build->op(RowOp::max_row_i32, 0), output); }

TEST(RowProgramMemory, Broadcasts) {
  for (bool per_row : {false, true}) {
    for (const auto& [rows, width] :
         std::vector<std::pair<int64_t, int64_t>>{{6, 8}, {300, 9}, {5, 513}, {3, 2000}, {1, 70}}) {
      Builder build(rows, width);
      const std::vector<Dims> strides = {{0, 1}, {1, 0}, {0, 0}, {width, 1}};
      for (size_t k = 0; k < strides.size(); ++k) {
        const uint8_t r =
            build.load(RowOperand{.tensor = 0, .dtype = DType::f32, .dims = {rows, width}, .strides = strides[k]});
        build.store(build.op(RowOp::copy, r), int(k));
      }
      Tensors out(4, Tensor(DType::f32, {rows, width}));
      if (per_row) out.emplace_back(DType::f32, Dims{rows}), add_row_use(&build, 4);
      expect_same(build.done(), {random_f32({rows, width}, 3)}, out, cat(rows, " rows of ", width));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(RowProgramMemory, RowsAndWidthsAroundATile) {
  for (int64_t rows : {0, 1, 2, 31, 32, 33, 257}) {
    for (int64_t width : {0, 1, 2, 3, 8, 16, 17, 255, 256, 257, 511, 512, 513, 1025}) {
      Builder build(rows, width);
      build.load(0);
      build.store(build.op(RowOp::add_i32, 0, 0), 0);
      add_row_use(&build, 1);
      expect_same(build.done(), {random_f32({rows, width}, 5)},
                  {Tensor(DType::f32, {rows, width}), Tensor(DType::f32, {rows})}, cat(rows, " rows of ", width));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(RowProgramMemory, IotaThroughViews) {
  for (const auto& [rows, width] : std::vector<std::pair<int64_t, int64_t>>{{50, 20}, {7, 1000}, {600, 1}}) {
    for (const auto& [offset, strides] : std::vector<std::pair<int64_t, Dims>>{
             {0, {width, 1}}, {0, {0, 1}}, {3, {1, 0}}, {100, {-1, -3}}, {9, {0, 0}}}) {
      Builder build(rows, width);
      const RowOperand positions{.tensor = -1, .offset = offset, .dims = {rows, width}, .strides = strides};
      const uint8_t i = build.load(positions, RowOp::iota_i32), f = build.load(positions, RowOp::iota_f32);
      build.store(i, 0, DType::i32);
      build.store(f, 1);
      RowOperand per_row{.tensor = -1, .row = true, .offset = offset, .dims = {rows}, .strides = {strides[0]}};
      build.p.operands.push_back(per_row);
      build.p.row_registers = 1;
      build.p.phases[0].after.push_back({.op = RowOp::iota_f32, .operand = 2 + 2});
      build.store_row(0, 2);
      expect_same(build.done(), {},
                  {Tensor(DType::i32, {rows, width}), Tensor(DType::f32, {rows, width}), Tensor(DType::f32, {rows})},
                  cat("offset ", offset, " strides ", ShowDims{strides}));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(RowProgramMemory, RowRegistersLoadAndStoreStrided) {
  const int64_t rows = 200, width = 12;
  Builder build(rows, width);
  const uint8_t r = build.load_row(0);
  build.p.operands.back() = {.tensor = 0, .row = true, .offset = 199 * 3, .dims = {rows}, .strides = {-3}};
  build.store(build.op(RowOp::spread, r), 0);
  build.store_row(r, 1);
  build.p.operands.back() = {.tensor = 1, .row = true, .offset = 1, .dims = {rows}, .strides = {2}};
  expect_same(build.done(), {random_f32({rows, 3}, 6)},
              {Tensor(DType::f32, {rows, width}), Tensor(DType::f32, {rows, 2})}, "rows");
}

// Tensors are inputs and outputs at once. The loads stay what they were although the stores overwrite them.
TEST(RowProgramMemory, UpdatesInPlace) {
  for (int64_t width : {5, 16, 512, 3000}) {
    for (bool per_row : {false, true}) {
      const int64_t rows = 21;
      Builder build(rows, width);
      const uint8_t x = build.load(0), y = build.load(1);
      build.store(build.op(RowOp::add_i32, x, y), 0);
      build.store(build.op(RowOp::sub_i32, x, y), 1);  // reads x and y after x was stored to
      Tensors tensors{random_f32({rows, width}, 7), random_f32({rows, width}, 8)};
      if (per_row) tensors.push_back(random_f32({rows}, 9)), add_row_use(&build, 2);
      Tensors want = tensors;
      run_slowly(build.done(), tensors, &want);
      for (Isa isa : isas()) {
        Tensors got = tensors;
        run_in_place(isa, build.done(), &got);
        for (size_t i = 0; i < got.size(); ++i)
          EXPECT_EQ(got[i].bytes, want[i].bytes) << isa_name(isa) << ' ' << width << ' ' << i;
      }
    }
  }
}

// Compilers give a register a new value as soon as the old one is no longer needed.
TEST(RowProgramMemory, RegistersAreReused) {
  for (int64_t width : {10, 700}) {
    Builder build(9, width);
    build.load(0);
    build.constant(2);
    auto& tiles = build.p.phases[0].tiles;
    tiles.push_back({.op = RowOp::add_i32, .dst = 0, .a = 0, .b = 1});
    tiles.push_back({.op = RowOp::constant, .dst = 1, .immediate = 77});
    tiles.push_back({.op = RowOp::mul_i32, .dst = 1, .a = 0, .b = 1});
    tiles.push_back({.op = RowOp::load, .dst = 0, .operand = 0});
    tiles.push_back({.op = RowOp::xor_u32, .dst = 0, .a = 0, .b = 1});
    build.store(0, 0);
    expect_same(build.done(), {random_f32({9, width}, 4)}, {Tensor(DType::f32, {9, width})}, cat("width ", width));
  }
}

}  // namespace
}  // namespace hearth::row_test
