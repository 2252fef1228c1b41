// SPDX-License-Identifier: Apache-2.0
#include "ops/shape/strided_copy.h"

#include <gtest/gtest.h>

#include <numeric>

#include "array/run_graph.h"
#include "compiler/compile.h"
#include "ops/op_test.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

int kernels_named(const Plan& plan, const std::string& name) {
  int n = 0;
  for (const PlanInstruction& i : plan.instructions) n += i.kernel == name;
  return n;
}

// x transposed, and a piece of it reversed and transposed, against the reference device; the kernel must have run.
void expect_same(DType dtype, const Dims& dims, const Dims& permutation) {
  Graph graph;
  const Value x = graph.input("x", {dtype, dims});
  graph.output("whole", transpose(x, permutation));
  Dims start(dims.size(), 1), limit = dims;
  graph.output("piece", transpose(slice(reverse(x, {0}), start, limit), permutation));
  EXPECT_EQ(kernels_named(compile(graph), "strided_copy"), 2) << dtype << ShowDims{dims};
  std::vector<double> values(size_t(num_elements(dims)) * (is_complex(dtype) ? 2 : 1));
  for (size_t i = 0; i < values.size(); ++i) values[i] = double(i % 113);
  const std::vector<Bytes> in = {to_bytes(dtype, values)};
  EXPECT_EQ(run_graph(graph, in), run_graph(graph, in, {.devices = {"reference"}})) << dtype << ShowDims{dims};
}

TEST(StridedCopy, transposes_every_element_size) {
  for (const DType dtype : {DType::i8, DType::bf16, DType::f32, DType::f64, DType::complex128})
    expect_same(dtype, {97, 130}, {1, 0});
}

TEST(StridedCopy, moves_several_axes) {
  expect_same(DType::f32, {5, 33, 40}, {0, 2, 1});
  expect_same(DType::f32, {17, 9, 50}, {2, 1, 0});
  expect_same(DType::f32, {3, 16, 9, 31}, {3, 0, 2, 1});
}

// One less and one more than tiles of 4 to 16 elements and strips of 8 to 128.
TEST(StridedCopy, sizes_around_tiles) {
  for (const DType dtype : {DType::i8, DType::f16, DType::f32, DType::i64}) {
    for (const int64_t rows : {63, 64, 65}) {
      for (const int64_t columns : {127, 128, 129, 144}) expect_same(dtype, {rows, columns}, {1, 0});
    }
  }
}

// So large that it is written around the caches, with and without rows that begin with a cache line.
TEST(StridedCopy, results_larger_than_the_caches) {
  expect_same(DType::f32, {1024, 2064}, {1, 0});
  expect_same(DType::f32, {1030, 2050}, {1, 0});
  expect_same(DType::f64, {1030, 1040}, {1, 0});
}

TEST(StridedCopy, small_and_plain_copies_stay_row_programs) {
  EXPECT_FALSE(is_transposition({8, 8}, {1, 8}));       // too few
  EXPECT_FALSE(is_transposition({4, 2048}, {1, 4}));    // a short line
  EXPECT_FALSE(is_transposition({64, 128}, {256, 1}));  // contiguous along the last axis
  EXPECT_FALSE(is_transposition({64, 128}, {256, 2}));  // along none
  EXPECT_TRUE(is_transposition({64, 128}, {1, 64}));
}

TEST(StridedCopy, a_plan_from_a_file_cannot_read_outside) {
  const KernelInfo kernel = strided_copy_kernels()[0];
  const std::vector<TensorType> in = {{DType::f32, {64, 128}}}, out = {{DType::f32, {128, 64}}};
  const auto refused = [&](Dims dims, Dims strides, int64_t offset) {
    try {
      kernel.check(in, out, {{"dims", dims}, {"strides", strides}, {"offset", offset}});
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  EXPECT_FALSE(refused({128, 64}, {1, 128}, 0));
  EXPECT_TRUE(refused({128, 64}, {1, 128}, 1));
  EXPECT_TRUE(refused({128, 64}, {1, 129}, 0));
  EXPECT_TRUE(refused({128, 64}, {1, -128}, 0));
  EXPECT_TRUE(refused({128, 65}, {1, 128}, 0));
  EXPECT_TRUE(refused({128, 64}, {2, 128}, 0));
  EXPECT_TRUE(refused({128, int64_t{1} << 62}, {1, int64_t{1} << 62}, 0));
}

}  // namespace
}  // namespace hearth
