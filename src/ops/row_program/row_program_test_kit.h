// SPDX-License-Identifier: Apache-2.0
#pragma once
// For the tests of row programs: making programs and tensors, the definition of every instruction in f64, and a slow
// interpreter that runs element by element.

#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ops/row_program/row_program.h"
#include "ops/row_program/row_program_examples.h"

namespace hearth::row_test {

// A tensor with its bytes.
struct Tensor {
  TensorType type;
  std::vector<uint8_t> bytes;

  Tensor() = default;
  Tensor(DType dtype, Dims dims) : type{dtype, std::move(dims)}, bytes(size_t(type.bytes())) {}
  template <class T>
  Tensor(const std::vector<T>& values, Dims dims) : Tensor(dtype_of<T>, std::move(dims)) {
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  }
  template <class T>
  T at(int64_t i) const {
    T value;
    std::memcpy(&value, bytes.data() + i * int64_t(sizeof(T)), sizeof(T));
    return value;
  }
};
using Tensors = std::vector<Tensor>;

std::vector<Isa> isas();  // those that this machine has and that have kernels of their own

// Validates, then runs.
void run(Isa isa, const RowProgram& program, const Tensors& in, Tensors* out);
// Every tensor is input and output.
void run_in_place(Isa isa, const RowProgram& program, Tensors* tensors);

// The definition of an element-wise instruction on the bits of 4-byte registers; nothing for others.
std::optional<uint32_t> define(RowOp op, uint32_t a, uint32_t b, uint32_t c);
// The same of one with wider registers, up to 8 bytes (those of 4 in the low half).
std::optional<uint64_t> define_wide(RowOp op, uint64_t a, uint64_t b, uint64_t c);
void run_slowly(const RowProgram& program, const Tensors& in, Tensors* out);

// What a random program is made of: its tensors, and the registers that later instructions may read.
struct RandomParts {
  std::mt19937 random;
  Builder build;
  Tensors in, out;
  std::vector<uint8_t> full, row;

  RandomParts(uint32_t seed, int64_t rows, int64_t width, int64_t inner = 1)
      : random(seed), build(rows, width, inner) {}

  template <class T>
  T pick(const std::vector<T>& from) {
    return from[random() % from.size()];
  }
};

double ulps_between(float a, float b);  // 0 for two NaN; huge where only one is; -0 and +0 differ by 1
bool is_float_result(RowOp op);         // f32
bool is_f64_result(RowOp op);

}  // namespace hearth::row_test
