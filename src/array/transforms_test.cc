// SPDX-License-Identifier: Apache-2.0
#include "array/transforms.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/run_graph.h"
#include "base/error.h"
#include "ir/count_test.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"
#include "ops/rms_norm/rms_norm.h"
#include "ops/shape/shape.h"
#include "ops/softmax/softmax.h"

namespace hearth {
namespace {

constexpr DType f64 = DType::f64;

// Outputs of a function of f64 vectors.
std::vector<std::vector<double>> call(const Function& f, const std::vector<std::vector<double>>& arguments) {
  Graph g;
  std::vector<Value> in;
  std::vector<Bytes> bytes;
  for (size_t i = 0; i < arguments.size(); ++i) {
    in.push_back(g.input("x" + std::to_string(i), {f64, {int64_t(arguments[i].size())}}));
    bytes.push_back(to_bytes(f64, arguments[i]));
  }
  const std::vector<Value> out = f(in);
  for (size_t o = 0; o < out.size(); ++o) g.output("y" + std::to_string(o), out[o]);
  std::vector<std::vector<double>> results;
  for (const Bytes& result : run_graph(g, bytes)) results.push_back(to_doubles(f64, result));
  return results;
}

Value total(const Value& x) { return reduce_sum(x, {0}); }

TEST(Transforms, value_and_grad_returns_both) {
  const Function f = [](const std::vector<Value>& in) -> std::vector<Value> { return {total(in[0] * in[0] * in[1])}; };
  const auto out = call(value_and_grad(f, {0, 1}), {{1, 2, 3}, {4, 5, 6}});
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[0], std::vector<double>{4 + 20 + 54});
  EXPECT_EQ(out[1], (std::vector<double>{8, 20, 36}));
  EXPECT_EQ(out[2], (std::vector<double>{1, 4, 9}));
}

TEST(Transforms, value_used_twice_adds_its_cotangents) {
  const auto out =
      call(grad([](const std::vector<Value>& in) -> std::vector<Value> { return {total(in[0] * in[0] + in[0])}; }),
           {{3, -2}});
  EXPECT_EQ(out[0], (std::vector<double>{7, -3}));
}

TEST(Transforms, what_does_not_matter_has_derivative_zero) {
  const auto out = call(grad([](const std::vector<Value>& in) -> std::vector<Value> { return {total(in[0])}; }, {0, 1}),
                        {{3, -2}, {1, 2, 3}});
  EXPECT_EQ(out[1], (std::vector<double>{0, 0, 0}));
}

TEST(Transforms, derivatives_repeat) {
  Function f = [](const std::vector<Value>& in) -> std::vector<Value> {
    return {total(in[0] * in[0] * in[0] * in[0])};
  };
  const double wanted[] = {32, 48, 48, 24, 0};  // of x^4 at 2
  for (const double d : wanted) {
    f = grad(f);
    EXPECT_EQ(call(f, {{2}})[0], std::vector<double>{d});
    f = [f](const std::vector<Value>& in) -> std::vector<Value> { return {total(f(in)[0])}; };
  }
}

TEST(Transforms, second_derivatives_against_central_differences) {
  const Function loss = [](const std::vector<Value>& in) -> std::vector<Value> {
    const Value x = reshape(in[0], {2, 3}), w = reshape(in[1], {3, 3});
    const Value y = softmax(rms_norm(linear(x, w), in[2], 1e-3));
    return {reduce_sum(y * y * tanh(x), {0, 1})};
  };
  const Function first = [&](const std::vector<Value>& in) -> std::vector<Value> {
    const std::vector<Value> g = grad(loss, {0, 1})(in);
    return {total(g[0] * sin(g[0] + 1.0)) + total(g[1] * g[1])};
  };
  std::vector<std::vector<double>> x(3);
  for (size_t i = 0; i < 3; ++i) {
    for (int k = 0; k < (i == 0 ? 6 : i == 1 ? 9 : 3); ++k) x[i].push_back(random_unit(i, uint64_t(k)) * 2 - 1);
  }
  const auto exact = call(grad(first, {0, 1, 2}), x);
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t e = 0; e < x[i].size(); ++e) {
      auto above = x, below = x;
      above[i][e] += 1e-5;
      below[i][e] -= 1e-5;
      EXPECT_NEAR(exact[i][e], (call(first, above)[0][0] - call(first, below)[0][0]) / 2e-5, 1e-6) << i << " " << e;
    }
  }
}

TEST(Transforms, vjp_takes_any_cotangent) {
  const auto out = call(
      [](const std::vector<Value>& in) -> std::vector<Value> {
        return vjp({in[0] * 3.0, exp(in[0])}, {in[1], in[2]}, {in[0]});
      },
      {{0, 1}, {1, 10}, {2, 0}});
  EXPECT_EQ(out[0], (std::vector<double>{5, 30}));
}

TEST(Transforms, frozen_weights_cost_nothing) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {4, 8}}), frozen = g.input("w", {DType::f32, {8, 8}}),
              a = g.input("a", {DType::f32, {8, 8}});
  const Value y = linear(linear(linear(x, frozen), a), frozen);
  const int before = count(g, "dot_general");
  gradients(reduce_sum(y, {0, 1}), {a});
  EXPECT_EQ(count(g, "dot_general") - before, 2);  // da, and the cotangent back through the last layer only
}

TEST(Transforms, operation_without_derivative_stops_the_flow) {
  const auto out = call(grad([](const std::vector<Value>& in) -> std::vector<Value> {
                          return {total(convert(compare("GT", in[0], scalar_like(in[0], 0)), f64) * in[0])};
                        }),
                        {{2, -2}});
  EXPECT_EQ(out[0], (std::vector<double>{1, 0}));
}

TEST(Transforms, grad_of_what_is_no_scalar_is_refused) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {4}});
  EXPECT_THROW(gradients(x, {x}), Error);
  EXPECT_THROW(vjp({x}, {constant(g, 1)}, {x}), Error);
  EXPECT_THROW(grad([](const std::vector<Value>&) -> std::vector<Value> { return {}; })({x}), Error);
  EXPECT_THROW(grad([](const std::vector<Value>& in) -> std::vector<Value> { return {total(in[0])}; }, {1})({x}),
               Error);
}

// --- checkpoint
// ----------------------------------------------------------------------------------------------------------

Function block(int layers) {
  return [layers](const std::vector<Value>& in) -> std::vector<Value> {
    Value y = in[0];
    for (int i = 0; i < layers; ++i) y = tanh(y * in[1]) + in[0];
    return {y};
  };
}

TEST(Checkpoint, gives_the_same_derivatives) {
  const auto loss = [](const Function& layer) -> Function {
    return [layer](const std::vector<Value>& in) -> std::vector<Value> {
      const Value first = layer(in)[0];
      return {total(layer({first, in[1]})[0] * first)};
    };
  };
  const std::vector<std::vector<double>> x = {{0.3, -0.7, 1.1}, {0.5, 0.9, -0.2}};
  EXPECT_EQ(call(value_and_grad(loss(block(3)), {0, 1}), x),
            call(value_and_grad(loss(checkpoint(block(3))), {0, 1}), x));
}

TEST(Checkpoint, around_a_derivative) {
  const Function inner = grad(
      [](const std::vector<Value>& in) -> std::vector<Value> { return {total(tanh(in[0] * in[1]) * in[0])}; }, {0, 1});
  const auto loss = [](const Function& f) -> Function {
    return [f](const std::vector<Value>& in) -> std::vector<Value> {
      const std::vector<Value> g = f(in);
      return {total(g[0] * g[1] * in[0])};
    };
  };
  const std::vector<std::vector<double>> x = {{0.3, -0.7, 1.1}, {0.5, 0.9, -0.2}};
  EXPECT_EQ(call(grad(loss(inner), {0, 1}), x), call(grad(loss(checkpoint(inner)), {0, 1}), x));
}

TEST(Checkpoint, inside_a_checkpoint_and_with_several_results) {
  const Function pair = [](const std::vector<Value>& in) -> std::vector<Value> {
    const Value y = checkpoint(block(2))(in)[0];
    return {y * y, exp(y)};
  };
  const auto loss = [](const Function& f) -> Function {
    return [f](const std::vector<Value>& in) -> std::vector<Value> {
      const std::vector<Value> out = f(in);
      return {total(out[0] * out[1])};
    };
  };
  const std::vector<std::vector<double>> x = {{0.3, -0.7, 1.1}, {0.5, 0.9, -0.2}};
  EXPECT_EQ(call(grad(loss(pair), {0, 1}), x), call(grad(loss(checkpoint(pair)), {0, 1}), x));
}

TEST(Checkpoint, lowers_live_bytes_with_depth) {
  constexpr int64_t kLayers = 12, kInside = 4, kActivation = 64 * 64 * 4;
  const auto live = [](bool again) {
    Graph g;
    const Value x = g.input("x", {DType::f32, {64, 64}});
    Function layer = [](const std::vector<Value>& in) -> std::vector<Value> {
      Value y = in[0];
      for (int i = 0; i < kInside; ++i) y = tanh(linear(y, in[1]));
      return {y + in[0]};
    };
    if (again) layer = checkpoint(layer);
    Value y = exp(x);
    std::vector<Value> weights;
    for (int i = 0; i < kLayers; ++i) {
      weights.push_back(g.input("w" + std::to_string(i), {DType::f32, {64, 64}}));
      y = layer({y, weights.back()})[0];
    }
    const std::vector<Value> grads = gradients(reduce_sum(y * y, {0, 1}), weights);
    for (int i = 0; i < kLayers; ++i) g.output("dw" + std::to_string(i), grads[size_t(i)]);
    return compile(g).live_bytes_max;
  };
  EXPECT_GT(live(false), kLayers * kInside * kActivation);
  EXPECT_LT(live(true), (kLayers + 4 * kInside) * kActivation);  // one a layer, and what the layer at hand needs
}

// Two regions, the first of which reads graph inputs only: while the second is computed again, nothing of the first
// may lie there.
TEST(Checkpoint, of_graph_inputs_is_computed_again) {
  constexpr int64_t kInside = 8, kActivation = 64 * 64 * 4;
  const auto build = [](Graph& g, bool again) {
    const Value x = g.input("x", {DType::f32, {64, 64}}), w = g.input("w", {DType::f32, {64, 64}});
    Function part = [](const std::vector<Value>& in) -> std::vector<Value> {
      Value y = in[0];
      for (int i = 0; i < kInside; ++i) y = tanh(linear(y, in[1]));
      return {y};
    };
    if (again) part = checkpoint(part);
    const Value y = part({part({x, w})[0], w})[0];
    g.output("dx", gradients(reduce_sum(y * y, {0, 1}), {x})[0]);
  };
  Graph plain, again;
  build(plain, false);
  build(again, true);
  const int64_t saved = compile(plain).live_bytes_max - compile(again).live_bytes_max;
  EXPECT_GT(saved, (kInside - 2) * kActivation);
  std::vector<double> x, w;
  for (int i = 0; i < 64 * 64; ++i) {
    x.push_back(random_unit(1, uint64_t(i)));
    w.push_back((random_unit(2, uint64_t(i)) - 0.5) / 8);
  }
  const std::vector<Bytes> inputs = {to_bytes(DType::f32, x), to_bytes(DType::f32, w)};
  EXPECT_EQ(run_graph(plain, inputs), run_graph(again, inputs));
}

}  // namespace
}  // namespace hearth
