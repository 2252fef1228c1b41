// SPDX-License-Identifier: Apache-2.0
#pragma once
// The definition of convolution for tests.

#include "ops/convolution/convolution.h"
#include "ops/op_test.h"

namespace hearth {

// As the specification writes it: lhs gets its holes and padding as a tensor of its own, then a window slides over it.
Reals convolution_definition(const Reals& lhs, const Reals& rhs, const ConvolutionOptions& options);

}  // namespace hearth
