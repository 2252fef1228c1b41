// SPDX-License-Identifier: Apache-2.0
// Large graphs compile in reasonable time and without recursion; results do not depend on the number of threads.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <set>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/threads.h"
#include "compiler/kernel_count_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/softmax/softmax.h"

namespace hearth {
namespace {

constexpr DType f32 = DType::f32;

// --- determinism
// -----------------------------------------------------------------------------------------------------------

TEST(Determinism, row_programs_do_not_depend_on_the_number_of_threads) {
  Graph g;
  const Value x = g.input("x", {f32, {700, 333}}), w = g.input("w", {DType::bf16, {333}});
  g.output("softmax", softmax(x * 3.0));
  g.output("rows", reduce_sum(x * x, {1}));
  g.output("columns", reduce_sum(x * x, {0}));
  g.output("all", reduce_sum(tanh(x), {0, 1}));
  g.output("mixed", convert(x * convert(w, f32), DType::bf16));
  std::vector<double> values;
  for (int i = 0; i < 700 * 333; ++i) values.push_back(std::sin(i * 0.37));
  const std::vector<Bytes> in = {to_bytes(f32, values),
                                 to_bytes(DType::bf16, std::vector<double>(values.begin(), values.begin() + 333))};
  const int before = num_threads();
  std::set<std::vector<Bytes>> results;
  for (const int threads : {1, 2, 5, 2}) {
    set_num_threads(threads);
    results.insert(run_graph(g, in));
  }
  set_num_threads(before);
  EXPECT_EQ(results.size(), 1u);
}

// --- size
// ------------------------------------------------------------------------------------------------------------------

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(Size, chain_of_100000_nodes_compiles) {
  Graph g;
  const Value x = g.input("x", {f32, {4}});
  Value y = x;
  for (int i = 0; i < 100000; ++i) y = i % 3 ? -y : tanh(y);
  g.output("y", y);
  const auto start = std::chrono::steady_clock::now();
  const Plan plan = compile(g);
  std::printf("100000 element-wise nodes: %.2f s\n", seconds_since(start));
  validate(plan);
  EXPECT_GT(plan.instructions.size(), 100u);
}

TEST(Size, chain_of_20000_nodes_and_its_derivative) {
  Graph g;
  const Value x = g.input("x", {f32, {4, 4}}), w = g.input("w", {f32, {4, 4}});
  Value y = x;
  for (int i = 0; i < 10000; ++i) y = tanh(linear(y, w));
  const auto start = std::chrono::steady_clock::now();
  g.output("dx", gradients(reduce_sum(y, {0, 1}), {x})[0]);
  const Plan plan = compile(g);
  std::printf("20000 nodes and their derivative: %.2f s\n", seconds_since(start));
  EXPECT_EQ(count(plan, "matmul"), 20000);
}

// Every value is used far away from where it was made.
TEST(Size, long_lives_compile) {
  Graph g;
  const Value x = g.input("x", {f32, {16}});
  std::vector<Value> values = {x};
  for (int i = 0; i < 3000; ++i) values.push_back(softmax(values.back()));
  Value sum = x;
  for (const Value& v : values) sum = sum + v;
  g.output("y", sum);
  const auto start = std::chrono::steady_clock::now();
  validate(compile(g));
  std::printf("3000 values with long lives: %.2f s\n", seconds_since(start));
}

}  // namespace
}  // namespace hearth
