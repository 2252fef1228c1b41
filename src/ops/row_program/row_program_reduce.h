// SPDX-License-Identifier: Apache-2.0
// Reductions of a tile to one number per row. Included once per instruction set by row_program_impl.h, inside its
// namespace. Each row sums in 4 vectors of lanes, so the error of a sum grows with width / (4 lanes), not with width.

// The bits of a float or of a vector of floats; C++ has no one cast for both.
HEARTH_INLINE int32_t integer_bits(float x) { return __builtin_bit_cast(int32_t, x); }
HEARTH_INLINE int64_t integer_bits(double x) { return __builtin_bit_cast(int64_t, x); }
HEARTH_INLINE VectorI integer_bits(VectorF x) { return (VectorI)x; }
HEARTH_INLINE VectorL integer_bits(VectorD x) { return (VectorL)x; }

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
  HEARTH_INLINE VectorF combine(VectorF a, VectorF b) { return maximum(a, b); }
};
struct Minimum {
  template <class T>
  HEARTH_INLINE T combine(T a, T b) {
    return (a < b) | (a != a) | ((a == b) & (integer_bits(a) < 0)) ? a : b;
  }
  HEARTH_INLINE VectorF combine(VectorF a, VectorF b) { return minimum(a, b); }
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
struct And {
  template <class T>
  HEARTH_INLINE T combine(T a, T b) {
    return a & b;
  }
};
struct Or {
  template <class T>
  HEARTH_INLINE T combine(T a, T b) {
    return a | b;
  }
};

// One number of a vector, combined with `total`: its halves, then those of their result.
template <class How, class T, class Vector>
HEARTH_INLINE T combine_lanes(Vector v, T total) {
  constexpr int64_t kLanes = sizeof(Vector) / sizeof(T);
  using Lanes = decltype(v < v);  // integers of that size
  Lanes lane{};
  for (int64_t l = 0; l < kLanes; ++l) lane[l] = int(l);
#pragma GCC unroll 4
  for (int half = kLanes / 2; half > 0; half /= 2) {
    v = How::combine(v, __builtin_shuffle(v, (lane + half) & int(kLanes - 1)));
  }
  return How::combine(total, T(v[0]));
}

// at(i): a vector of elements from i on; into(v, i): v combined with it; one(i): element i.
template <class How, class T, class Vector, class At, class Into, class One>
HEARTH_INLINE T reduce_run(const At& at, const Into& into, const One& one, int64_t n, T start) {
  constexpr int64_t kLanes = sizeof(Vector) / sizeof(T);
  T total = start;
  int64_t i = 0;
  if (n >= kLanes) {
    Vector v0 = at(0);
    i = kLanes;
    if (n >= 4 * kLanes) {
      Vector v1 = at(kLanes), v2 = at(2 * kLanes), v3 = at(3 * kLanes);
      for (i = 4 * kLanes; i + 4 * kLanes <= n; i += 4 * kLanes) {
        v0 = into(v0, i);
        v1 = into(v1, i + kLanes);
        v2 = into(v2, i + 2 * kLanes);
        v3 = into(v3, i + 3 * kLanes);
      }
      v0 = How::combine(How::combine(v0, v1), How::combine(v2, v3));
    }
    for (; i + kLanes <= n; i += kLanes) v0 = into(v0, i);
    total = combine_lanes<How, T>(v0, total);
  }
  for (; i < n; ++i) total = How::combine(total, one(i));
  return total;
}

// What row_code leaves of a tile: the four vectors v0..v3 of reduce_run.
template <class How, class T, class Vector>
void finish_reduction(void* dst, const void* vectors) {
  using Alias __attribute__((may_alias)) = T;
  const Vector* v = static_cast<const Vector*>(vectors);
  Alias& total = *static_cast<Alias*>(dst);
  total = combine_lanes<How, T>(How::combine(How::combine(v[0], v[1]), How::combine(v[2], v[3])), T(total));
}

// What row_code leaves for a maximum or minimum: see record_extreme. The fourth vector is unused. `dst` is one element
// more.
struct FoundExtremes {
  int32_t largest;
  uint32_t largest_unsigned, smallest_unsigned;
};
struct LargestOf {
  HEARTH_INLINE uint32_t bits(const FoundExtremes& v) {
    const uint32_t number = v.largest >= 0 ? uint32_t(v.largest) : v.smallest_unsigned;
    return v.largest_unsigned > 0xff800000u ? v.largest_unsigned : number;
  }
};
struct SmallestOf {
  HEARTH_INLINE uint32_t bits(const FoundExtremes& v) {
    const uint32_t number = int32_t(v.largest_unsigned) < 0 ? v.largest_unsigned : v.smallest_unsigned;
    return v.largest > 0x7f800000 ? uint32_t(v.largest) : number;
  }
};
template <class Which>
void finish_extreme(void* dst, const void* vectors) {
  U& total = *static_cast<U*>(dst);
  const VectorU* v = static_cast<const VectorU*>(vectors);
  total = Which::bits({combine_lanes<MaximumI, int32_t>((VectorI)v[0], int32_t(total)),
                       combine_lanes<MaximumI, uint32_t>(v[1], uint32_t(total)),
                       combine_lanes<MinimumI, uint32_t>(v[2], uint32_t(total))});
}

template <class How, class T, class Vector>
void reduce(void* dst, const void* memory, const void*, int64_t rows, int64_t width) {
  using Alias __attribute__((may_alias)) = T;
  const Alias* a = static_cast<const Alias*>(memory);
  for (int64_t r = 0; r < rows; ++r, a += width) {
    Alias& total = static_cast<Alias*>(dst)[r];
    const auto at = [a](int64_t i) { return vector_from<Vector>(a + i); };
    total = reduce_run<How, T, Vector>(
        at, [&](Vector v, int64_t i) { return How::combine(v, at(i)); }, [a](int64_t i) -> T { return a[i]; }, width,
        T(total));
  }
}

// Interleaved rows: element r of each line goes to dst[r]. Four lines at a time, so that dst is read and written less
// often, and sums round in pairs.
template <class How, class T>
HEARTH_INLINE void combine_lines(T* dst, const T* a, int64_t rows, int64_t lines) {
  int64_t i = 0;
  for (; i + 4 <= lines; i += 4) {
    const T *a0 = a + i * rows, *a1 = a0 + rows, *a2 = a1 + rows, *a3 = a2 + rows;
#pragma GCC ivdep
    for (int64_t r = 0; r < rows; ++r)
      dst[r] =
          How::combine(T(dst[r]), How::combine(How::combine(T(a0[r]), T(a1[r])), How::combine(T(a2[r]), T(a3[r]))));
  }
  for (; i < lines; ++i) {
    const T* line = a + i * rows;
#pragma GCC ivdep
    for (int64_t r = 0; r < rows; ++r) dst[r] = How::combine(T(dst[r]), T(line[r]));
  }
}

// Lines too short for vectors are taken several as one, whose parts are combined last.
template <class How, class T>
void reduce_lines(void* to, const void* from, const void*, int64_t rows, int64_t lines) {
  using Alias __attribute__((may_alias)) = T;
  Alias* dst = static_cast<Alias*>(to);
  const Alias* a = static_cast<const Alias*>(from);
  constexpr int64_t kShort = 32, kTogether = 128;
  const int64_t together = rows < kShort ? kTogether / rows : 1;
  if (together > 1 && lines >= 2 * together) {
    T wide[kTogether];
    const int64_t length = together * rows, times = lines / together;
    for (int64_t i = 0; i < length; ++i) wide[i] = a[i];
    combine_lines<How, Alias>(wide, a + length, length, times - 1);
    combine_lines<How, Alias>(dst, wide, rows, together);
    a += times * length;
    lines -= times * together;
  }
  combine_lines<How, Alias>(dst, a, rows, lines);
}

template <class A, class B>
void sum_of_products(void* dst, const void* pa, const void* pb, int64_t rows, int64_t width) {
  const A a{pa};
  const B b{pb};
  for (int64_t r = 0; r < rows; ++r) {
    F& total = static_cast<F*>(dst)[r];
    const int64_t first = r * width;
    total = reduce_run<Sum, float, VectorF>(
        [&](int64_t i) { return a.at(first + i) * b.at(first + i); },
        [&](VectorF v, int64_t i) { return fma(a.at(first + i), b.at(first + i), v); },
        [&](int64_t i) { return a.part(first + i, 1)[0] * b.part(first + i, 1)[0]; }, width, float(total));
  }
}

template <class How, class T, class Vector>
constexpr void add_reduction(RowTable& table, RowOp op) {
  table.reduce[int(op)] = reduce<How, T, Vector>;
  table.reduce_lines[int(op)] = reduce_lines<How, T>;
}

constexpr void add_reductions(RowTable& table) {
  table.finish[int(RowOp::sum_f32)] = finish_reduction<Sum, float, VectorF>;
  table.finish[int(RowOp::max_row_f32)] = finish_extreme<LargestOf>;
  table.finish[int(RowOp::min_row_f32)] = finish_extreme<SmallestOf>;
  add_reduction<Sum, float, VectorF>(table, RowOp::sum_f32);
  add_reduction<Product, float, VectorF>(table, RowOp::prod_f32);
  add_reduction<Maximum, float, VectorF>(table, RowOp::max_row_f32);
  add_reduction<Minimum, float, VectorF>(table, RowOp::min_row_f32);
  add_reduction<Sum, uint32_t, VectorU>(table, RowOp::sum_i32);
  add_reduction<MaximumI, int32_t, VectorI>(table, RowOp::max_row_i32);
  add_reduction<MinimumI, int32_t, VectorI>(table, RowOp::min_row_i32);
  add_reduction<Product, uint32_t, VectorU>(table, RowOp::prod_i32);
  add_reduction<MaximumI, uint32_t, VectorU>(table, RowOp::max_row_u32);
  add_reduction<MinimumI, uint32_t, VectorU>(table, RowOp::min_row_u32);
  add_reduction<And, uint32_t, VectorU>(table, RowOp::and_row_u32);
  add_reduction<Or, uint32_t, VectorU>(table, RowOp::or_row_u32);
  add_reduction<Sum, double, VectorD>(table, RowOp::sum_f64);
  add_reduction<Product, double, VectorD>(table, RowOp::prod_f64);
  add_reduction<Maximum, double, VectorD>(table, RowOp::max_row_f64);
  add_reduction<Minimum, double, VectorD>(table, RowOp::min_row_f64);
  add_reduction<Sum, uint64_t, VectorUL>(table, RowOp::sum_i64);
  add_reduction<Product, uint64_t, VectorUL>(table, RowOp::prod_i64);
  add_reduction<MaximumI, int64_t, VectorL>(table, RowOp::max_row_i64);
  add_reduction<MinimumI, int64_t, VectorL>(table, RowOp::min_row_i64);
  add_reduction<MaximumI, uint64_t, VectorUL>(table, RowOp::max_row_u64);
  add_reduction<MinimumI, uint64_t, VectorUL>(table, RowOp::min_row_u64);
  add_reduction<And, uint64_t, VectorUL>(table, RowOp::and_row_u64);
  add_reduction<Or, uint64_t, VectorUL>(table, RowOp::or_row_u64);
  table.sum_of_products[0][0] = sum_of_products<ReadWords, ReadWords>;
  table.sum_of_products[0][1] = sum_of_products<ReadWords, ReadBf16>;
  table.sum_of_products[1][0] = sum_of_products<ReadBf16, ReadWords>;
  table.sum_of_products[1][1] = sum_of_products<ReadBf16, ReadBf16>;
}
