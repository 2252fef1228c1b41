// SPDX-License-Identifier: Apache-2.0
// Vectors of one instruction set, and how steps read and write them. Included once per instruction set by
// row_program_impl.h, inside its namespace.

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
constexpr int kLanes = kVectorBytes / 4;

using VectorF = float __attribute__((vector_size(kVectorBytes)));
using VectorI = int32_t __attribute__((vector_size(kVectorBytes)));
using VectorU = uint32_t __attribute__((vector_size(kVectorBytes)));
using VectorD = double __attribute__((vector_size(kVectorBytes)));
using VectorL = int64_t __attribute__((vector_size(kVectorBytes)));
using VectorUL = uint64_t __attribute__((vector_size(kVectorBytes)));
using HalfVector = uint16_t __attribute__((vector_size(kVectorBytes / 2)));

template <class Vector>
HEARTH_INLINE Vector vector_at(const void* memory, int64_t i) {
  Vector v;
  __builtin_memcpy(&v, static_cast<const char*>(memory) + i * int64_t(sizeof(v) / kLanes), sizeof v);
  return v;
}
template <class Vector>
HEARTH_INLINE Vector vector_from(const void* memory) {
  Vector v;
  __builtin_memcpy(&v, memory, sizeof v);
  return v;
}
// The first n < kLanes elements, the others 0.
template <class Vector>
HEARTH_INLINE Vector vector_part(const void* memory, int64_t i, int64_t n) {
  constexpr int64_t size = sizeof(Vector) / kLanes;
  Vector v{};
  __builtin_memcpy(&v, static_cast<const char*>(memory) + i * size, size_t(n * size));
  return v;
}
template <class Vector>
HEARTH_INLINE void put_vector(void* memory, int64_t i, Vector v) {
  __builtin_memcpy(static_cast<char*>(memory) + i * int64_t(sizeof(v) / kLanes), &v, sizeof v);
}
template <class Vector>
HEARTH_INLINE void put_part(void* memory, int64_t i, int64_t n, Vector v) {
  constexpr int64_t size = sizeof(Vector) / kLanes;
  __builtin_memcpy(static_cast<char*>(memory) + i * size, &v, size_t(n * size));
}

HEARTH_INLINE VectorF splat(float x) { return x - VectorF{}; }
// GCC 12 makes several instructions of __builtin_convertvector where there is one.
#if defined(__AVX512F__)
HEARTH_INLINE VectorU to_words(HalfVector x) { return (VectorU)_mm512_maskz_cvtepu16_epi32(0xffff, (__m256i)x); }
HEARTH_INLINE HalfVector to_halves(VectorU x) { return (HalfVector)_mm512_maskz_cvtepi32_epi16(0xffff, (__m512i)x); }
#elif defined(__AVX2__)
HEARTH_INLINE VectorU to_words(HalfVector x) { return (VectorU)_mm256_cvtepu16_epi32((__m128i)x); }
HEARTH_INLINE HalfVector to_halves(VectorU x) { return __builtin_convertvector(x, HalfVector); }
#else
HEARTH_INLINE VectorU to_words(HalfVector x) { return __builtin_convertvector(x, VectorU); }
HEARTH_INLINE HalfVector to_halves(VectorU x) { return __builtin_convertvector(x, HalfVector); }
#endif
HEARTH_INLINE VectorF widened(HalfVector x) { return (VectorF)(to_words(x) << 16); }
// The bits of the nearest bf16, ties to even, in the upper half; NaN stays NaN. In integers: the processor's own
// conversion would flush subnormals.
HEARTH_INLINE VectorU rounded_bits(VectorF x) {
  const VectorU u = (VectorU)x;
  return x == x ? u + (((u >> 16) & 1) + 0x7fff) : u | 0x400000;
}

// What RowRead and RowWrite name.
struct ReadWords {
  const void* memory;
  HEARTH_MEMBER VectorF at(int64_t i) const { return vector_at<VectorF>(memory, i); }
  HEARTH_MEMBER VectorF part(int64_t i, int64_t n) const { return vector_part<VectorF>(memory, i, n); }
};
struct ReadBf16 {
  const void* memory;
  HEARTH_MEMBER VectorF at(int64_t i) const { return widened(vector_at<HalfVector>(memory, i)); }
  HEARTH_MEMBER VectorF part(int64_t i, int64_t n) const { return widened(vector_part<HalfVector>(memory, i, n)); }
};
struct ReadOne {
  VectorF value;
  explicit ReadOne(const void* memory) {
    VectorU word{};
    word += *static_cast<const RowWord*>(memory);
    value = (VectorF)word;
  }
  HEARTH_MEMBER VectorF at(int64_t) const { return value; }
  HEARTH_MEMBER VectorF part(int64_t, int64_t) const { return value; }
};
struct WriteWords {
  using Stored = VectorF;
  HEARTH_INLINE Stored stored(VectorF x) { return x; }
};
struct WriteBf16 {
  using Stored = HalfVector;
  HEARTH_INLINE Stored stored(VectorF x) { return to_halves(rounded_bits(x) >> 16); }
};
struct WriteRounded {
  using Stored = VectorU;
  HEARTH_INLINE Stored stored(VectorF x) { return rounded_bits(x) & 0xffff0000u; }
};
