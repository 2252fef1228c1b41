// SPDX-License-Identifier: Apache-2.0
// Included by one file per instruction set. Elements in and out of the type that a scan runs in.

#include <type_traits>

#include "base/dtype.h"
#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace hearth {
namespace {

// A float that is taken in as a signed integer of the same order, for extrema: one comparison then decides -0 before
// +0, and NaN, which is put beyond the infinity that would win. U: its bits; S: the integer's type.
template <class U, class S, U kInfinity, bool kMax>
struct OrderedFloat {
  U bits;
  static constexpr S kMagnitude = S(U(~U{}) >> 1), kNan = kMax ? kMagnitude : S(-kMagnitude - 1);
  static S turned(S x) { return S(x ^ S(S(x >> (8 * sizeof(S) - 1)) & kMagnitude)); }  // negative floats fall; twice: x
  explicit OrderedFloat(S key) : bits(U(turned(key))) {}
  explicit operator S() const {
    const S nan = S(0 - S(U(bits & U(kMagnitude)) > kInfinity));  // all bits, or none
    return S((turned(S(std::make_signed_t<U>(bits))) & ~nan) | (kNan & nan));
  }
};

template <class T, class S>
inline void widen(const T* from, S* to, int64_t n) {
  if constexpr (std::is_same_v<T, f16>) {
    int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= n; i += 8)
      _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
#endif
    for (; i < n; ++i) to[i] = float(from[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = S(from[i]);
  }
}

template <class S, class T>
inline void narrow(const S* from, T* to, int64_t n) {
  if constexpr (std::is_same_v<T, f16>) {
    int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= n; i += 8)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                       _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
#endif
    for (; i < n; ++i) to[i] = f16(from[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = T(from[i]);
  }
}

}  // namespace
}  // namespace hearth
