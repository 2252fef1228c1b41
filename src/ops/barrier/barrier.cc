// SPDX-License-Identifier: Apache-2.0
#include "ops/barrier/barrier.h"

#include "ir/op.h"

namespace hearth {

std::vector<Value> optimization_barrier(const std::vector<Value>& values) {
  return values[0].graph->add_all("optimization_barrier", values);
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
                }};
  op.pure = false;
  op.offers = {{"cpu", "alias", nullptr}};  // the compiler gives each output the memory of its input
  return {op};
}

}  // namespace hearth
