// SPDX-License-Identifier: Apache-2.0
// AVX-512.
#if defined(__x86_64__)
#include "ops/fft/fft_strip.h"

namespace hearth::fourier {

Engines engines_avx512() { return engines<64>(); }

}  // namespace hearth::fourier
#endif
