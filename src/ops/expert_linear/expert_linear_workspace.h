// SPDX-License-Identifier: Apache-2.0
#pragma once
// How much memory the kernel sorts its rows in: graph side and kernel agree on it here.

#include <cstdint>

#include "base/dtype.h"

namespace hearth {

// Places of the rows by expert, the rows of x in that order, and those of y.
inline int64_t expert_linear_workspace(int64_t rows, int64_t inner, int64_t outer, DType dtype, int64_t experts) {
  return (rows + experts + 2) * 8 + rows * (inner + outer) * size_bytes(dtype) + 256;
}

}  // namespace hearth
