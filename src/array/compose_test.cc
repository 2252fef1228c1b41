// SPDX-License-Identifier: Apache-2.0
// Transforms of transforms.
#include <gtest/gtest.h>

#include <cmath>

#include "array/call_test.h"
#include "ir/count_test.h"
#include "ops/attention/attention.h"
#include "ops/dynamic_slice/dynamic_slice.h"
#include "ops/elementwise/elementwise.h"
#include "ops/embedding/embedding.h"
#include "ops/linear_cross_entropy/linear_cross_entropy.h"
#include "ops/matmul/matmul.h"
#include "ops/random/random.h"
#include "ops/reduce/reduce.h"
#include "ops/rms_norm/rms_norm.h"
#include "ops/rope/rope.h"
#include "ops/shape/shape.h"
#include "ops/softmax/softmax.h"

namespace hearth {
namespace {

Value total(const Value& x) {
  Dims axes;
  for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  return reduce_sum(x, axes);
}

// tanh(W x) . softmax(x) + prod sin(x), x[3], as JAX computes it in the numbers below.
Values curved(const Values& in) {
  const Value& x = in[0];
  const Value w = constant_list(*x.graph, {0.5, -1.0, 0.25, 1.5, 0.75, -0.5, -0.25, 1.0, 2.0}, DType::f64, {3, 3});
  const Value y = dot_general(w, x, {.a_contract = {1}, .b_contract = {0}});
  const Value s = sin(x);
  const auto at = [&](int64_t i) { return reshape(slice_axis(s, 0, i, i + 1), {}); };
  return {total(tanh(y) * softmax(x)) + at(0) * at(1) * at(2)};
}
const Numbers kPoint = vector_of({0.3, -0.7, 1.1});

// JAX 0.10: jax.hessian(f)(x) and so on, f64.
const std::vector<double> kHessian = {0.33241892782638305, 0.8822285317996819,  -0.440154244194113,
                                      0.8822285317996819,  -0.1845138071319889, -0.2595210117222278,
                                      -0.440154244194113,  -0.2595210117222278, -0.548872029658085};

TEST(Compose, hessian_as_jax) {
  expect_near(call_with(hessian(curved), {kPoint})[0], kHessian, 1e-13);
  expect_near(call_with(jacfwd(jacfwd(curved)), {kPoint})[0], kHessian, 1e-13);
  expect_near(call_with(jacrev(jacrev(curved)), {kPoint})[0], kHessian, 1e-13);
  expect_near(call_with(jacrev(jacfwd(curved)), {kPoint})[0], kHessian, 1e-13);
}

TEST(Compose, third_derivatives_as_jax) {
  const std::vector<double> third = call_with(jacfwd(hessian(curved)), {kPoint})[0];
  expect_near({third.begin(), third.begin() + 6},
              {0.3227317019045046, -0.14049834615359136, 0.01663613583380032, -0.14049834615359136, 0.7075750677476035,
               0.14880354636653625},
              1e-12);
  EXPECT_NEAR(third[26], 1.738394245865892, 1e-12);
}

TEST(Compose, jvp_of_grad_as_jax) {
  const Function f = [](const Values& in) { return jvp(grad(curved), {in[0]}, {in[1]}).tangents; };
  expect_near(call_with(f, {kPoint, vector_of({1, -2, 0.5})})[0],
              {-1.652115257870037, 1.1214956402025456, -0.1955482355786996}, 1e-13);
}

TEST(Compose, grad_of_vmap_as_jax) {
  const Function f = [](const Values& in) -> Values {
    const Value y = vmap(curved)(in)[0];
    return {total(y * y)};
  };
  expect_near(call_with(grad(f), {{{2, 3}, {0.3, -0.7, 1.1, 0.1, 0.2, -0.4}}})[0],
              {-0.4417608751534095, 0.17188130730969048, 0.29057147918739196, -0.030896200269404532,
               -0.014139477325342847, -0.009193647355296626},
              1e-13);
}

TEST(Compose, vmap_of_grad_vmap_of_jvp_and_nested_vmap) {
  const Numbers x = random_numbers({2, 4, 3}, 1), t = random_numbers({2, 4, 3}, 2);
  const auto each = [&](const Function& f, const std::vector<Numbers>& arguments, size_t result_size) {
    std::vector<double> all;
    for (size_t e = 0; e < 8; ++e) {
      std::vector<Numbers> one;
      for (const Numbers& a : arguments)
        one.push_back(vector_of({a.values.begin() + long(3 * e), a.values.begin() + long(3 * e + 3)}));
      const std::vector<double> y = call_with(f, one)[0];
      EXPECT_EQ(y.size(), result_size);
      all.insert(all.end(), y.begin(), y.end());
    }
    return all;
  };
  const Function directional = [](const Values& in) { return jvp(curved, {in[0]}, {in[1]}).tangents; };
  expect_near(call_with(vmap(vmap(curved)), {x})[0], each(curved, {x}, 1), 1e-13);
  expect_near(call_with(vmap(vmap(grad(curved))), {x})[0], each(grad(curved), {x}, 3), 1e-13);
  expect_near(call_with(vmap(vmap(directional)), {x, t})[0], each(directional, {x, t}, 1), 1e-13);
  expect_near(call_with(vmap(vmap(hessian(curved))), {x})[0], each(hessian(curved), {x}, 9), 1e-12);
}

TEST(Compose, grad_of_grad_of_vmap_against_central_differences) {
  const Function inner = [](const Values& in) -> Values {
    const Value g = vmap(grad(curved))(in)[0];
    return {total(g * sin(g))};
  };
  const Numbers x = random_numbers({2, 3}, 5);
  const std::vector<double> exact = call_with(grad(inner), {x})[0];
  for (size_t e = 0; e < exact.size(); ++e) {
    Numbers above = x, below = x;
    above.values[e] += 1e-5;
    below.values[e] -= 1e-5;
    EXPECT_NEAR(exact[e], (call_with(inner, {above})[0][0] - call_with(inner, {below})[0][0]) / 2e-5, 1e-8);
  }
}

// Per-example gradients of shared weights, the classic use.
TEST(Compose, per_example_gradients) {
  const Function loss = [](const Values& in) -> Values {
    return {total(tanh(dot_general(in[0], in[1], {.a_contract = {1}, .b_contract = {0}})))};
  };
  const Numbers w = random_numbers({2, 3}, 1), x = random_numbers({4, 3}, 2);
  const std::vector<double> all = call_with(vmap(grad(loss), {std::nullopt, 0}), {w, x})[0];
  ASSERT_EQ(all.size(), 4u * 6);
  for (size_t e = 0; e < 4; ++e) {
    const Numbers one = vector_of({x.values.begin() + long(3 * e), x.values.begin() + long(3 * e + 3)});
    expect_near({all.begin() + long(6 * e), all.begin() + long(6 * e + 6)}, call_with(grad(loss), {w, one})[0], 1e-14);
  }
}

// --- what counts as an argument

TEST(Compose, only_arguments_are_differentiated) {
  const Function twice = [](const Values& in) -> Values { return {total(in[0] * in[0])}; };
  const Function both = [](const Values& in) -> Values { return {total(in[0] * in[1])}; };
  const Function same = [&](const Values& in) { return grad(both, {0, 1})({in[0], in[0]}); };
  EXPECT_EQ(call_with(same, {vector_of({3, 5})})[0], (std::vector<double>{3, 5}));  // not 6, 10
  const Function closed = [&](const Values& in) {
    const Value outside = in[0] * 2.0;
    return grad([&](const Values& a) -> Values { return {total(a[0] * outside * in[0])}; })(in);
  };
  EXPECT_EQ(call_with(closed, {vector_of({3, 5})})[0], (std::vector<double>{18, 50}));
  EXPECT_EQ(call_with(grad(twice), {vector_of({3, 5})})[0], (std::vector<double>{6, 10}));
}

// A derivative by a value of outside, inside a batch: what is done to it there belongs to the body.
TEST(Compose, derivatives_of_outer_values_inside_vmap) {
  const Function f = [](const Values& in) {
    const Value& w = in[1];
    return vmap([&](const Values& x) {
      return grad([&](const Values& a) -> Values { return {total(sin(a[0]) * x[0])}; })({w});
    })({in[0]});
  };
  const std::vector<double> y = call_with(f, {vector_of({2, -1}), vector_of({0.5, 0.25})})[0];
  expect_near(y, {2 * std::cos(0.5), 2 * std::cos(0.25), -std::cos(0.5), -std::cos(0.25)}, 1e-15);
}

TEST(Compose, perturbations_are_not_confused) {
  // d/dx x * (d/dy x + y at y = 1) at x = 1: 1, not 2.
  const Function f = [](const Values& in) -> Values {
    const Value& x = in[0];
    const Value inner =
        jvp([&](const Values& y) -> Values { return {x + y[0]}; }, {scalar_like(x, 1)}, {scalar_like(x, 1)})
            .tangents[0];
    return {x * inner};
  };
  const Function d = [&](const Values& in) { return jvp(f, {in[0]}, {scalar_like(in[0], 1)}).tangents; };
  EXPECT_EQ(call_with(d, {vector_of({1})})[0], std::vector<double>{1});
  EXPECT_EQ(call_with(grad([&](const Values& in) -> Values { return {total(f(in)[0])}; }), {vector_of({1})})[0],
            std::vector<double>{1});
}

TEST(Compose, pull_back_and_push_forward_can_be_called_again) {
  const Function f = [](const Values& in) -> Values {
    const Function g = [](const Values& x) -> Values { return {x[0] * x[0] * x[1], exp(x[0])}; };
    const Vjp reverse = vjp(g, in);
    const Value one = scalar_like(in[0], 1), none = scalar_like(in[0], 0);
    Values out = reverse.pull_back({one, none});
    for (const Value& y : reverse.pull_back({none, one})) out.push_back(y);
    for (const Value& y : linearize(g, in).push_forward({one, none})) out.push_back(y);
    return out;
  };
  const auto y = call_with(f, {vector_of({3}), vector_of({5})});
  const double e = std::exp(3.0);
  const std::vector<double> wanted = {30, 9, e, 0, 30, e};
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(y[i][0], wanted[i], 1e-13) << i;
}

TEST(Compose, value_and_grad_passes_the_other_results_on) {
  const Function f = [](const Values& in) -> Values { return {total(in[0] * in[0]), in[0] + 1.0}; };
  const auto y = call_with(value_and_grad(f), {vector_of({3, 5})});
  EXPECT_EQ(y, (std::vector<std::vector<double>>{{34}, {4, 6}, {6, 10}}));
}

TEST(Compose, jacobians_of_several_arguments_and_results) {
  const Function f = [](const Values& in) -> Values {
    return {dot_general(in[0], in[1], {.a_contract = {1}, .b_contract = {0}}), in[1] * in[1]};
  };
  const Numbers a{{2, 3}, {1, 2, 3, 4, 5, 6}}, x = vector_of({7, 8, 9});
  for (const auto& jacobian : {jacfwd(f, {0, 1}), jacrev(f, {0, 1})}) {
    const auto j = call_with(jacobian, {a, x});
    ASSERT_EQ(j.size(), 4u);
    EXPECT_EQ(j[0], (std::vector<double>{7, 8, 9, 0, 0, 0, 0, 0, 0, 7, 8, 9}));  // [2, 2,3]
    EXPECT_EQ(j[1], a.values);                                                   // [2, 3]
    EXPECT_EQ(j[2], std::vector<double>(18, 0.0));                               // [3, 2,3]
    EXPECT_EQ(j[3], (std::vector<double>{14, 0, 0, 0, 16, 0, 0, 0, 18}));        // [3, 3]
  }
}

TEST(Compose, jacobian_of_nothing) {
  const Function f = [](const Values& in) -> Values { return {in[0] * in[0]}; };
  EXPECT_TRUE(call_with(jacfwd(f), {vector_of({})})[0].empty());
  EXPECT_TRUE(call_with(jacrev(f), {vector_of({})})[0].empty());
}

// --- vmap

TEST(Vmap, axes_anywhere) {
  const Function f = [](const Values& in) -> Values { return {in[0] - in[1], in[1]}; };
  const Numbers a{{3, 2}, {1, 2, 3, 4, 5, 6}}, b = vector_of({10, 20, 30});
  const auto y = call_with(vmap(f, {-1, std::nullopt}, {1, std::nullopt}), {a, b});
  EXPECT_EQ(y[0], (std::vector<double>{1 - 10., 2 - 10., 3 - 20., 4 - 20., 5 - 30., 6 - 30.}));  // [3,2]
  EXPECT_EQ(y[1], b.values);
}

TEST(Vmap, results_that_are_the_same_are_repeated) {
  const Function f = [](const Values& in) -> Values { return {constant(*in[0].graph, 7, DType::f64, {2}), in[0]}; };
  EXPECT_EQ(call_with(vmap(f), {vector_of({1, 2, 3})})[0], std::vector<double>(6, 7.0));
}

TEST(Vmap, no_examples) {
  const Function f = [](const Values& in) -> Values {
    return {dynamic_slice(in[0], {convert(total(in[0]), DType::i32)}, {2}), softmax(in[0])};
  };
  const auto y = call_with(vmap(f), {{{0, 4}, {}}});
  EXPECT_TRUE(y[0].empty() && y[1].empty());
}

TEST(Vmap, weights_stay_one_matrix) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {5, 4}}), w = g.input("w", {DType::f32, {3, 4}});
  const Value y = vmap([&](const Values& in) -> Values { return {linear(in[0], w)}; })({x})[0];
  EXPECT_EQ(y.dims(), (Dims{5, 3}));
  EXPECT_EQ(count(g, "dot_general"), 1);
  EXPECT_EQ(count(g, "broadcast_in_dim"), 0);
}

TEST(Vmap, composites_stay_whole) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {6, 2, 8, 4, 16}}), w = g.input("w", {DType::f32, {16}});
  vmap([&](const Values& in) -> Values {
    return {attention(in[0], in[0], in[0]), softmax(in[0]), rms_norm(in[0], w, 1e-6)};
  })({x});
  for (const char* op : {"attention", "softmax", "rms_norm"}) EXPECT_EQ(count(g, op), 1) << op;
}

TEST(Vmap, of_values_that_no_example_changes_is_done_once) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {5, 4}}), w = g.input("w", {DType::f32, {4}});
  vmap([&](const Values& in) -> Values { return {in[0] * exp(w)}; })({x});
  for (int32_t id = 0; id < g.size(); ++id) {
    if (g.node(id).op->name == "exponential") {
      EXPECT_EQ(g.node(id).types[0].dims, (Dims{4}));
    }
  }
  EXPECT_EQ(count(g, "exponential"), 1);
}

TEST(Vmap, random_states) {
  Graph g;
  const Value states = g.input("state", {DType::u64, {3, 2}});
  const Function bits = [](const Values& in) -> Values { return {random_bits(in[0], {4}, 0)}; };
  Values outputs = vmap(bits)({states});
  for (int64_t e = 0; e < 3; ++e) outputs.push_back(bits({reshape(slice_axis(states, 0, e, e + 1), {2})})[0]);
  for (size_t o = 0; o < outputs.size(); ++o) g.output("y" + std::to_string(o), outputs[o]);
  const std::vector<Bytes> y = run_graph(g, {to_bytes(DType::u64, {1, 2, 3, 4, 5, 6})});
  Bytes each;
  for (size_t e = 1; e <= 3; ++e) each.insert(each.end(), y[e].begin(), y[e].end());
  EXPECT_EQ(y[0], each);
}

// --- mistakes

TEST(TransformErrors, vmap) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {3, 2}}), y = g.input("y", {DType::f32, {4}});
  const Function f = [](const Values& in) -> Values { return {in[0] * 2.0}; };
  EXPECT_EQ(message_of([&] { vmap(f, {2})({x}); }), "vmap: argument 0 has no axis 2; it is x f32[3,2]");
  EXPECT_EQ(message_of([&] { vmap(f, {-3})({x}); }), "vmap: argument 0 has no axis -3; it is x f32[3,2]");
  EXPECT_EQ(message_of([&] {
              vmap(f)({x, y});
            }),
            "vmap: batch sizes differ: 3 != 4\n  argument 0 is x f32[3,2], axis 0\n  argument 1 is y f32[4], axis 0");
  EXPECT_EQ(message_of([&] { vmap(f, {0})({x, y}); }), "vmap: 1 in_axes for 2 arguments");
  EXPECT_EQ(message_of([&] { vmap(f, {0}, {0, 0})({x}); }), "vmap: 2 out_axes for 1 results");
  EXPECT_EQ(message_of([&] { vmap(f, {std::nullopt})({x}); }), "vmap: no argument has a batch axis");
  EXPECT_EQ(message_of([&] { vmap(f, {0}, {std::nullopt})({x}); }),
            "vmap: result 0 differs between examples, so it needs an axis for them; of one example it is f32[2]");
  EXPECT_EQ(message_of([&] { vmap(f)({}); }), "vmap: the function needs an argument");
}

TEST(TransformErrors, shapes_inside_vmap_are_those_of_one_example) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {3, 2}}), w = g.input("w", {DType::f32, {4, 5}});
  EXPECT_EQ(message_of([&] { vmap([&](const Values& in) -> Values { return {linear(in[0], w)}; })({x}); }),
            "linear: x needs 5 features\n  x is x f32[2]\n  weight [out,in] is w f32[4,5]");
}

TEST(TransformErrors, derivatives) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {3}}), i = g.input("i", {DType::i32, {3}});
  const Function f = [](const Values& in) -> Values { return {reduce_sum(in[0], {0})}; };
  EXPECT_EQ(message_of([&] { grad(f, {1})({x}); }), "grad: argument 1 does not exist; there are 1");
  EXPECT_EQ(message_of([&] { grad(f)({i}); }), "grad: argument 0 has no derivative: it is i i32[3]");
  EXPECT_EQ(message_of([&] { jvp(f, {x}, {}); }), "jvp: 0 tangents for 1 arguments");
  EXPECT_EQ(message_of([&] { jvp(f, {x}, {i}); }), "jvp: tangent 0 is i32[3], the argument is x f32[3]");
  EXPECT_EQ(message_of([&] { vjp(f, {x}).pull_back({x}); }), "vjp: cotangent 0 is f32[3], the result is f32[]");
  EXPECT_EQ(message_of([&] { vjp({x}, {i}, {x}); }), "vjp: cotangent 0 is i32[3], the output is x f32[3]");
  EXPECT_EQ(message_of([&] { jacrev(f, {4})({x}); }), "jacrev: argument 4 does not exist; there are 1");
}

TEST(TransformErrors, a_value_does_not_outlive_its_body) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {3}});
  Graph other;
  const Value y = other.input("y", {DType::f32, {3}});
  EXPECT_NE(message_of([&] { g.add("add", {x, y}); }).find("belongs to another graph"), std::string::npos);
}

}  // namespace
}  // namespace hearth
