// SPDX-License-Identifier: Apache-2.0
// Included by one file per instruction set. Elements in and out of the type that a scan runs in.

#include <cstring>

#include "base/dtype.h"
#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace hearth {
namespace {

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
