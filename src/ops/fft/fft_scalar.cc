// SPDX-License-Identifier: Apache-2.0
// The baseline: vectors of 16 bytes.
#include "ops/fft/fft_strip.h"

namespace hearth::fourier {

Engines engines_scalar() { return engines<16>(); }

}  // namespace hearth::fourier
