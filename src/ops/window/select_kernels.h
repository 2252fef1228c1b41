// SPDX-License-Identifier: Apache-2.0
#pragma once
// Kernels "select_and_scatter" and "select_and_gather".

#include "device/kernel.h"

namespace hearth {

void select_and_scatter(const KernelArgs& args);
void select_and_gather(const KernelArgs& args);
void check_select_and_scatter(const std::vector<TensorType>& in, const std::vector<TensorType>& out,
                              const Attrs& attrs);
void check_select_and_gather(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs);

}  // namespace hearth
