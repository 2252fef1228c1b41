// SPDX-License-Identifier: Apache-2.0
#pragma once
// Test rows of operations. A row gives shapes and value ranges, how to build the operation, and its definition written
// out in f64. From it come: values on every backend and dtype, with dense and strided inputs; derivatives in f64
// against central differences of the definition, and those of the cpu against the f64 ones. Tolerance of values: c *
// eps(dtype) * sqrt(K) * max(1, |wanted|); of derivatives: the same relative to the largest one.

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ops/reference/elements.h"

namespace hearth {

// A tensor of a definition.
struct Reals {
  Dims dims;
  std::vector<double> at;  // row-major

  explicit Reals(Dims d = {}, double value = 0) : dims(std::move(d)), at(size_t(num_elements(dims)), value) {}
  double& operator[](int64_t i) { return at[size_t(i)]; }
  double operator[](int64_t i) const { return at[size_t(i)]; }
  double& operator()(const Dims& index) { return at[size_t(reference::position(index, dims))]; }
  double operator()(const Dims& index) const { return at[size_t(reference::position(index, dims))]; }
  int64_t dim(int64_t axis) const { return dims[size_t(axis < 0 ? axis + int64_t(dims.size()) : axis)]; }
};
using reference::for_each_index;

struct TestInput {
  Dims dims = {};
  double low = -2, high = 2;        // random values
  std::optional<DType> dtype = {};  // whatever dtype the row is tested in; such an input gets no derivative
  std::vector<double> values = {};  // instead of random ones
};

struct OpCase {
  std::string name = {};
  std::vector<TestInput> in = {};
  double terms = 1;  // K: how many terms a sum has
  bool grad = true;
};

struct OpTest {
  std::string op = {};  // as the registry calls it
  std::vector<OpCase> cases = {};
  std::function<std::vector<Value>(Graph&, const std::vector<Value>&)> build = nullptr;
  std::function<std::vector<Reals>(const std::vector<Reals>&)> definition = nullptr;
  std::vector<DType> dtypes = {DType::f32, DType::bf16, DType::f16};
  bool grad = true;
  double c = 2, grad_c = 8;
};

// Runs every case of every row and prints: ok softmax/tile value 3.1e-08 grad 4.3e-11
void run_op_tests(const std::vector<OpTest>& tests);

// For the coverage test: the rows of all operations.
using OpTests = std::vector<OpTest> (*)();
bool register_op_tests(OpTests rows);
const std::vector<OpTests>& all_op_tests();

// `rows` is a function that returns the rows of one folder of ops/.
#define HEARTH_OP_TESTS(folder, rows)                                   \
  static const bool folder##_rows_registered = register_op_tests(rows); \
  TEST(OpRows, folder) {                                                \
    ASSERT_TRUE(folder##_rows_registered);                              \
    run_op_tests(rows());                                               \
  }

double epsilon(DType dtype);            // distance of 1 to the next larger float; 0 for integers
double rounded(DType dtype, double x);  // to the nearest float of that type
// Uniform in [0, 1), the same for the same numbers on every machine.
double random_unit(uint64_t seed, uint64_t index);

}  // namespace hearth
