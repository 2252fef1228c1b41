// SPDX-License-Identifier: Apache-2.0
// Included by one file per instruction set. Scans of rows in the type that they run in.
// A vector is scanned by itself in log2(lanes) steps, each of which adds the vector moved by 1, 2, 4 ... lanes; then
// the carry enters. That regroups the terms, so it is only for operations where this does no harm; products of floats
// and recurrences go element after element. Rows are interleaved: each waits for its own carry only. Source: Hillis and
// Steele 1986, doi:10.1145/7902.7903.

#include <cmath>
#include <complex>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/dtype.h"

namespace hearth {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <class S>
struct VectorOf {
  typedef S type __attribute__((vector_size(kVectorBytes)));
  static constexpr int kLanes = kVectorBytes / int(sizeof(S));
};
template <class S>
using Vector = typename VectorOf<S>::type;

// Lane j of the result is lane j - K of v (j + K when reverse), or `fill` where there is none.
template <int K, bool kReverse, class V, int... J>
inline V moved_lanes(V v, V fill, std::integer_sequence<int, J...>) {
  constexpr int kLanes = int(sizeof...(J));
  if constexpr (kReverse)
    return __builtin_shufflevector(v, fill, (J + K)...);
  else
    return __builtin_shufflevector(fill, v, (J < K ? J : kLanes + J - K)...);
}
template <int kLane, class V, int... J>
inline V all_of_lane(V v, std::integer_sequence<int, J...>) {
  return __builtin_shufflevector(v, v, (J * 0 + kLane)...);
}

template <class Op, bool kReverse, int K, class S>
inline Vector<S> scanned(Vector<S> v, Vector<S> fill) {
  constexpr int kLanes = VectorOf<S>::kLanes;
  if constexpr (K < kLanes) {
    const Vector<S> before = moved_lanes<K, kReverse>(v, fill, std::make_integer_sequence<int, kLanes>{});
    return scanned<Op, kReverse, 2 * K, S>(Op::apply(before, v), fill);
  } else {
    return v;
  }
}

// One vector of one row: `carry` holds what came before in every lane.
template <class Op, bool kReverse, class S>
inline Vector<S> step(Vector<S> v, Vector<S>& carry, Vector<S> fill) {
  constexpr int kLanes = VectorOf<S>::kLanes;
  const Vector<S> y = Op::apply(carry, scanned<Op, kReverse, 1, S>(v, fill));
  carry = all_of_lane < kReverse ? 0 : kLanes - 1 > (y, std::make_integer_sequence<int, kLanes>{});
  return y;
}

template <class Op, bool kReverse, int kRows, class S>
void scan_vectors(const S* const* x, S* const* y, int64_t n, S* carry) {
  constexpr int64_t kLanes = VectorOf<S>::kLanes;
  const Vector<S> fill = Vector<S>{} + Op::template identity<S>();
  Vector<S> running[kRows];
  for (int r = 0; r < kRows; ++r) running[r] = Vector<S>{} + carry[r];
  int64_t done = 0;
  for (; done + kLanes <= n; done += kLanes) {
    const int64_t at = kReverse ? n - done - kLanes : done;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      Vector<S> v;
      __builtin_memcpy(&v, x[r] + at, sizeof v);
      v = step<Op, kReverse, S>(v, running[r], fill);
      __builtin_memcpy(y[r] + at, &v, sizeof v);
    }
  }
  const int64_t rest = n - done, at = kReverse ? 0 : done, lane = kReverse ? kLanes - rest : 0;
  for (int r = 0; r < kRows; ++r) {
    if (rest > 0) {
      Vector<S> v = fill;
      __builtin_memcpy(reinterpret_cast<char*>(&v) + lane * int64_t(sizeof(S)), x[r] + at, size_t(rest) * sizeof(S));
      v = step<Op, kReverse, S>(v, running[r], fill);
      __builtin_memcpy(y[r] + at, reinterpret_cast<char*>(&v) + lane * int64_t(sizeof(S)), size_t(rest) * sizeof(S));
    }
    carry[r] = running[r][0];
  }
}

// x: the operands of each row; a: the factors of a recurrence.
template <class Op, bool kReverse, int kRows, class S>
void scan_in_order(const S* const* x, const S* const* a, S* const* y, int64_t n, S* carry) {
  S running[kRows];
  for (int r = 0; r < kRows; ++r) running[r] = carry[r];
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = kReverse ? n - 1 - i : i;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      running[r] = Op::next(running[r], x[r] + at, a[r] + at);
      y[r][at] = running[r];
    }
  }
  for (int r = 0; r < kRows; ++r) carry[r] = running[r];
}

}  // namespace
}  // namespace hearth
