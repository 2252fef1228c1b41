// SPDX-License-Identifier: Apache-2.0
#pragma once
// Kernels of programs that embed the runtime, and of tests.

#include "device/kernel.h"

namespace hearth {

// Before any thread runs plans: what find_kernel returned earlier is no longer valid. Error{bug} when the name is
// taken.
void register_kernel(KernelInfo kernel);

}  // namespace hearth
