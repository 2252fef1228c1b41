// SPDX-License-Identifier: Apache-2.0
// AVX2 and FMA.
#if defined(__x86_64__)
#include "ops/fft/fft_strip.h"

namespace hearth::fourier {

Engines engines_avx2() { return engines<32>(); }

}  // namespace hearth::fourier
#endif
