// SPDX-License-Identifier: Apache-2.0
#pragma once
// Calls a function of f64 arrays, for tests of transforms.

#include <string>
#include <vector>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/file_test_folder.h"
#include "ops/op_test.h"

namespace hearth {

struct Numbers {
  Dims dims;
  std::vector<double> values;
};
inline Numbers vector_of(const std::vector<double>& values) { return {{int64_t(values.size())}, values}; }
inline Numbers random_numbers(const Dims& dims, uint64_t seed) {
  Numbers x{dims, {}};
  for (int64_t i = 0; i < num_elements(dims); ++i) x.values.push_back(random_unit(seed, uint64_t(i)) * 2 - 1);
  return x;
}

inline std::vector<Value> add_inputs(Graph& graph, const std::vector<Numbers>& arguments) {
  std::vector<Value> in;
  for (const Numbers& x : arguments) in.push_back(graph.input("x" + std::to_string(in.size()), {DType::f64, x.dims}));
  return in;
}

inline std::vector<std::vector<double>> run_on(Graph& graph, const std::vector<Value>& outputs,
                                               const std::vector<Numbers>& arguments) {
  for (size_t o = 0; o < outputs.size(); ++o) graph.output("y" + std::to_string(o), outputs[o]);
  std::vector<Bytes> bytes;
  for (const Numbers& x : arguments) bytes.push_back(to_bytes(DType::f64, x.values));
  std::vector<std::vector<double>> results;
  const std::vector<Bytes> raw = run_graph(graph, bytes);
  for (size_t o = 0; o < raw.size(); ++o) results.push_back(to_doubles(outputs[o].dtype(), raw[o]));
  return results;
}

inline std::vector<std::vector<double>> call_with(const Function& f, const std::vector<Numbers>& arguments) {
  Graph graph;
  const std::vector<Value> outputs = f(add_inputs(graph, arguments));
  return run_on(graph, outputs, arguments);
}

inline void expect_near(const std::vector<double>& got, const std::vector<double>& wanted, double tolerance) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], tolerance) << "element " << i;
}

}  // namespace hearth
