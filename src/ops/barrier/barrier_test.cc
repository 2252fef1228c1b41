// SPDX-License-Identifier: Apache-2.0
#include "ops/barrier/barrier.h"

#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

OpTest identity_test(const std::string& name, const std::vector<TestInput>& in) {
  return {.op = "optimization_barrier",
          .cases = {{name, in}},
          .build = [](Graph&, const std::vector<Value>& v) { return optimization_barrier(v); },
          .definition = [](const std::vector<Reals>& v) { return v; }};
}

// Computed before, used after, and once as it was.
OpTest between_test() {
  OpTest test = identity_test("between_computations", {{{3, 129}}, {{3, 129}}});
  test.build = [](Graph&, const std::vector<Value>& v) -> std::vector<Value> {
    const Value sum = v[0] + v[1];
    const std::vector<Value> passed = optimization_barrier({sum, v[1]});
    return {passed[0] * passed[1], sum * v[0]};
  };
  test.definition = [](const std::vector<Reals>& v) -> std::vector<Reals> {
    Reals a(v[0].dims), b(v[0].dims);
    for (size_t i = 0; i < a.at.size(); ++i) {
      a.at[i] = (v[0].at[i] + v[1].at[i]) * v[1].at[i];
      b.at[i] = (v[0].at[i] + v[1].at[i]) * v[0].at[i];
    }
    return {a, b};
  };
  test.c = 6;  // 16-bit sums are rounded before the barrier
  test.grad_c = 16;
  return test;
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests = {
      identity_test("one", {{{1}}}), identity_test("scalar", {{{}}}), identity_test("empty", {{{0, 3}}}),
      identity_test("three_values", {{{5, 7}}, {{129}, 0, 9, DType::i32}, {{2}, 0, 2, DType::boolean}}),
      between_test()};
  OpTest integers = identity_test("integers", {{{5}, 0, 2}});
  integers.dtypes = {DType::i32, DType::u64, DType::i8, DType::boolean};
  tests.push_back(integers);
  return tests;
}

HEARTH_OP_TESTS(barrier, rows)

}  // namespace
}  // namespace hearth
