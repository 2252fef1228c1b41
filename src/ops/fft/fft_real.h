// SPDX-License-Identifier: Apache-2.0
#pragma once
// Transforms of real rows. An even length is a complex transform of half the length, whose even and odd elements are
// the parts of a complex number; an odd one is a complex transform of a row without imaginary parts.

#include "ops/fft/fft_plan.h"

namespace hearth::fourier {

template <class T>
struct RealRows {
  const T* in;
  T* out;
  int64_t count, n;
};

template <class T>
void real_to_complex(const RealRows<T>& rows);  // [count, n] -> complex [count, n / 2 + 1]
// [count, n / 2 + 1] complex -> [count, n], divided by n. Imaginary parts of the first element, and for an even n of
// the last, are taken for 0.
template <class T>
void complex_to_real(const RealRows<T>& rows);

}  // namespace hearth::fourier
