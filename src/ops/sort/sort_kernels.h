// SPDX-License-Identifier: Apache-2.0
#pragma once
// Kernels of this folder that have files of their own.

#include "device/kernel.h"

namespace hearth {

void top_k_rows(const KernelArgs& args);
void check_top_k(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs);

}  // namespace hearth
