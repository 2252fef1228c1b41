// SPDX-License-Identifier: Apache-2.0
#pragma once
// Calls one kernel by name on tensors given as lists, for tests.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "device/kernel.h"

namespace hearth {

// A tensor that owns its bytes.
struct TestTensor {
  TensorType type;
  std::vector<uint64_t> memory;  // of 8-byte words: aligned for every dtype

  explicit TestTensor(TensorType t) : type(std::move(t)), memory(size_t(type.bytes() / 8 + 1)) {}
  template <class T>
  T* data() {
    return reinterpret_cast<T*>(memory.data());
  }
  template <class T>
  std::vector<T> values() const {
    std::vector<T> list(size_t(type.elements()));
    if (!list.empty()) std::memcpy(static_cast<void*>(list.data()), memory.data(), size_t(type.bytes()));
    return list;
  }
};

template <class T>
TestTensor tensor(const Dims& dims, const std::vector<T>& values) {
  TestTensor x({dtype_of<T>, dims});
  EXPECT_EQ(x.type.elements(), int64_t(values.size()));
  if (!values.empty()) std::memcpy(x.memory.data(), values.data(), size_t(x.type.bytes()));
  return x;
}
// One axis.
template <class T>
TestTensor row(const std::vector<T>& values) {
  return tensor<T>({int64_t(values.size())}, values);
}
inline TestTensor bools(const Dims& dims, const std::vector<uint8_t>& values) {
  TestTensor x = tensor<uint8_t>(dims, values);
  x.type.dtype = DType::boolean;
  return x;
}

// Checks and runs kernel `name`; the result has the given types.
inline std::vector<TestTensor> call_all(const std::string& name, std::vector<TestTensor> in,
                                        const std::vector<TensorType>& out, const Attrs& attrs = {}) {
  const KernelInfo* kernel = find_kernel(name);
  HEARTH_CHECK(kernel, bug, "no kernel ", name);
  std::vector<TensorType> types;
  std::vector<TensorArg> in_args, out_args;
  std::vector<TestTensor> results;
  for (const TensorType& type : out) results.emplace_back(type);
  for (TestTensor& x : in) {
    types.push_back(x.type);
    in_args.push_back({x.memory.data(), &x.type});
  }
  for (TestTensor& y : results) out_args.push_back({y.memory.data(), &y.type});
  if (kernel->check) kernel->check(types, out, attrs);
  kernel->run({in_args, out_args, attrs});
  return results;
}
inline TestTensor call(const std::string& name, std::vector<TestTensor> in, const TensorType& out,
                       const Attrs& attrs = {}) {
  return call_all(name, std::move(in), {out}, attrs)[0];
}

// Equal values; NaN equals NaN and -0 differs from +0.
inline void expect_same(const std::vector<double>& got, const std::vector<double>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const bool same = std::isnan(wanted[i]) ? std::isnan(got[i])
                                            : got[i] == wanted[i] && std::signbit(got[i]) == std::signbit(wanted[i]);
    EXPECT_TRUE(same) << "element " << i << ": " << got[i] << " instead of " << wanted[i];
  }
}

}  // namespace hearth
