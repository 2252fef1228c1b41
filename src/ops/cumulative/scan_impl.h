// SPDX-License-Identifier: Apache-2.0
// Included by one file per instruction set: the operations, and blocks of rows or columns of any dtype.

#include <algorithm>

#include "base/error.h"
#include "ops/cumulative/scan_convert.h"
#include "ops/cumulative/scan_tiles.h"
#include "ops/cumulative/scan_vector.h"

namespace hearth {
namespace {

// --- operations: apply(before, x) on one value or a vector of them --------------------------------------------------

template <class S>
constexpr bool kComplex = std::is_same_v<S, std::complex<float>> || std::is_same_v<S, std::complex<double>>;

struct SumOp {
  template <class S>
  static constexpr bool kRegroups = !kComplex<S>;
  template <class S>
  static S identity() {
    if constexpr (kComplex<S>) return {-typename S::value_type(0), -typename S::value_type(0)};
    return S(-S(0));  // -0 + x is x, for zeros of either sign
  }
  template <class V>
  static V apply(V before, V x) {
    return before + x;
  }
  template <class S>
  static S next(S before, const S* x, const S*) {
    return apply(before, *x);
  }
};

template <class S>
inline S product_of(S a, S b) {
  if constexpr (kComplex<S>)  // the formula; std::complex would look for infinities in every NaN
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  else
    return a * b;
}

struct ProductOp {
  // Regrouped, 1e-30 1e-30 1e30 1e30 would end in 0 * infinity.
  template <class S>
  static constexpr bool kRegroups = std::is_integral_v<S>;
  template <class S>
  static S identity() {
    return S(1);
  }
  template <class V>
  static V apply(V before, V x) {
    return product_of(before, x);
  }
  template <class S>
  static S next(S before, const S* x, const S*) {
    return apply(before, *x);
  }
};

// Of integers: floats come as integers of the same order.
template <bool kMax>
struct ExtremumOp {
  template <class S>
  static constexpr bool kRegroups = true;
  template <class S>
  static S identity() {
    return kMax ? std::numeric_limits<S>::min() : std::numeric_limits<S>::max();
  }
  template <class V>
  static V apply(V before, V x) {
    return (kMax ? x > before : x < before) ? x : before;
  }
  template <class S>
  static S next(S before, const S* x, const S*) {
    return apply(before, *x);
  }
};

struct RecurrenceOp {
  template <class S>
  static constexpr bool kRegroups = false;
  template <class S>
  static S identity() {
    return S(0);
  }
  template <class S>
  static S next(S before, const S* x, const S* a) {
    return product_of(*a, before) + *x;
  }
};

// --- blocks ---------------------------------------------------------------------------------------------------------

constexpr int64_t kChunk = 512;  // elements of a row taken in at a time: the buffers stay in the first cache

template <class Op, bool kReverse, class S>
void scan_chunk(const S* const* x, const S* const* a, S* const* y, int64_t n, int64_t rows, S* carry) {
  if constexpr (Op::template kRegroups<S>) {
    if (rows == kScanRows) return scan_vectors<Op, kReverse, kScanRows>(x, y, n, carry);
    for (int64_t r = 0; r < rows; ++r) scan_vectors<Op, kReverse, 1>(x + r, y + r, n, carry + r);
  } else {
    if (rows == kScanRows) return scan_in_order<Op, kReverse, kScanRows>(x, a, y, n, carry);
    for (int64_t r = 0; r < rows; ++r) scan_in_order<Op, kReverse, 1>(x + r, a + r, y + r, n, carry + r);
  }
}

template <class T, class S, class Op, bool kReverse>
void scan_rows(const ScanBlock& block) {
  constexpr bool kTwo = std::is_same_v<Op, RecurrenceOp>;
  const T *x = reinterpret_cast<const T*>(block.x), *a = reinterpret_cast<const T*>(kTwo ? block.a : block.x);
  T* y = reinterpret_cast<T*>(block.y);
  alignas(64) S wide[kScanRows][kChunk], factors[kScanRows][kTwo ? kChunk : 1], out[kScanRows][kChunk];
  const S *xs[kScanRows], *as[kScanRows];
  S* ys[kScanRows];
  for (int64_t done = 0; done < block.n; done += kChunk) {
    const int64_t count = std::min(kChunk, block.n - done), first = kReverse ? block.n - done - count : done;
    for (int64_t r = 0; r < block.lanes; ++r) {
      const int64_t at = r * block.pitch + first;
      ys[r] = out[r];
      if constexpr (std::is_same_v<T, S>) {
        xs[r] = x + at;
        as[r] = a + at;
        if (y) ys[r] = y + at;
      } else {
        widen(x + at, wide[r], count);
        if constexpr (kTwo) widen(a + at, factors[r], count);
        xs[r] = wide[r];
        as[r] = kTwo ? factors[r] : wide[r];
      }
    }
    scan_chunk<Op, kReverse>(xs, as, ys, count, block.lanes, static_cast<S*>(block.carry));
    if constexpr (!std::is_same_v<T, S>) {
      for (int64_t r = 0; y && r < block.lanes; ++r) narrow(out[r], y + r * block.pitch + first, count);
    }
  }
}

template <class Op, class S>
inline void step_columns(const S* x, const S* a, S* carry, int64_t n) {
  for (int64_t c = 0; c < n; ++c) carry[c] = Op::next(carry[c], x + c, a + c);
}
template <class Op, class S>
inline void step_columns(const S* x, const S* a, S* __restrict carry, S* __restrict y, int64_t n) {
  for (int64_t c = 0; c < n; ++c) y[c] = carry[c] = Op::next(carry[c], x + c, a + c);
}

// A block of columns is a short run of every row, so the processor does not see the next one coming.
template <class T>
inline void prefetch_row(const T* x, const T* y, int64_t n) {
  for (int64_t c = 0; c < n; c += 64 / int64_t(sizeof(T))) {
    __builtin_prefetch(x + c);
    if (y) __builtin_prefetch(y + c, 1);
  }
}

template <class T, class S, class Op, bool kReverse>
void scan_columns(const ScanBlock& block) {
  constexpr bool kTwo = std::is_same_v<Op, RecurrenceOp>;
  const T *x = reinterpret_cast<const T*>(block.x), *a = reinterpret_cast<const T*>(kTwo ? block.a : block.x);
  T* y = reinterpret_cast<T*>(block.y);
  S* carry = static_cast<S*>(block.carry);
  constexpr int64_t kBuffer = std::is_same_v<T, S> ? 1 : kScanColumns;
  alignas(64) S wide[kBuffer], factors[kTwo ? kBuffer : 1];
  for (int64_t i = 0; i < block.n; ++i) {
    const int64_t at = (kReverse ? block.n - 1 - i : i) * block.pitch;
    if (i + 1 < block.n) {
      const int64_t next = kReverse ? at - block.pitch : at + block.pitch;
      prefetch_row(x + next, y ? y + next : nullptr, block.lanes);
      if (kTwo) prefetch_row<T>(a + next, nullptr, block.lanes);
    }
    if constexpr (std::is_same_v<T, S>) {
      if (y)
        step_columns<Op>(x + at, a + at, carry, y + at, block.lanes);
      else
        step_columns<Op>(x + at, a + at, carry, block.lanes);
    } else {
      widen(x + at, wide, block.lanes);
      if constexpr (kTwo) widen(a + at, factors, block.lanes);
      step_columns<Op>(wide, kTwo ? factors : wide, carry, block.lanes);
      if (y) narrow(carry, y + at, block.lanes);
    }
  }
}

// --- dispatch -------------------------------------------------------------------------------------------------------

template <class T, class S>
struct ScanTypes {
  using Element = T;
  using Sum = S;
};

// Integers wrap around, so sums and products of signed ones are those of unsigned ones.
template <class Body>
void with_numbers(DType dtype, Body body) {
  switch (dtype) {
    case DType::boolean:
    case DType::i8:
    case DType::u8: return body(ScanTypes<uint8_t, uint32_t>{});
    case DType::i16:
    case DType::u16: return body(ScanTypes<uint16_t, uint32_t>{});
    case DType::i32:
    case DType::u32: return body(ScanTypes<uint32_t, uint32_t>{});
    case DType::i64:
    case DType::u64: return body(ScanTypes<uint64_t, uint64_t>{});
    case DType::f16: return body(ScanTypes<f16, float>{});
    case DType::bf16: return body(ScanTypes<bf16, float>{});
    case DType::f32: return body(ScanTypes<float, float>{});
    case DType::f64: return body(ScanTypes<double, double>{});
    case DType::complex64: return body(ScanTypes<std::complex<float>, std::complex<float>>{});
    case DType::complex128: return body(ScanTypes<std::complex<double>, std::complex<double>>{});
  }
}

template <bool kMax, class Body>
void with_ordered(DType dtype, Body body) {
  switch (dtype) {
    case DType::i8: return body(ScanTypes<int8_t, int32_t>{});
    case DType::boolean:
    case DType::u8: return body(ScanTypes<uint8_t, uint32_t>{});
    case DType::i16: return body(ScanTypes<int16_t, int32_t>{});
    case DType::u16: return body(ScanTypes<uint16_t, uint32_t>{});
    case DType::i32: return body(ScanTypes<int32_t, int32_t>{});
    case DType::u32: return body(ScanTypes<uint32_t, uint32_t>{});
    case DType::i64: return body(ScanTypes<int64_t, int64_t>{});
    case DType::u64: return body(ScanTypes<uint64_t, uint64_t>{});
    case DType::f16: return body(ScanTypes<OrderedFloat<uint16_t, int32_t, 0x7c00, kMax>, int32_t>{});
    case DType::bf16: return body(ScanTypes<OrderedFloat<uint16_t, int32_t, 0x7f80, kMax>, int32_t>{});
    case DType::f32: return body(ScanTypes<OrderedFloat<uint32_t, int32_t, 0x7f800000, kMax>, int32_t>{});
    case DType::f64: return body(ScanTypes<OrderedFloat<uint64_t, int64_t, 0x7ff0000000000000, kMax>, int64_t>{});
    case DType::complex64:
    case DType::complex128: break;  // have no order
  }
}

template <class Body>
void with_op(const ScanTile& tile, Body body) {
  switch (tile.kind) {
    case ScanKind::sum: return with_numbers(tile.dtype, [&](auto types) { body(types, SumOp{}); });
    case ScanKind::product: return with_numbers(tile.dtype, [&](auto types) { body(types, ProductOp{}); });
    case ScanKind::recurrence: return with_numbers(tile.dtype, [&](auto types) { body(types, RecurrenceOp{}); });
    case ScanKind::max: return with_ordered<true>(tile.dtype, [&](auto types) { body(types, ExtremumOp<true>{}); });
    case ScanKind::min: return with_ordered<false>(tile.dtype, [&](auto types) { body(types, ExtremumOp<false>{}); });
  }
}

void start_scan(const ScanTile& tile, void* carry, int64_t count) {
  with_op(tile, [&](auto types, auto op) {
    using S = typename decltype(types)::Sum;
    std::fill_n(static_cast<S*>(carry), count, decltype(op)::template identity<S>());
  });
}

void join_scan(const ScanTile& tile, void* carry, const void* total, int64_t count) {
  with_op(tile, [&](auto types, auto op) {
    using S = typename decltype(types)::Sum;
    using Op = decltype(op);
    if constexpr (!std::is_same_v<Op, RecurrenceOp>)
      step_columns<Op>(static_cast<const S*>(total), static_cast<const S*>(total), static_cast<S*>(carry), count);
  });
}

void rows_of_scan(const ScanTile& tile, const ScanBlock& block) {
  with_op(tile, [&](auto types, auto op) {
    using Types = decltype(types);
    using T = typename Types::Element;
    using S = typename Types::Sum;
    tile.reverse ? scan_rows<T, S, decltype(op), true>(block) : scan_rows<T, S, decltype(op), false>(block);
  });
}

void columns_of_scan(const ScanTile& tile, const ScanBlock& block) {
  with_op(tile, [&](auto types, auto op) {
    using Types = decltype(types);
    using T = typename Types::Element;
    using S = typename Types::Sum;
    tile.reverse ? scan_columns<T, S, decltype(op), true>(block) : scan_columns<T, S, decltype(op), false>(block);
  });
}

}  // namespace
}  // namespace hearth
