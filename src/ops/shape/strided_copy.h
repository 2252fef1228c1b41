// SPDX-License-Identifier: Apache-2.0
#pragma once
// strided_copy: element i (row-major over `dims`) of the result is element offset + sum index_k * strides_k of the
// input, where the input lies contiguous along another axis than the result: a transposition. Bound by memory.

#include <vector>

#include "device/kernel.h"

namespace hearth {

// Whether the kernel does this better than a row program: some axis but the last has stride 1, and there is enough.
bool is_transposition(const Dims& dims, const Dims& strides);

std::vector<KernelInfo> strided_copy_kernels();

}  // namespace hearth
