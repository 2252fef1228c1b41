// SPDX-License-Identifier: Apache-2.0
#include "ops/softmax/softmax.h"

#include <cmath>
#include <limits>

#include "array/call_test.h"
#include "ops/op_test.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<Reals> definition(const std::vector<Reals>& in) {
  Reals y(in[0].dims);
  const int64_t width = y.dim(-1), rows = width ? int64_t(y.at.size()) / width : 0;
  for (int64_t r = 0; r < rows; ++r) {
    double most = -kInfinity, sum = 0;
    for (int64_t c = 0; c < width; ++c) most = std::fmax(most, in[0][r * width + c]);
    for (int64_t c = 0; c < width; ++c) sum += std::exp(in[0][r * width + c] - most);
    for (int64_t c = 0; c < width; ++c) y[r * width + c] = std::exp(in[0][r * width + c] - most) / sum;
  }
  return {y};
}

std::vector<Reals> log_definition(const std::vector<Reals>& in) {
  Reals y(in[0].dims);
  const int64_t width = y.dim(-1);
  for (int64_t r = 0; width && r < int64_t(y.at.size()) / width; ++r) {
    double most = -kInfinity, sum = 0;
    for (int64_t c = 0; c < width; ++c) most = std::fmax(most, in[0][r * width + c]);
    for (int64_t c = 0; c < width; ++c) sum += std::exp(in[0][r * width + c] - most);
    for (int64_t c = 0; c < width; ++c) y[r * width + c] = in[0][r * width + c] - most - std::log(sum);
  }
  return {y};
}

std::vector<Reals> sum_definition(const std::vector<Reals>& in) {
  Reals y(Dims(in[0].dims.begin(), in[0].dims.end() - 1));
  const int64_t width = in[0].dim(-1);
  for (int64_t r = 0; r < int64_t(y.at.size()); ++r) {
    double most = -kInfinity, sum = 0;
    for (int64_t c = 0; c < width; ++c) most = std::fmax(most, in[0][r * width + c]);
    if (std::isinf(most)) most = 0;
    for (int64_t c = 0; c < width; ++c) sum += std::exp(in[0][r * width + c] - most);
    y[r] = most + std::log(sum);
  }
  return {y};
}

std::vector<OpTest> rows() {
  OpTest test{.op = "softmax",
              .build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {softmax(in[0])}; },
              .definition = definition,
              .c = 4};
  const auto add = [&](const std::string& name, const Dims& dims, double low = -3, double high = 3) {
    test.cases.push_back({name, {{dims, low, high}}, double(dims.back())});
  };
  add("one", {1});
  add("row", {9});
  add("empty_rows", {3, 0});
  add("no_rows", {0, 5});
  for (const int64_t n : {63, 64, 65, 127, 128, 129, 1000}) add("width_" + std::to_string(n), {3, n});
  add("four_axes", {2, 3, 4, 5});
  add("many_rows", {701, 3});
  add("large_numbers", {4, 33}, 80, 90);  // exp would overflow without the maximum
  test.cases.push_back({"far_apart", {{{2, 4}, 0, 0, {}, {-10000, 0, 10000, 3, 1000, 1000, -1000, 0}}}, 4, false});
  test.cases.push_back({"all_minus_infinity", {{{2, 2}, 0, 0, {}, {-kInfinity, -kInfinity, 1, 2}}}, 2, false});
  test.cases.push_back({"some_minus_infinity", {{{1, 4}, 0, 0, {}, {-kInfinity, 0, 1, -kInfinity}}}, 4, false});
  test.cases.push_back(
      {"nan_and_infinity", {{{3, 3}, 0, 0, {}, {1, std::nan(""), 2, 1, kInfinity, 2, 1, 2, 3}}}, 3, false});
  OpTest log = test, sum = test;
  log.op = "log_softmax";
  log.build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {log_softmax(in[0])}; };
  log.definition = log_definition;
  sum.op = "logsumexp";
  sum.build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {logsumexp(in[0])}; };
  sum.definition = sum_definition;
  return {test, log, sum};
}

HEARTH_OP_TESTS(softmax, rows)

TEST(Softmax, derivative_of_logsumexp_is_zero_where_nothing_is) {
  const auto dx =
      call_with([](const std::vector<Value>& in) { return gradients(reshape(logsumexp(in[0]), {}), {in[0]}); },
                {{{1, 2}, {-kInfinity, -kInfinity}}});
  EXPECT_EQ(dx[0], (std::vector<double>{0, 0}));
}

TEST(Softmax, errors_name_the_operation) {
  Graph g;
  const Value n = g.input("n", {DType::i32, {4}}), s = g.input("s", {DType::f32, {}});
  EXPECT_EQ(message_of([&] { log_softmax(n); }), "log_softmax: needs floats of rank 1 or more; x is n i32[4]");
  EXPECT_EQ(message_of([&] { logsumexp(s); }), "logsumexp: needs floats of rank 1 or more; x is s f32[]");
}

}  // namespace
}  // namespace hearth
