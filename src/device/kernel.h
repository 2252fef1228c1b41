// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a kernel gets, and the registry of kernels by name. A kernel trusts its arguments: the compiler made them and
// the plan's validation checked them. Kernels run on the calling thread and may use the worker pool.

#include <functional>
#include <string>
#include <vector>

#include "base/attrs.h"
#include "base/shape.h"
#include "plan/row_program.h"

namespace hearth {

struct TensorArg {
  void* data = nullptr;
  const TensorType* type = nullptr;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  int64_t dim(int64_t axis) const { return type->dims[size_t(axis < 0 ? axis + type->rank() : axis)]; }
  const Dims& dims() const { return type->dims; }
  DType dtype() const { return type->dtype; }
};

struct KernelArgs {
  const std::vector<TensorArg>& in;
  const std::vector<TensorArg>& out;
  const Attrs& attrs;
  const RowProgram* program = nullptr;
  void* workspace = nullptr;
  int64_t workspace_bytes = 0;
};

struct KernelInfo {
  std::string name;
  void (*run)(const KernelArgs&) = nullptr;
  // Checks that inputs, outputs and attributes of an instruction from a file are what run() relies on. Throws Error.
  // Null where any arguments that the generic checks passed are fine.
  void (*check)(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) = nullptr;
};

const KernelInfo* find_kernel(const std::string& name);  // null when there is none
const std::vector<KernelInfo>& all_kernels();

}  // namespace hearth
