// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the random tests of gather, scatter and the window operations share.

#include <algorithm>
#include <cmath>

#include "array/run_graph.h"
#include "ir/op.h"
#include "ops/op_test.h"
#include "ops/shape/shape.h"

namespace hearth {

class RandomNumbers {
 public:
  explicit RandomNumbers(uint64_t seed) : seed_(seed) {}
  int64_t below(int64_t n) { return std::min(n - 1, int64_t(random_unit(seed_, next_++) * double(n))); }
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  bool one_in(int64_t n) { return below(n) == 0; }
  template <class T>
  void shuffle(std::vector<T>& list) {
    for (size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[size_t(below(int64_t(i)))]);
  }
  // `count` of the axes 0..rank-1, rising.
  Dims some(int64_t rank, int64_t count) {
    Dims all;
    for (int64_t i = 0; i < rank; ++i) all.push_back(i);
    shuffle(all);
    all.resize(size_t(count));
    std::sort(all.begin(), all.end());
    return all;
  }
  // Whole numbers, whose sums and products every float dtype with 8 bits holds for a while.
  Bytes numbers(const TensorType& type, int64_t low, int64_t high) {
    std::vector<double> values;
    for (int64_t i = 0; i < type.elements() * (is_complex(type.dtype) ? 2 : 1); ++i)
      values.push_back(double(between(low, high)));
    return to_bytes(type.dtype, values);
  }

 private:
  uint64_t seed_, next_ = 0;
};

// One call of an operation and values for its inputs.
struct RandomCall {
  std::string op;
  Attrs attrs;
  std::vector<TensorType> types;
  std::vector<Bytes> in;
};

inline std::string text_of(const RandomCall& call) {
  std::string text = cat(call.op, call.attrs);
  for (const TensorType& type : call.types) text += cat(' ', type);
  return text;
}

inline std::vector<double> run_call(const RandomCall& call, const char* device, TensorType* result = nullptr) {
  Graph g;
  std::vector<Value> in;
  for (size_t i = 0; i < call.types.size(); ++i) in.push_back(g.input("x" + std::to_string(i), call.types[i]));
  const Value y = g.add(call.op, in, call.attrs);
  g.output("y", y);
  if (result) *result = y.type();
  return to_doubles(y.dtype(), run_graph(g, call.in, CompileOptions{.devices = {std::string(device)}})[0]);
}

inline bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

// The batch rule on the cpu against one example after the other on the reference device. `batched` says which inputs
// have the batch; make(example) gives calls that differ in the values of those only.
inline void expect_same_batch(const std::vector<RandomCall>& examples, const std::vector<bool>& batched) {
  Graph g;
  std::vector<Value> in, one;
  std::vector<Bytes> bytes;
  const RandomCall& first = examples[0];
  for (size_t i = 0; i < first.types.size(); ++i) {
    TensorType type = first.types[i];
    Bytes all;
    for (const RandomCall& example : examples) {
      if (batched[i] || all.empty()) all.insert(all.end(), example.in[i].begin(), example.in[i].end());
    }
    if (batched[i]) type.dims.insert(type.dims.begin(), int64_t(examples.size()));
    in.push_back(g.input("x" + std::to_string(i), type));
    bytes.push_back(all);
  }
  Graph single;
  for (size_t i = 0; i < first.types.size(); ++i) one.push_back(single.input("x" + std::to_string(i), first.types[i]));
  const Value y = single.add(first.op, one, first.attrs);
  BatchArgs batch{g, single.node(y), in, batched, int64_t(examples.size())};
  find_op(first.op).batch(batch);
  g.output("y", batch.out[0]);
  std::vector<double> wanted;
  for (const RandomCall& example : examples) {
    const std::vector<double> part = run_call(example, "reference");
    wanted.insert(wanted.end(), part.begin(), part.end());
  }
  Dims dims = y.dims();
  dims.insert(dims.begin(), int64_t(examples.size()));
  EXPECT_EQ(batch.out[0].dims(), dims) << text_of(first);
  EXPECT_TRUE(same(to_doubles(y.dtype(), run_graph(g, bytes)[0]), wanted)) << text_of(first) << "\n" << to_text(g);
}

// Calls made from so many seeds give the same on the cpu as on the reference device.
inline void expect_cpu_like_reference(RandomCall (*make)(RandomNumbers&), uint64_t seeds) {
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    RandomNumbers random(seed + 1000);
    const RandomCall call = make(random);
    EXPECT_TRUE(same(run_call(call, "cpu"), run_call(call, "reference"))) << "seed " << seed << ": " << text_of(call);
  }
}

}  // namespace hearth
