// SPDX-License-Identifier: Apache-2.0
// Row programs side by side that read the same values become one.
#include "compiler/fuse.h"

#include <gtest/gtest.h>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "compiler/kernel_count_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

constexpr DType f32 = DType::f32;

// Two programs that nothing joins, `between` the first and the second.
template <class Between>
int programs(bool same_input, Between&& between) {
  Graph g;
  const Value x = g.input("x", {f32, {8, 8}}), y = g.input("y", {f32, {8, 8}});
  g.output("a", exp(x));
  between(g, y);
  g.output("b", sqrt(same_input ? x : y));
  return count(compile(g), "row_program");
}

TEST(Fuse, joins_programs_that_read_the_same_value) {
  EXPECT_EQ(programs(true, [](Graph&, const Value&) {}), 1);
}

TEST(Fuse, leaves_apart_what_shares_nothing) {
  EXPECT_EQ(programs(false, [](Graph&, const Value&) {}), 2);
}

// The values between would have to live longer.
TEST(Fuse, leaves_apart_what_a_kernel_lies_between) {
  EXPECT_EQ(programs(true, [](Graph& g, const Value& y) { g.output("p", matmul(y, y)); }), 2);
}

// The first result goes into the kernel that makes what the second program reads: together they would wait for each
// other.
TEST(Fuse, makes_no_cycle) {
  Graph g;
  const Value x = g.input("x", {f32, {8, 8}});
  const Value e = exp(x), product = matmul(e, e);
  g.output("b", x * product);
  g.output("a", e);
  EXPECT_EQ(count(compile(g), "row_program"), 2);
}

// Silu lies in the program of the forward pass: each gradient computes it again, or both do once.
TEST(Fuse, both_gradients_of_a_gated_unit_are_one_program) {
  Graph g;
  const Value x = g.input("x", {f32, {4, 8}}), w = g.input("w", {f32, {8, 8}}), v = g.input("v", {f32, {8, 8}}),
              down = g.input("down", {f32, {8, 8}});
  const Value gate = linear(x, w), up = linear(x, v), y = linear(silu(gate) * up, down);
  g.output("y", y);
  const std::vector<Value> grads = gradients(reduce_sum(y * y, {0, 1}), {gate, up});
  g.output("dgate", grads[0]);
  g.output("dup", grads[1]);
  const Plan plan = compile(g);
  int with_two_results = 0;
  for (const PlanInstruction& i : plan.instructions)
    with_two_results += i.kernel == "row_program" && i.outputs.size() == 2;
  EXPECT_EQ(with_two_results, 1);
}

}  // namespace
}  // namespace hearth
