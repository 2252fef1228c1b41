// SPDX-License-Identifier: Apache-2.0
#pragma once
// A batch rule against one example after the other: an operation on a batch of three gives the bits of three calls.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "array/run_graph.h"
#include "ir/op.h"
#include "ops/op_test.h"

namespace hearth {

struct BatchedInput {
  TensorType example;
  bool batched = true;
  double low = -2, high = 2;
};

// `build` calls one operation on the example's inputs and returns the node's outputs.
inline void expect_batch_rule(const std::vector<BatchedInput>& inputs,
                              const std::function<std::vector<Value>(const std::vector<Value>&)>& build) {
  constexpr int64_t kBatch = 3;
  Graph one, all;
  std::vector<Value> examples, batches;
  std::vector<bool> batched;
  std::vector<Bytes> bytes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    TensorType type = inputs[i].example;
    examples.push_back(one.input("x" + std::to_string(i), type));
    if (inputs[i].batched) type.dims.insert(type.dims.begin(), kBatch);
    batches.push_back(all.input("x" + std::to_string(i), type));
    batched.push_back(inputs[i].batched);
    std::vector<double> values;
    for (int64_t e = 0; e < type.elements(); ++e) {
      const double u = inputs[i].low + (inputs[i].high - inputs[i].low) * random_unit(i + 5, uint64_t(e));
      values.push_back(is_float(type.dtype) ? u : std::floor(u));
    }
    bytes.push_back(to_bytes(type.dtype, values));
  }
  const std::vector<Value> outputs = build(examples);
  const Node& node = one.node(outputs[0]);
  ASSERT_TRUE(node.op->batch) << node.op->name << " has no batch rule";
  BatchArgs args{all, node, batches, batched, kBatch};
  node.op->batch(args);
  ASSERT_EQ(args.out.size(), outputs.size());
  for (size_t o = 0; o < outputs.size(); ++o) {
    TensorType type = outputs[o].type();
    type.dims.insert(type.dims.begin(), kBatch);
    ASSERT_EQ(args.out[o].type(), type) << node.op->name << ", output " << o;
    one.output("y" + std::to_string(o), outputs[o]);
    all.output("y" + std::to_string(o), args.out[o]);
  }
  const std::vector<Bytes> together = run_graph(all, bytes);
  for (int64_t b = 0; b < kBatch; ++b) {
    std::vector<Bytes> example = bytes;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const long size = long(inputs[i].example.bytes());
      if (inputs[i].batched) example[i] = Bytes(bytes[i].begin() + b * size, bytes[i].begin() + (b + 1) * size);
    }
    const std::vector<Bytes> alone = run_graph(one, example);
    for (size_t o = 0; o < alone.size(); ++o) {
      const long size = long(alone[o].size());
      EXPECT_EQ(alone[o], Bytes(together[o].begin() + b * size, together[o].begin() + (b + 1) * size))
          << node.op->name << ", example " << b << ", output " << o;
    }
  }
}

}  // namespace hearth
