// SPDX-License-Identifier: Apache-2.0
// Graphs of 100,000 nodes go through every transform and the compiler: no recursion, no time that grows with the
// square. Measured: the times printed, 2 cores; the limit is ten times that, for busy machines.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "array/call_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

using Values = std::vector<Value>;

constexpr int kNodes = 100'000;

Values chain(const Values& in) {
  Value y = in[0];
  for (int i = 0; i < kNodes / 2; ++i) y = tanh(y) + in[0];
  return {reduce_sum(y, {0})};
}

// Half the nodes read the argument, the other half sum them up as a tree.
Values wide(const Values& in) {
  std::vector<Value> all;
  for (int i = 0; i < kNodes / 2; ++i) all.push_back(i % 2 ? sin(in[0]) : in[0] * in[0]);
  while (all.size() > 1) {
    std::vector<Value> sums;
    for (size_t i = 0; i + 1 < all.size(); i += 2) sums.push_back(all[i] + all[i + 1]);
    if (all.size() % 2) sums.push_back(all.back());
    all = std::move(sums);
  }
  return {reduce_sum(all[0], {0})};
}

double seconds(const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void expect_quick(const char* what, const std::function<void()>& f) {
  const double s = seconds(f);
  std::printf("%s %.1f s\n", what, s);
  EXPECT_LT(s, 30) << what;
}

Numbers point() { return vector_of({0.3, -0.2}); }

void go_through_all(const Function& f, double value, double derivative) {
  const auto with = [&](const Function& transformed, const std::vector<Numbers>& x) {
    Graph graph;
    transformed(add_inputs(graph, x));
    EXPECT_GT(graph.size(), kNodes);
  };
  expect_quick("grad", [&] { with(grad(f), {point()}); });
  expect_quick("grad of a checkpoint", [&] { with(grad(checkpoint(f)), {point()}); });
  expect_quick(
      "jvp", [&] { with([&](const Values& in) { return jvp(f, in, {scalar_like(in[0], 1)}).tangents; }, {point()}); });
  expect_quick("vmap of grad", [&] { with(vmap(grad(f)), {{{3, 2}, {1, 2, 3, 4, 5, 6}}}); });
  expect_quick("hessian", [&] { with(hessian(f), {point()}); });
  expect_quick("grad, compiled and run", [&] {
    const auto y = call_with(value_and_grad(f), {point()});
    EXPECT_NEAR(y[0][0] / value, 1, 1e-9);
    EXPECT_NEAR(y[1][0] / derivative, 1, 1e-9);
  });
}

TEST(LongGraphs, chain) {
  double y[2] = {0.3, -0.2}, dy = 1;
  const double x[2] = {0.3, -0.2};
  for (int i = 0; i < kNodes / 2; ++i) {
    const double t = std::tanh(y[0]);
    dy = (1 - t * t) * dy + 1;
    y[0] = t + x[0];
    y[1] = std::tanh(y[1]) + x[1];
  }
  go_through_all(chain, y[0] + y[1], dy);
}

TEST(LongGraphs, wide) {
  const auto half = double(kNodes / 4);
  const double value = half * (0.3 * 0.3 + 0.2 * 0.2 + std::sin(0.3) - std::sin(0.2));
  go_through_all(wide, value, half * (0.6 + std::cos(0.3)));
}

}  // namespace
}  // namespace hearth
