// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "array/call_test.h"
#include "ir/count_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

Value total(const Value& x) { return reduce_sum(x, {0}); }

// y = x^2 with a derivative that is told apart from the true one: 3x instead of 2x, 5 in place of its derivative.
Function by_vjp() {
  return custom_vjp([](const Values& in) -> Values { return {in[0] * in[0]}; },
                    [](const Values& in) -> Values {
                      return {in[0] * in[0], in[0]};
                    },
                    [](const Values& kept, const Values& u) -> Values { return {kept[0] * u[0] * 3.0}; });
}
Function by_jvp() {
  return custom_jvp([](const Values& in) -> Values { return {in[0] * in[0]}; },
                    [](const Values& in, const Values& t) -> Values { return {in[0] * t[0] * 3.0}; });
}
Function summed(const Function& f) {
  return [f](const Values& in) -> Values { return {total(f(in)[0])}; };
}

TEST(CustomRules, are_used_by_every_derivative) {
  const Numbers x = vector_of({2, -1});
  for (const Function& f : {by_vjp(), by_jvp()}) {
    EXPECT_EQ(call_with(f, {x})[0], (std::vector<double>{4, 1}));
    EXPECT_EQ(call_with(grad(summed(f)), {x})[0], (std::vector<double>{6, -3}));
    EXPECT_EQ(call_with([&](const Values& in) { return jvp(f, in, {scalar_like(in[0], 1)}).tangents; }, {x})[0],
              (std::vector<double>{6, -3}));
    EXPECT_EQ(call_with(grad(summed(grad(summed(f)))), {x})[0], (std::vector<double>{3, 3}));
    EXPECT_EQ(call_with(jacfwd(f), {x})[0], (std::vector<double>{6, 0, 0, -3}));
    EXPECT_EQ(call_with(jacrev(f), {x})[0], (std::vector<double>{6, 0, 0, -3}));
    EXPECT_EQ(call_with(hessian(summed(f)), {x})[0], (std::vector<double>{3, 0, 0, 3}));
  }
}

TEST(CustomRules, under_vmap_and_checkpoint) {
  const Numbers x{{2, 2}, {2, -1, 3, 5}};
  for (const Function& f : {by_vjp(), by_jvp()}) {
    EXPECT_EQ(call_with(vmap(grad(summed(f))), {x})[0], (std::vector<double>{6, -3, 9, 15}));
    const Function of_batch = [&](const Values& in) -> Values { return {reduce_sum(vmap(f)(in)[0], {0, 1})}; };
    EXPECT_EQ(call_with(grad(of_batch), {x})[0], (std::vector<double>{6, -3, 9, 15}));
    EXPECT_EQ(call_with(grad(summed(checkpoint(f))), {vector_of({2, -1})})[0], (std::vector<double>{6, -3}));
  }
}

// An argument that all examples share gets the sum of their cotangents.
TEST(CustomRules, shared_arguments_of_a_batch) {
  const Function product = custom_vjp([](const Values& in) -> Values { return {in[0] * in[1]}; },
                                      [](const Values& in) -> Values {
                                        return {in[0] * in[1], in[0], in[1]};
                                      },
                                      [](const Values& kept, const Values& u) -> Values {
                                        return {u[0] * kept[1], u[0] * kept[0]};
                                      });
  const Function f = [&](const Values& in) -> Values {
    return {reduce_sum(vmap(product, {0, std::nullopt})(in)[0], {0, 1})};
  };
  const auto g = call_with(grad(f, {0, 1}), {{{3, 2}, {1, 2, 3, 4, 5, 6}}, vector_of({10, 20})});
  EXPECT_EQ(g[0], (std::vector<double>{10, 20, 10, 20, 10, 20}));
  EXPECT_EQ(g[1], (std::vector<double>{1 + 3 + 5, 2 + 4 + 6}));
}

// The usual reason for a rule: log(1 + e^x), whose derivative overflows when written out.
TEST(CustomRules, keep_a_derivative_finite) {
  const Function naive = [](const Values& in) -> Values { return {log(exp(in[0]) + 1.0)}; };
  const Function safe = custom_jvp(
      naive, [](const Values& in, const Values& t) -> Values { return {t[0] * (1.0 - 1.0 / (exp(in[0]) + 1.0))}; });
  EXPECT_TRUE(std::isnan(call_with(grad(summed(naive)), {vector_of({1000})})[0][0]));
  EXPECT_EQ(call_with(grad(summed(safe)), {vector_of({1000})})[0][0], 1);
}

// What a function reads from around it is a constant to its rule.
TEST(CustomRules, values_from_outside) {
  const auto scaled = [](const Value& scale) {
    return custom_vjp([scale](const Values& in) -> Values { return {in[0] * scale}; },
                      [scale](const Values& in) -> Values { return {in[0] * scale}; },
                      [scale](const Values&, const Values& u) -> Values { return {u[0] * scale * 2.0}; });
  };
  const Function f = [&](const Values& in) -> Values {
    const Value scale = exp(in[1]);
    return grad([&](const Values& x) -> Values { return {total(scaled(scale)(x)[0])}; })({in[0]});
  };
  EXPECT_NEAR(call_with(f, {vector_of({3}), vector_of({1})})[0][0], 2 * std::exp(1.0), 1e-15);
  const Function by_both = [&](const Values& in) -> Values { return {total(scaled(in[1])({in[0]})[0])}; };
  Graph g;
  const Value x = g.input("x", {DType::f32, {3}}), y = g.input("y", {DType::f32, {3}});
  EXPECT_EQ(message_of([&] {
              grad(by_both, {0, 1})({x, y});
            }),
            "custom_vjp: a derivative is sought by way of y f32[3], which the function uses without taking it\n"
            "  hint: make it an argument\n  in grad");
}

TEST(CustomRules, work_is_done_once) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {8, 8}}), w = g.input("w", {DType::f32, {8, 8}});
  const Function f = custom_vjp([](const Values& in) -> Values { return {tanh(linear(in[0], in[1]))}; },
                                [](const Values& in) -> Values {
                                  const Value y = tanh(linear(in[0], in[1]));
                                  return {y, y, in[1]};
                                },
                                [](const Values& kept, const Values& u) -> Values {
                                  return {matmul(u[0] * (1.0 - kept[0] * kept[0]), kept[1]), {}};
                                });
  const Values y = value_and_grad([&](const Values& in) -> Values { return {reduce_sum(f(in)[0], {0, 1})}; })({x, w});
  g.output("y", y[0]);
  g.output("dx", y[1]);
  CompileReport report;
  compile(g, {}, &report);
  int64_t matmuls = 0;
  for (const PartitionRow& row : report.partition) matmuls += row.op == "dot_general" ? row.count : 0;
  EXPECT_EQ(matmuls, 2);  // the function's and the derivative's: forward of the rule is the same node as the function
}

TEST(CustomRules, errors) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {3}});
  const Function f = [](const Values& in) -> Values { return {in[0] * in[0]}; };
  const Function none = [](const Values&) -> Values { return {}; };
  const Function sum = [](const Values& in) -> Values { return {total(in[0])}; };
  const auto nothing = [](const Values&, const Values&) -> Values { return {}; };
  const auto wrong = [](const Values&, const Values& u) -> Values { return {total(u[0])}; };
  EXPECT_EQ(message_of([&] { custom_vjp(f, none, nothing)({x}); }),
            "custom_vjp: forward gives 0 values; the function gives 1");
  EXPECT_EQ(message_of([&] { custom_vjp(f, sum, nothing)({x}); }),
            "custom_vjp: result 0 of forward is f32[], that of the function is f32[3]");
  EXPECT_EQ(message_of([&] { custom_vjp(f, f, nothing)({x}); }), "custom_vjp: 0 cotangents for 1 arguments");
  EXPECT_EQ(message_of([&] { custom_vjp(f, f, wrong)({x}); }),
            "custom_vjp: cotangent 0 is f32[], the argument is f32[3]");
  EXPECT_EQ(message_of([&] { custom_jvp(f, nothing)({x}); }), "custom_jvp: 0 tangents for 1 results");
  EXPECT_EQ(message_of([&] { custom_jvp(f, wrong)({x}); }), "custom_jvp: tangent 0 is f32[], the result is f32[3]");
  EXPECT_EQ(message_of([&] { custom_jvp(f, wrong)({}); }), "custom_jvp: the function needs an argument");
}

}  // namespace
}  // namespace hearth
