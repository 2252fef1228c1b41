// SPDX-License-Identifier: Apache-2.0
// Reductions of a tile to one number per row. Included once per instruction set by row_program_impl.h, inside its
// namespace. Each row sums in 4 vectors of lanes, so the error of a sum grows with width / (4 lanes), not with width.

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

// The bits of a float or of a vector of floats; C++ has no one cast for both.
HEARTH_INLINE int32_t integer_bits(float x) { return __builtin_bit_cast(int32_t, x); }
HEARTH_INLINE VectorI integer_bits(VectorF x) { return (VectorI)x; }

// combine works on one element and on vectors alike. Max and min: NaN wins, +0 is above -0.
struct Sum {
  template <class T>
  HEARTH_INLINE T combine(T a, T b) {
    return a + b;
  }
};
struct Product {
  template <class T>
  HEARTH_INLINE T combine(T a, T b) {
    return a * b;
  }
};
struct Maximum {
  template <class T>
  HEARTH_INLINE T combine(T a, T b) {
    return (a > b) | (a != a) | ((a == b) & (integer_bits(b) < 0)) ? a : b;
  }
};
struct Minimum {
  template <class T>
  HEARTH_INLINE T combine(T a, T b) {
    return (a < b) | (a != a) | ((a == b) & (integer_bits(a) < 0)) ? a : b;
  }
};
struct MaximumI {
  template <class T>
  HEARTH_INLINE T combine(T a, T b) {
    return a > b ? a : b;
  }
};
struct MinimumI {
  template <class T>
  HEARTH_INLINE T combine(T a, T b) {
    return a < b ? a : b;
  }
};

template <class How, class T, class Vector>
T reduce_run(const T* a, int64_t n, T start) {
  T total = start;
  int64_t i = 0;
  if (n >= kLanes) {
    const auto at = [a](int64_t k) {
      Vector v;
      __builtin_memcpy(&v, a + k, sizeof v);
      return v;
    };
    Vector v0 = at(0);
    i = kLanes;
    if (n >= 4 * kLanes) {
      Vector v1 = at(kLanes), v2 = at(2 * kLanes), v3 = at(3 * kLanes);
      for (i = 4 * kLanes; i + 4 * kLanes <= n; i += 4 * kLanes) {
        v0 = How::combine(v0, at(i));
        v1 = How::combine(v1, at(i + kLanes));
        v2 = How::combine(v2, at(i + 2 * kLanes));
        v3 = How::combine(v3, at(i + 3 * kLanes));
      }
      v0 = How::combine(How::combine(v0, v1), How::combine(v2, v3));
    }
    for (; i + kLanes <= n; i += kLanes) v0 = How::combine(v0, at(i));
    T lane[kLanes];
    __builtin_memcpy(lane, &v0, sizeof v0);
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) lane[l] = How::combine(lane[l], lane[l + half]);
    }
    total = How::combine(total, lane[0]);
  }
  for (; i < n; ++i) total = How::combine(total, a[i]);
  return total;
}

template <class How, class T, class Vector>
void reduce(RowWord* dst, const RowWord* a, int64_t rows, int64_t width) {
  using Alias __attribute__((may_alias)) = T;
  for (int64_t r = 0; r < rows; ++r, a += width) {
    Alias& total = reinterpret_cast<Alias*>(dst)[r];
    total = reduce_run<How, Alias, Vector>(reinterpret_cast<const Alias*>(a), width, total);
  }
}

constexpr void add_reductions(RowTable& table) {
  table.reduce[int(RowOp::sum_f32)] = reduce<Sum, float, VectorF>;
  table.reduce[int(RowOp::prod_f32)] = reduce<Product, float, VectorF>;
  table.reduce[int(RowOp::max_row_f32)] = reduce<Maximum, float, VectorF>;
  table.reduce[int(RowOp::min_row_f32)] = reduce<Minimum, float, VectorF>;
  table.reduce[int(RowOp::sum_i32)] = reduce<Sum, uint32_t, VectorU>;
  table.reduce[int(RowOp::max_row_i32)] = reduce<MaximumI, int32_t, VectorI>;
  table.reduce[int(RowOp::min_row_i32)] = reduce<MinimumI, int32_t, VectorI>;
}
