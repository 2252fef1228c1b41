// SPDX-License-Identifier: Apache-2.0
#pragma once
// The rows of array_bench: a name such as matmul-f32-1024 becomes a call on arrays that can be timed. The peers know
// the same names (peers/array_peers.py), the list of them is in array_rows.py.

#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "array/jit.h"
#include "array/recording.h"
#include "base/error.h"

namespace hearth::bench {

using Call = std::function<void()>;
using Parts = std::vector<std::string>;  // of the row's name, split at '-'
using ValueFunction = std::function<Values(Graph&, const Values&)>;

inline Parts split(const std::string& name) {
  Parts parts;
  std::istringstream in(name);
  for (std::string part; std::getline(in, part, '-');) parts.push_back(part);
  return parts;
}

// The number behind the letter: b8, s512, d64.
inline int64_t size_of(const Parts& parts, char letter, int64_t otherwise = -1) {
  for (const std::string& part : parts)
    if (part.size() > 1 && part[0] == letter && isdigit(part[1])) return std::stoll(part.substr(1));
  HEARTH_CHECK(otherwise >= 0, value, "array_bench: the row has no size '", std::string(1, letter), "'");
  return otherwise;
}

// The second part of the name: matmul-f64-1024.
inline DType dtype_in(const Parts& parts) {
  DType dtype = DType::f32;
  HEARTH_CHECK(parse_dtype(parts.at(1), &dtype), value, "array_bench: '", parts[1], "' is no dtype");
  return dtype;
}

// Numbers in [-1, 1), the same in every run.
inline Array uniform(const Dims& shape, DType dtype = DType::f32) {
  std::vector<float> values(size_t(TensorType{DType::f32, shape}.elements()));
  uint64_t state = 0x9e3779b97f4a7c15u + values.size();
  for (float& x : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = float(int32_t(state >> 32)) * 0x1p-31f;
  }
  return array(values, shape).astype(dtype).eval();
}

inline Array integers(const Dims& shape, int64_t below) {
  std::vector<int32_t> values(size_t(TensorType{DType::i32, shape}.elements()));
  uint64_t state = 12345;
  for (int32_t& x : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = int32_t((state >> 33) % uint64_t(below));
  }
  return array(values, shape).eval();
}

inline ArrayFunction on_values(ValueFunction f) {
  return [f = std::move(f)](const Arrays& in) { return record_all(in, f); };
}

inline Call jitted(const ArrayFunction& f, Arrays in, JitOptions options = {}) {
  return [g = jit(f, std::move(options)), in = std::move(in)] { g(in); };
}
inline Call jitted(ValueFunction f, Arrays in) { return jitted(on_values(std::move(f)), std::move(in)); }
// f's derivatives by all arguments together with f.
inline Call jitted_gradients(ValueFunction f, Arrays in, size_t count) {
  std::vector<size_t> argnums;
  for (size_t i = 0; i < count; ++i) argnums.push_back(i);
  return jitted(value_and_grad(on_values(std::move(f)), argnums), std::move(in));
}

// By the first part of the name.
using Rows = std::map<std::string, std::function<Call(const Parts&)>>;
Rows element_rows();  // array_bench_elements.cc: chains, norms, losses, reductions, orders, memory
Rows product_rows();  // array_bench_products.cc: matrix products, attention, convolution
Rows memory_rows();   // array_bench_memory.cc: what moves numbers, of several dtypes and sizes

}  // namespace hearth::bench
