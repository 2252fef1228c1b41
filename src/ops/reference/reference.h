// SPDX-License-Identifier: Apache-2.0
#pragma once
// The definition of every primitive operation as plain loops: kernel "reference.<op>" for any dtype. Written for
// reading, not speed: other kernels are tested against these. Meaning: the StableHLO specification
// (openxla.org/stablehlo/spec). Floats are computed in f64 and rounded once to the result's dtype; integers wrap
// around. Where the specification leaves a result open, it is XLA's: x / 0 = -1 (all bits set), x % 0 = x, INT_MIN / -1
// = INT_MIN, shifts by the width or more give 0 (arithmetic right: the sign), integer 0^-n = 0, conversions to integers
// saturate and take NaN to 0.

#include <vector>

#include "device/kernel.h"

namespace hearth {

std::vector<KernelInfo> reference_kernels();  // all of the below

#define HEARTH_REFERENCE(family) std::vector<KernelInfo> reference_##family();
#include "ops/reference/families.def"

}  // namespace hearth
