// SPDX-License-Identifier: Apache-2.0
// What checkpoint policies keep, and that they change no bit.
#include <gtest/gtest.h>

#include "array/call_test.h"
#include "ir/count_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/softmax/softmax.h"

namespace hearth {
namespace {

Value total(const Value& x) { return reduce_sum(x, {0, 1}); }

// Two products, and between them what is cheap to compute again.
Values block(const Values& in) {
  Value y = linear(in[0], in[1]);
  {
    Scope scope("middle");
    y = tanh(y * y) + exp(y);
  }
  return {softmax(linear(sin(y), in[1])) + in[0]};
}

Function loss_of(const Function& layer) {
  return [layer](const Values& in) -> Values {
    const Value first = layer(in)[0];
    const Value second = layer({first, in[1]})[0];
    return {total(second * second * first)};
  };
}

std::vector<CheckpointPolicy> policies() {
  return {save_nothing(), save_everything(), save_dots(), save_scopes({"middle"}), save_scopes({"nowhere"})};
}

TEST(CheckpointPolicies, change_no_bit) {
  const std::vector<Numbers> x = {random_numbers({4, 4}, 1), random_numbers({4, 4}, 2)};
  const auto plain = call_with(value_and_grad(loss_of(block), {0, 1}), x);
  for (const CheckpointPolicy& policy : policies())
    EXPECT_EQ(call_with(value_and_grad(loss_of(checkpoint(block, policy)), {0, 1}), x), plain);
}

TEST(CheckpointPolicies, change_no_bit_of_other_transforms) {
  const std::vector<Numbers> x = {random_numbers({2, 4, 4}, 1), random_numbers({4, 4}, 2)};
  const auto all = [&](const Function& layer) {
    const Function gradient = grad(loss_of(layer), {0, 1});
    const Function second = [gradient](const Values& in) -> Values {
      const Values g = gradient(in);
      return {total(g[0] * g[1])};
    };
    std::vector<std::vector<double>> results = call_with(vmap(gradient, {0, std::nullopt}), x);
    for (const Function& f : {vmap(grad(second), {0, std::nullopt}), grad([&](const Values& in) -> Values {
                                return {reduce_sum(vmap(loss_of(layer), {0, std::nullopt})(in)[0], {0})};
                              }),
                              vmap(jacfwd(layer), {0, std::nullopt})}) {
      for (auto& y : call_with(f, x)) results.push_back(std::move(y));
    }
    return results;
  };
  const auto plain = all(block);
  for (const CheckpointPolicy& policy : policies()) {
    const auto kept = all(checkpoint(block, policy));
    ASSERT_EQ(kept.size(), plain.size());
    for (size_t i = 0; i < plain.size(); ++i) expect_near(kept[i], plain[i], 1e-12);
  }
}

int64_t done_again(const CheckpointPolicy& policy, const std::string& op) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {4, 4}}), w = g.input("w", {DType::f32, {4, 4}});
  grad(loss_of(checkpoint(block, policy)))({x, w});
  int64_t again = 0;
  for (int32_t id = 0; id < g.size(); ++id)
    again += g.node(id).op->name == op && g.node(id).scope.compare(0, 6, "again ") == 0;
  return again;
}

TEST(CheckpointPolicies, keep_what_they_name) {
  EXPECT_EQ(done_again(save_nothing(), "dot_general"), 4);
  EXPECT_EQ(done_again(save_nothing(), "tanh"), 2);
  EXPECT_EQ(done_again(save_dots(), "dot_general"), 0);
  EXPECT_EQ(done_again(save_dots(), "tanh"), 2);
  EXPECT_EQ(done_again(save_everything(), "tanh"), 0);
  EXPECT_EQ(done_again(save_scopes({"middle"}), "tanh"), 2);  // its result is kept, what led there is needed again
  EXPECT_EQ(done_again(save_scopes({"middle"}), "sine"), 2);
}

// Live bytes lie between those of keeping nothing and everything.
TEST(CheckpointPolicies, order_of_memory) {
  const auto live = [](const CheckpointPolicy& policy, bool again) {
    Graph g;
    Value y = g.input("x", {DType::f32, {64, 64}});
    const Value w = g.input("w", {DType::f32, {64, 64}});
    Function layer = [](const Values& in) -> Values {
      Value a = linear(in[0], in[1]);
      for (int i = 0; i < 4; ++i) a = tanh(linear(sin(a), in[1]));
      return {a + in[0]};
    };
    if (again) layer = checkpoint(layer, policy);
    for (int i = 0; i < 8; ++i) y = layer({y, w})[0];
    g.output("dw", gradients(total(y * y), {w})[0]);
    return compile(g).live_bytes_max;
  };
  const int64_t nothing = live(save_nothing(), true), dots = live(save_dots(), true),
                everything = live(save_everything(), true);
  EXPECT_LT(nothing, dots);
  EXPECT_LT(dots, everything);
  EXPECT_LE(everything, live(nullptr, false) * 11 / 10);
}

TEST(CheckpointPolicies, a_derivative_inside_a_region_is_computed_again) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {4, 4}}), w = g.input("w", {DType::f32, {4, 4}});
  const Function inner = [](const Values& in) -> Values {
    return grad([](const Values& a) -> Values { return {total(tanh(linear(a[0], a[1])))}; })(in);
  };
  const Function outer = [&](const Values& in) -> Values { return {total(exp(checkpoint(inner)(in)[0]))}; };
  grad(outer)({x, w});
  int64_t again = 0;
  for (int32_t id = 0; id < g.size(); ++id)
    again += g.node(id).op->name == "dot_general" && g.node(id).scope.compare(0, 6, "again ") == 0;
  EXPECT_EQ(again, 2);  // the product and its derivative
}

TEST(CheckpointPolicies, an_error_inside_closes_the_region) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {4, 4}});
  const Function bad = [](const Values& in) -> Values { return {linear(in[0], in[0]) + linear(in[0], total(in[0]))}; };
  EXPECT_NE(message_of([&] { checkpoint(bad)({x}); }), "");
  const Value y = exp(x);
  EXPECT_EQ(g.node(y).checkpoint, 0);
}

}  // namespace
}  // namespace hearth
