// SPDX-License-Identifier: Apache-2.0
#pragma once
// Shapes and types of dense row-major tensors. 64-bit sizes throughout.

#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <vector>

#include "base/dtype.h"

namespace hearth {

using Dims = std::vector<int64_t>;

int64_t num_elements(const Dims& dims);    // product; 1 for rank 0
Dims row_major_strides(const Dims& dims);  // in elements; the last is 1

// Prints [2,3].
struct ShowDims {
  const Dims& dims;
};
std::ostream& operator<<(std::ostream& out, ShowDims show);

// dtype and shape of one tensor. Prints f32[2,3].
struct TensorType {
  DType dtype = DType::f32;
  Dims dims;

  int64_t rank() const { return static_cast<int64_t>(dims.size()); }
  int64_t elements() const { return num_elements(dims); }
  int64_t bytes() const { return elements() * size_bytes(dtype); }
  friend bool operator==(const TensorType&, const TensorType&) = default;
};
std::ostream& operator<<(std::ostream& out, const TensorType& type);

}  // namespace hearth
