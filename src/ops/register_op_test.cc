// SPDX-License-Identifier: Apache-2.0
// Operations that a program registers beside those of ops.def.
#include <gtest/gtest.h>

#include "array/call_test.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {
namespace {

OpInfo twice() {
  return {.name = "test.twice",
          .doc = "2 x",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> { return {args.in[0].type()}; },
          .decompose = [](Graph&, const std::vector<Value>& in, const Attrs&) -> std::vector<Value> {
            return {in[0] + in[0]};
          }};
}

TEST(RegisterOp, is_found_and_runs_and_nodes_made_before_stay_good) {
  if (testing::GTEST_FLAG(repeat) != 1) GTEST_SKIP() << "SKIP registers for the life of the process";
  Graph before;
  const Value old = before.input("x", {DType::f64, {2}}) * 3;
  const OpInfo* multiply = before.node(old).op;
  register_op(twice());
  EXPECT_EQ(&find_op("test.twice"), &all_ops().back());
  EXPECT_EQ(multiply, &find_op("multiply"));
  const Function f = [](const std::vector<Value>& in) -> std::vector<Value> {
    return {in[0].graph->add("test.twice", {in[0]})};
  };
  EXPECT_EQ(call_with(f, {vector_of({1, -2})})[0], (std::vector<double>{2, -4}));
  EXPECT_EQ(message_of([] { register_op(twice()); }),
            "register_op: there already is an operation named 'test.twice'\n  hint: put a name of your own before it: "
            "'mine.test.twice'");
}

TEST(RegisterOp, refuses_what_is_incomplete_or_taken) {
  EXPECT_EQ(message_of([] { register_op({}); }), "register_op: the operation has no name");
  EXPECT_EQ(message_of([] { register_op({.name = "test.none", .doc = "", .infer = nullptr}); }),
            "register_op: 'test.none' has no shape rule");
  OpInfo add = twice();
  add.name = "add";
  EXPECT_EQ(message_of([&] { register_op(std::move(add)); }),
            "register_op: there already is an operation named 'add'\n  hint: put a name of your own before it: "
            "'mine.add'");
}

}  // namespace
}  // namespace hearth
