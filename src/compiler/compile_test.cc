// SPDX-License-Identifier: Apache-2.0
#include "compiler/compile.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "ops/attention/attention.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linear_cross_entropy/linear_cross_entropy.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/rms_norm/rms_norm.h"
#include "ops/rope/rope.h"
#include "ops/shape/shape.h"
#include "ops/softmax/softmax.h"

namespace hearth {
namespace {

std::vector<double> numbers(int64_t count, double seed) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(std::sin(double(i) * 1.7 + seed) * 0.7);
  return values;
}

// Runs the graph on both backends and compares every output.
void expect_same(const Graph& graph, double tolerance) {
  std::vector<Bytes> inputs;
  for (const GraphInput& in : graph.inputs()) {
    const TensorType& type = graph.node(in.node).types[0];
    std::vector<double> values = numbers(type.elements(), double(inputs.size()));
    if (!is_float(type.dtype)) {
      for (size_t i = 0; i < values.size(); ++i) values[i] = double(i % 5);
    }
    inputs.push_back(to_bytes(type.dtype, values));
  }
  const std::vector<Bytes> ours = run_graph(graph, inputs),
                           theirs = run_graph(graph, inputs, {.devices = {"reference"}});
  for (size_t o = 0; o < ours.size(); ++o) {
    const TensorType& type = graph.outputs()[o].value.type();
    const std::vector<double> a = to_doubles(type.dtype, ours[o]), b = to_doubles(type.dtype, theirs[o]);
    double largest = 1;  // sums cancel: errors are relative to the tensor, not to the element
    for (const double x : b) largest = std::isfinite(x) ? std::max(largest, std::fabs(x)) : largest;
    for (size_t i = 0; i < a.size(); ++i) {
      if (std::isnan(a[i]) && std::isnan(b[i])) continue;
      ASSERT_NEAR(a[i], b[i], tolerance * largest) << graph.outputs()[o].name << " element " << i << "\n"
                                                   << to_text(graph);
    }
  }
}

TEST(Compile, elementwise_chain) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {3, 50}}), y = g.input("y", {DType::f32, {50}});
  g.output("z", exp(x * 0.5) + y * x);
  expect_same(g, 1e-5);
}

TEST(Compile, softmax_and_its_gradient) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {4, 33}}), w = g.input("w", {DType::f32, {4, 33}});
  const Value loss = reduce_sum(softmax(x) * w, {0, 1});
  g.output("loss", loss);
  g.output("dx", gradients(loss, {x})[0]);
  expect_same(g, 1e-5);
}

TEST(Compile, rms_norm_and_its_gradient) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {5, 64}}), w = g.input("w", {DType::bf16, {64}}),
              u = g.input("u", {DType::f32, {5, 64}});
  const Value loss = reduce_sum(rms_norm(x, w, 1e-5) * u, {0, 1});
  g.output("loss", loss);
  const std::vector<Value> grads = gradients(loss, {x, w});
  g.output("dx", grads[0]);
  g.output("dw", grads[1]);
  expect_same(g, 1e-5);
}

TEST(Compile, rope_and_its_gradient) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {2, 3, 2, 8}}), p = g.input("p", {DType::i32, {3}}),
              u = g.input("u", {DType::f32, {2, 3, 2, 8}});
  const Value loss = reduce_sum(rope(x, p, {.frequencies = {1, 0.3, 0.1, 0.01}}) * u, {0, 1, 2, 3});
  g.output("loss", loss);
  g.output("dx", gradients(loss, {x})[0]);
  expect_same(g, 1e-5);
}

TEST(Compile, attention_and_its_gradient) {
  Graph g;
  const Value q = g.input("q", {DType::f32, {2, 7, 4, 8}}), k = g.input("k", {DType::f32, {2, 7, 2, 8}});
  const Value v = g.input("v", {DType::f32, {2, 7, 2, 8}}), u = g.input("u", {DType::f32, {2, 7, 4, 8}});
  const Value loss = reduce_sum(attention(q, k, v) * u, {0, 1, 2, 3});
  const std::vector<Value> grads = gradients(loss, {q, k, v});
  g.output("loss", loss);
  for (size_t i = 0; i < grads.size(); ++i) g.output("d" + std::to_string(i), grads[i]);
  expect_same(g, 1e-5);
}

TEST(Compile, linear_cross_entropy_and_its_gradient) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {6, 16}}), w = g.input("w", {DType::bf16, {11, 16}}),
              labels = g.input("labels", {DType::i32, {6}});
  const Value loss = linear_cross_entropy(x, w, labels) / 6.0;
  g.output("loss", loss);
  g.output("dx", gradients(loss, {x})[0]);
  expect_same(g, 1e-5);
}

// A layer with LoRA: low-rank update and residual join the matmul, and the gradients need transposed products.
Value lora_layer(const Value& x, const Value& w, const Value& a, const Value& b) {
  return x + (linear(x, w) + linear(linear(x, a), b) * 2.0);
}

TEST(Compile, lora_layer_and_its_gradients) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {2, 9, 32}}), w = g.input("w", {DType::bf16, {32, 32}});
  const Value a = g.input("a", {DType::f32, {4, 32}}), b = g.input("b", {DType::f32, {32, 4}});
  const Value y = lora_layer(lora_layer(x, w, a, b), w, a, b);
  const Value loss = reduce_sum(y * y, {0, 1, 2});
  g.output("loss", loss);
  const std::vector<Value> grads = gradients(loss, {x, a, b});
  for (size_t i = 0; i < grads.size(); ++i) g.output("d" + std::to_string(i), grads[i]);
  expect_same(g, 1e-5);
}

TEST(Compile, checkpoint_changes_no_number) {
  const auto build = [](Graph& g, bool again) {
    const Value x = g.input("x", {DType::f32, {2, 9, 32}}), w = g.input("w", {DType::f32, {32, 32}});
    Function layer = [&](const std::vector<Value>& in) -> std::vector<Value> {
      return {silu(linear(in[0], in[1])) + in[0]};
    };
    if (again) layer = checkpoint(layer);
    Value y = x;
    for (int i = 0; i < 3; ++i) y = layer({y, w})[0];
    const Value loss = reduce_sum(y * y, {0, 1, 2});
    const std::vector<Value> grads = gradients(loss, {x, w});
    g.output("dx", grads[0]);
    g.output("dw", grads[1]);
  };
  Graph plain, again;
  build(plain, false);
  build(again, true);
  const std::vector<Bytes> inputs = {to_bytes(DType::f32, numbers(2 * 9 * 32, 0)),
                                     to_bytes(DType::f32, numbers(32 * 32, 1))};
  EXPECT_EQ(run_graph(plain, inputs), run_graph(again, inputs));
  expect_same(again, 1e-5);
  EXPECT_LT(compile(again).live_bytes_max, compile(plain).live_bytes_max);
}

TEST(Compile, second_derivative) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {6}});
  const Value first = gradients(reduce_sum(exp(x) * x * x, {0}), {x})[0];
  g.output("second", gradients(reduce_sum(first, {0}), {x})[0]);
  expect_same(g, 1e-5);
}

}  // namespace
}  // namespace hearth
