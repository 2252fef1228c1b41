// SPDX-License-Identifier: Apache-2.0
// Fails on an operation that is registered but not tested, or that promises a kernel that is not there.
#include <gtest/gtest.h>

#include <set>

#include "device/kernel.h"
#include "ir/op.h"
#include "ops/op_test.h"
#include "plan/plan.h"

namespace hearth {
namespace {

struct Covered {
  std::set<std::string> values, derivatives;
};

Covered covered() {
  Covered result;
  for (const OpTests rows : all_op_tests()) {
    for (const OpTest& test : rows()) {
      for (const OpCase& one : test.cases) {
        result.values.insert(test.op);
        if (test.grad && one.grad && is_float(test.dtypes.front())) result.derivatives.insert(test.op);
      }
    }
  }
  return result;
}

// Not called by users: the inputs of a graph, and what the compiler makes (compiler/epilogue_test.cc tests it).
// Nor the operations that tests register.
bool has_no_rows(const OpInfo& op) {
  return op.name == "input" || op.name == "matmul_epilogue" || op.name.rfind("test.", 0) == 0;
}

TEST(EveryOp, has_test_rows) {
  const Covered rows = covered();
  for (const OpInfo& op : all_ops()) {
    if (has_no_rows(op)) continue;
    EXPECT_TRUE(rows.values.count(op.name))
        << op.name << " is in ops.def but has no row in ops/<folder>/<folder>_test.cc";
  }
}

TEST(EveryOp, has_gradient_rows) {
  const Covered rows = covered();
  for (const OpInfo& op : all_ops()) {
    if (has_no_rows(op) || !op.differentiable || (!op.vjp && !op.is_composite())) continue;
    // Their rules refuse: ops/control/control_test.cc, ops/regions/region_calls_test.cc.
    if (op.name == "while" || op.name == "custom_call") continue;
    EXPECT_TRUE(rows.derivatives.count(op.name)) << op.name << " promises a derivative but no row checks it";
  }
}

TEST(EveryOp, has_the_kernels_it_offers) {
  for (const OpInfo& op : all_ops()) {
    for (const Offer& offer : op.offers) {
      if (offer.kernel == "alias" || is_control(offer.kernel)) continue;  // compiled away; run by the session
      EXPECT_TRUE(find_kernel(offer.kernel))
          << op.name << " offers kernel " << offer.kernel << " for " << offer.device << ", which does not exist";
    }
    if (has_no_rows(op) || op.is_composite() || is_control(op.name)) continue;
    EXPECT_TRUE(find_kernel("reference." + op.name)) << op.name << " has no reference kernel";
  }
}

// What is neither differentiable nor a derivative's end would give a wrong zero.
TEST(EveryOp, says_whether_it_is_differentiable) {
  for (const OpInfo& op : all_ops()) {
    if (op.name == "input" || op.name.rfind("test.", 0) == 0) continue;
    EXPECT_TRUE(!op.differentiable || op.vjp || op.is_composite())
        << op.name << " has no derivative and does not say so";
    EXPECT_FALSE(op.doc.empty()) << op.name << " has no line for the table of operations";
  }
}

}  // namespace
}  // namespace hearth
