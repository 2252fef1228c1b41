// SPDX-License-Identifier: Apache-2.0
// Eight numbers at a time. Bound by memory.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "base/float_convert.h"

namespace hearth {
namespace {

constexpr int64_t kStep = 8;

template <DType from>
__m256 load(const std::byte* in) {
  if constexpr (from == DType::f32) {
    return _mm256_loadu_ps(reinterpret_cast<const float*>(in));
  } else {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
    if constexpr (from == DType::f16) return _mm256_cvtph_ps(half);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
  }
}

// The upper half, rounded to nearest even; NaN stays NaN (base/dtype.h has the same for one number).
__m128i to_bf16(__m256 x) {
  const __m256i u = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(0x40));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  const __m256i bits = _mm256_blendv_epi8(rounded, quiet, nan);
  return _mm_packus_epi32(_mm256_castsi256_si128(bits), _mm256_extracti128_si256(bits, 1));
}

template <DType to>
void store(__m256 x, std::byte* out) {
  if constexpr (to == DType::f32)
    _mm256_storeu_ps(reinterpret_cast<float*>(out), x);
  else if constexpr (to == DType::bf16)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), to_bf16(x));
  else
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

// -1 in each lane whose finite number rounds to infinity.
template <DType to>
__m256i overflowing(__m256 x) {
  constexpr int kFirst = to == DType::f16 ? 0x477ff000 : 0x7f7f8000;  // 65520, and half a step above the largest bf16
  const __m256i magnitude = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7fffffff));
  return _mm256_and_si256(_mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(kFirst - 1)),
                          _mm256_cmpgt_epi32(_mm256_set1_epi32(0x7f800000), magnitude));
}

template <DType from, DType to>
int64_t convert(const std::byte* in, std::byte* out, int64_t count) {
  int64_t overflows = 0, i = 0;
  for (; i + kStep <= count; i += kStep) {
    const __m256 x = load<from>(in + i * size_bytes(from));
    store<to>(x, out + i * size_bytes(to));
    if constexpr (to != DType::f32)
      overflows += __builtin_popcount(unsigned(_mm256_movemask_ps(_mm256_castsi256_ps(overflowing<to>(x)))));
  }
  return overflows + convert_floats_scalar(from, in + i * size_bytes(from), to, out + i * size_bytes(to), count - i);
}

template <DType from>
int64_t convert_from(const std::byte* in, DType to, std::byte* out, int64_t count) {
  if (to == DType::bf16) return convert<from, DType::bf16>(in, out, count);
  if (to == DType::f16) return convert<from, DType::f16>(in, out, count);
  return convert<from, DType::f32>(in, out, count);
}

}  // namespace

int64_t convert_floats_avx2(DType from, const std::byte* in, DType to, std::byte* out, int64_t count) {
  if (from == DType::f32) return convert_from<DType::f32>(in, to, out, count);
  if (from == DType::bf16) return convert_from<DType::bf16>(in, to, out, count);
  if (from == DType::f16) return convert_from<DType::f16>(in, to, out, count);
  return convert_floats_scalar(from, in, to, out, count);  // f64 is rare
}

}  // namespace hearth
#endif
