// SPDX-License-Identifier: Apache-2.0
// Reductions of a tile to one number per row. Included once per instruction set by row_program_impl.h, inside its
// namespace. Each row sums in 4 vectors of lanes, so the error of a sum grows with width / (4 lanes), not with width.

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

// at(i): a vector of elements from i on; one(i): element i.
template <class How, class T, class Vector, class At, class One>
HEARTH_INLINE T reduce_run(const At& at, const One& one, int64_t n, T start) {
  T total = start;
  int64_t i = 0;
  if (n >= kLanes) {
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
  for (; i < n; ++i) total = How::combine(total, one(i));
  return total;
}

template <class How, class T, class Vector>
void reduce(RowWord* dst, const void* memory, const void*, int64_t rows, int64_t width) {
  using Alias __attribute__((may_alias)) = T;
  const Alias* a = static_cast<const Alias*>(memory);
  for (int64_t r = 0; r < rows; ++r, a += width) {
    Alias& total = reinterpret_cast<Alias*>(dst)[r];
    total = reduce_run<How, T, Vector>([a](int64_t i) { return vector_at<Vector>(a, i); },
                                       [a](int64_t i) -> T { return a[i]; }, width, T(total));
  }
}

template <class A, class B>
void sum_of_products(RowWord* dst, const void* pa, const void* pb, int64_t rows, int64_t width) {
  const A a{pa};
  const B b{pb};
  for (int64_t r = 0; r < rows; ++r) {
    F& total = reinterpret_cast<F*>(dst)[r];
    const int64_t first = r * width;
    total = reduce_run<Sum, float, VectorF>(
        [&](int64_t i) { return a.at(first + i) * b.at(first + i); },
        [&](int64_t i) { return a.part(first + i, 1)[0] * b.part(first + i, 1)[0]; }, width, float(total));
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
  table.sum_of_products[0][0] = sum_of_products<ReadWords, ReadWords>;
  table.sum_of_products[0][1] = sum_of_products<ReadWords, ReadBf16>;
  table.sum_of_products[1][0] = sum_of_products<ReadBf16, ReadWords>;
  table.sum_of_products[1][1] = sum_of_products<ReadBf16, ReadBf16>;
}
