// SPDX-License-Identifier: Apache-2.0
#include "ops/barrier/barrier.h"

#include "ir/rules.h"

namespace hearth {

std::vector<Value> optimization_barrier(const std::vector<Value>& values) {
  return values[0].graph->add_all("optimization_barrier", values);
}

// The tangents pass a barrier of their own, so that those of a checkpoint region are computed again with it.
static void jvp(JvpArgs& j) {
  std::vector<Value> tangents;
  for (const Value& t : j.tangent) {
    if (t.valid()) tangents.push_back(t);
  }
  const std::vector<Value> passed = optimization_barrier(tangents);
  for (size_t i = 0, next = 0; i < j.tangent.size(); ++i) {
    if (j.tangent[i].valid()) j.out_tangent[i] = passed[next++];
  }
}

std::vector<OpInfo> barrier_ops() {
  OpInfo op{.name = "optimization_barrier",
            .doc = "identity that passes do not look through",
            .infer =
                [](const InferArgs& args) {
                  std::vector<TensorType> types;
                  for (const Value& in : args.in) types.push_back(in.type());
                  return types;
                },
            .vjp =
                [](VjpArgs& v) {
                  for (size_t i = 0; i < v.in.size(); ++i) v.grad[i] = v.cotangent[i];
                },
            .jvp = jvp,
            .batch =
                [](BatchArgs& b) {
                  b.out = optimization_barrier(b.in);
                  b.out_batched = b.batched;
                }};
  op.pure = false;
  op.offers = {{"cpu", "alias", nullptr}};  // the compiler gives each output the memory of its input
  return {op};
}

}  // namespace hearth
