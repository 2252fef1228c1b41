// SPDX-License-Identifier: Apache-2.0
// What each stage between graph and plan must do, and must leave alone.
#include "compiler/passes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "compiler/kernel_count_test.h"
#include "ir/count_test.h"
#include "ops/attention/attention.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linear_cross_entropy/linear_cross_entropy.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/softmax/softmax.h"

namespace hearth {
namespace {

constexpr DType f32 = DType::f32;

// --- split_sums
// ------------------------------------------------------------------------------------------------------------

TEST(SplitSums, of_what_is_computed_row_by_row) {
  Graph g;
  const Value x = g.input("x", {f32, {5, 3, 8}}), u = g.input("u", {f32, {5, 3, 8}});
  const Value row_sums = broadcast_to(reshape(reduce_sum(x * x, {2}), {5, 3, 1}), {5, 3, 8});
  g.output("loss", reduce_sum(x * row_sums * u, {0, 1, 2}));
  const auto split = split_sums(g);
  EXPECT_EQ(count(*split, "reduce"), 3);
  EXPECT_EQ(split->outputs()[0].value.type(), (TensorType{f32, {}}));
}

// Other sums, of 16 bits, without work per row, or along other axes than it.
TEST(SplitSums, leaves_alone) {
  const auto reductions = [](DType dtype, const Dims& inner, const Dims& outer) {
    Graph g;
    const Value x = g.input("x", {dtype, {4, 8}});
    Value y = x;
    if (!inner.empty()) {
      Dims kept = {4, 8};
      kept[size_t(inner[0])] = 1;
      y = x * broadcast_to(reshape(reduce_sum(x, inner), kept), {4, 8});
    }
    g.output("sum", reduce_sum(y, outer));
    return count(*split_sums(g), "reduce") - (inner.empty() ? 0 : 1);
  };
  EXPECT_EQ(reductions(f32, {1}, {0, 1}), 2);
  EXPECT_EQ(reductions(DType::bf16, {1}, {0, 1}), 1);
  EXPECT_EQ(reductions(f32, {}, {0, 1}), 1);
  EXPECT_EQ(reductions(f32, {0}, {0, 1}), 1);
  EXPECT_EQ(reductions(f32, {1}, {1}), 1);
}

// --- simplify
// ------------------------------------------------------------------------------------------------------------

TEST(Simplify, merges_equal_nodes) {
  Graph g;
  const Value x = g.input("x", {f32, {8}});
  g.output("y", exp(x) + exp(x));
  EXPECT_EQ(count(*simplify(g), "exponential"), 1);
}

TEST(Simplify, compares_attributes) {
  Graph g;
  const Value x = g.input("x", {f32, {4, 4}});
  g.output("a", reduce_sum(x, {0}));
  g.output("b", reduce_sum(x, {1}));
  g.output("c", reduce_max(x, {1}));
  g.output("d", slice(x, {0, 0}, {2, 4}));
  g.output("e", slice(x, {1, 0}, {3, 4}));
  g.output("f", x * 0.1);
  g.output("g", x * (0.1 + 1e-15));  // differs in the last digits only
  const auto simple = simplify(g);
  EXPECT_EQ(count(*simple, "reduce"), 3);
  EXPECT_EQ(count(*simple, "slice"), 2);
  EXPECT_EQ(count(*simple, "constant"), 2);
}

TEST(Simplify, compares_result_types) {
  Graph g;
  const Value x = g.input("x", {f32, {4}});
  g.output("a", convert(x, DType::bf16));
  g.output("b", convert(x, DType::f16));
  EXPECT_EQ(count(*simplify(g), "convert"), 2);
}

TEST(Simplify, merges_equal_composites) {
  Graph g;
  const Value x = g.input("x", {f32, {4, 4}});
  g.output("y", softmax(x) + softmax(x));
  EXPECT_EQ(count(*simplify(g), "softmax"), 1);
}

TEST(Simplify, drops_what_no_output_needs_but_keeps_inputs) {
  Graph g;
  const Value x = g.input("x", {f32, {8}});
  g.input("unused", {f32, {3}});
  exp(exp(x));
  g.output("y", x + x);
  const auto simple = simplify(g);
  EXPECT_EQ(count(*simple, "exponential"), 0);
  EXPECT_EQ(simple->inputs().size(), 2u);
}

TEST(Simplify, product_with_one_is_the_other) {
  Graph g;
  const Value x = g.input("x", {f32, {8}});
  g.output("y", x * 1.0 / 1.0);
  g.output("z", x * 2.0);
  const auto simple = simplify(g);
  EXPECT_EQ(count(*simple, "multiply"), 1);
  EXPECT_EQ(count(*simple, "divide"), 0);
}

// x + 0 is not x for x = -0, x * 0 is not 0 for NaN.
TEST(Simplify, keeps_what_ieee_numbers_distinguish) {
  Graph g;
  const Value x = g.input("x", {f32, {3}});
  g.output("a", x + 0.0);
  g.output("b", x * 0.0);
  g.output("c", x - x);
  const std::vector<Bytes> out = run_graph(g, {to_bytes(f32, {-0.0, std::nan(""), 1})});
  const std::vector<double> sum = to_doubles(f32, out[0]), product = to_doubles(f32, out[1]),
                            difference = to_doubles(f32, out[2]);
  EXPECT_FALSE(std::signbit(sum[0]));
  EXPECT_TRUE(std::isnan(product[1]));
  EXPECT_TRUE(std::isnan(difference[1]));
}

TEST(Simplify, derivative_of_cross_entropy_subsumes_the_loss) {
  Graph g;
  const Value x = g.input("x", {f32, {6, 8}}), w = g.input("w", {f32, {9, 8}}),
              labels = g.input("labels", {DType::i32, {6}});
  const Value loss = linear_cross_entropy(x, w, labels);
  g.output("loss", loss);
  g.output("dx", gradients(loss, {x})[0]);
  const Plan plan = compile(g);
  EXPECT_EQ(count(plan, "linear_cross_entropy"), 0);
  EXPECT_EQ(count(plan, "linear_cross_entropy_grad"), 1);
  Graph other;  // of other labels: both are needed
  const Value ox = other.input("x", {f32, {6, 8}}), ow = other.input("w", {f32, {9, 8}});
  const Value a = other.input("a", {DType::i32, {6}}), b = other.input("b", {DType::i32, {6}});
  other.output("loss", linear_cross_entropy(ox, ow, b));
  other.output("dx", gradients(linear_cross_entropy(ox, ow, a), {ox})[0]);
  EXPECT_EQ(count(compile(other), "linear_cross_entropy"), 1);
}

// --- partition
// -----------------------------------------------------------------------------------------------------------

TEST(Partition, takes_composites_whole_where_there_is_a_kernel) {
  Graph g;
  const Value q = g.input("q", {f32, {1, 4, 2, 8}});
  g.output("y", attention(q, q, q));
  CompileReport report;
  EXPECT_EQ(count(compile(g, {}, &report), "attention"), 1);
  const Plan decomposed = compile(g, {.devices = {"reference"}}, &report);
  EXPECT_EQ(count(decomposed, "attention"), 0);
  EXPECT_GT(count(decomposed, "reference.dot_general"), 0);
}

TEST(Partition, says_why_a_device_refused) {
  Graph g;
  g.output("y", iota(g, DType::boolean, {2}, 0));
  CompileReport report;
  compile(g, {}, &report);
  ASSERT_EQ(report.partition.size(), 1u);
  EXPECT_EQ(report.partition[0].device, "reference");
  EXPECT_NE(report.partition[0].reason.find("iota of bool"), std::string::npos) << report.partition[0].reason;
}

TEST(Partition, what_no_device_takes_is_an_error_that_names_it) {
  Graph g;
  g.output("y", iota(g, DType::boolean, {2}, 0));
  try {
    compile(g, {.devices = {"cpu"}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::unsupported);
    EXPECT_NE(std::string(error.what()).find("iota"), std::string::npos);
  }
  EXPECT_THROW(compile(g, {.devices = {"tpu"}}), Error);
  EXPECT_THROW(compile(g, {.devices = {}}), Error);
}

TEST(Partition, only_reference_moves_there_and_back) {
  Graph g;
  const Value x = g.input("x", {f32, {4}});
  g.output("y", exp(x * 2.0) + x);
  CompileOptions options;
  options.only_reference = {"exponential"};
  const Plan plan = compile(g, options);
  EXPECT_EQ(count(plan, "reference.exponential"), 1);
  EXPECT_EQ(count(plan, "move"), 2);
  EXPECT_EQ(count(plan, "row_program"), 2);
}

// --- epilogues
// -----------------------------------------------------------------------------------------------------------

struct Layer {
  Graph g;
  Value x = g.input("x", {f32, {9, 32}}), w = g.input("w", {f32, {24, 32}}), a = g.input("a", {f32, {4, 32}}),
        b = g.input("b", {f32, {24, 4}});
  Value residual = g.input("residual", {f32, {9, 24}});
  Value update() { return linear(linear(x, a), b) * 2.0; }
};

TEST(Epilogue, low_rank_update_and_residual_join_the_matmul) {
  for (const bool residual_first : {false, true}) {
    Layer l;
    const Value y = linear(l.x, l.w) + l.update();
    l.g.output("y", residual_first ? l.residual + y : y + l.residual);
    const Plan plan = compile(l.g);
    EXPECT_EQ(count(plan, "matmul"), 2);  // x A^T, and everything else
    EXPECT_EQ(count(plan, "row_program"), 0);
  }
}

TEST(Epilogue, update_may_stand_first) {
  Layer l;
  l.g.output("y", l.update() + linear(l.x, l.w));
  EXPECT_EQ(count(compile(l.g), "matmul"), 2);
}

TEST(Epilogue, does_not_take_a_product_that_others_read) {
  Layer l;
  const Value base = linear(l.x, l.w);
  l.g.output("y", base + l.update());
  l.g.output("base", base);
  const Plan plan = compile(l.g);
  EXPECT_EQ(count(plan, "matmul"), 3);
  const std::vector<Bytes> in = {
      to_bytes(f32, std::vector<double>(9 * 32, 1)), to_bytes(f32, std::vector<double>(24 * 32, 1)),
      to_bytes(f32, std::vector<double>(4 * 32, 1)), to_bytes(f32, std::vector<double>(24 * 4, 1)),
      to_bytes(f32, std::vector<double>(9 * 24, 1))};
  const std::vector<Bytes> out = run_graph(l.g, in);
  EXPECT_EQ(to_doubles(f32, out[0])[5], 32 + 2 * 4 * 32);
  EXPECT_EQ(to_doubles(f32, out[1])[5], 32);
}

TEST(Epilogue, broadcast_bias_stays_a_row_program) {
  Layer l;
  const Value bias = l.g.input("bias", {f32, {24}});
  l.g.output("y", linear(l.x, l.w) + bias);
  const Plan plan = compile(l.g);
  EXPECT_EQ(count(plan, "matmul"), 1);
  EXPECT_EQ(count(plan, "row_program"), 1);
}

TEST(Epilogue, thick_second_product_keeps_its_matmul) {
  Graph g;
  const Value x = g.input("x", {f32, {4, 512}}), w = g.input("w", {f32, {8, 512}}), v = g.input("v", {f32, {8, 512}});
  g.output("y", linear(x, w) + linear(x, v));
  EXPECT_EQ(count(compile(g), "matmul"), 2);
}

TEST(Epilogue, stored_16_bit_weights_are_widened_by_the_matmul) {
  Graph g;
  const Value x = g.input("x", {f32, {9, 32}}), w = g.input("w", {DType::bf16, {24, 32}});
  g.output("y", linear(x, w));
  const Plan plan = compile(g);
  EXPECT_EQ(plan.instructions.size(), 1u);
  EXPECT_EQ(plan.arena_bytes[0], 0);
}

// --- views and fusion
// ------------------------------------------------------------------------------------------------------

TEST(Fusion, chain_is_one_pass_without_memory) {
  Graph g;
  const Value x = g.input("x", {f32, {64, 64}});
  g.output("y", softmax(tanh(x * 2.0) + x));
  const Plan plan = compile(g);
  EXPECT_EQ(plan.instructions.size(), 1u);
  EXPECT_EQ(plan.arena_bytes[0], 0);
}

TEST(Fusion, views_cost_nothing) {
  Graph g;
  const Value x = g.input("x", {f32, {6, 8}}), y = g.input("y", {f32, {8, 6}});
  g.output("z", transpose(x, {1, 0}) + reverse(y, {0}));
  EXPECT_EQ(compile(g).instructions.size(), 1u);
}

TEST(Fusion, transposed_operand_is_read_by_the_matmul) {
  Graph g;
  const Value x = g.input("x", {f32, {6, 8}}), y = g.input("y", {f32, {6, 5}});
  g.output("z", matmul(transpose(x, {1, 0}), y));
  EXPECT_EQ(compile(g).instructions.size(), 1u);
}

}  // namespace
}  // namespace hearth
