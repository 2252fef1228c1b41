// SPDX-License-Identifier: Apache-2.0
#pragma once
// Vectors of W numbers for the strips of fft_columns.h, and the small transforms in registers. Compiled once per
// instruction set: everything is in an unnamed namespace, so that no copy made for one can serve another.

#include <cstdint>
#include <cstring>
#include <utility>

namespace hearth::fourier {
namespace {

template <class T, int W>
struct VectorOf {
  typedef T type __attribute__((vector_size(W * sizeof(T))));
};
template <class T, int W>
using Vec = typename VectorOf<T, W>::type;

template <class T, int W>
inline Vec<T, W> load(const T* p) {
  Vec<T, W> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T, int W>
inline void store(T* p, Vec<T, W> v) {
  std::memcpy(p, &v, sizeof v);
}

// a0 b0 a1 b1 ... of the lower halves, then of the upper halves.
template <class V, int... I>
inline V interleave_low(V a, V b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (I / 2 + (I % 2) * int(sizeof...(I)))...);
}
template <class V, int... I>
inline V interleave_high(V a, V b, std::integer_sequence<int, I...>) {
  constexpr int n = int(sizeof...(I));
  return __builtin_shufflevector(a, b, (n / 2 + I / 2 + (I % 2) * n)...);
}
// Every second number of a followed by b, from the first or the second on.
template <class V, int... I>
inline V evens(V a, V b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}
template <class V, int... I>
inline V odds(V a, V b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (2 * I + 1)...);
}

template <class V, int... I>
inline V backwards(V a, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, a, (int(sizeof...(I)) - 1 - I)...);
}

// v[i][j] becomes v[j][i]: log2 W perfect shuffles.
template <class T, int W>
inline void transpose_block(Vec<T, W>* v) {
  constexpr auto lanes = std::make_integer_sequence<int, W>();
#pragma GCC unroll 4
  for (int step = 1; step < W; step *= 2) {
    Vec<T, W> next[W];
#pragma GCC unroll 16
    for (int i = 0; i < W / 2; ++i) {
      next[2 * i] = interleave_low(v[i], v[i + W / 2], lanes);
      next[2 * i + 1] = interleave_high(v[i], v[i + W / 2], lanes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) v[i] = next[i];
  }
}

// A complex number per lane.
template <class V>
struct Cx {
  V re, im;
};
// W complex numbers as they lie in memory.
template <class T, int W>
inline Cx<Vec<T, W>> read(const T* from) {
  constexpr auto lanes = std::make_integer_sequence<int, W>();
  const Vec<T, W> a = load<T, W>(from), b = load<T, W>(from + W);
  return {evens(a, b, lanes), odds(a, b, lanes)};
}
template <class T, int W>
inline void write(T* to, Vec<T, W> re, Vec<T, W> im) {
  constexpr auto lanes = std::make_integer_sequence<int, W>();
  store<T, W>(to, interleave_low(re, im, lanes));
  store<T, W>(to + W, interleave_high(re, im, lanes));
}

template <class V>
inline Cx<V> operator+(Cx<V> a, Cx<V> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class V>
inline Cx<V> operator-(Cx<V> a, Cx<V> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class V>
inline Cx<V> times(Cx<V> a, V re, V im) {
  return {a.re * re - a.im * im, a.re * im + a.im * re};
}
template <class V>
inline Cx<V> times_minus_i(Cx<V> a) {
  return {a.im, -a.re};
}

template <class V>
inline void dft4(Cx<V>& a, Cx<V>& b, Cx<V>& c, Cx<V>& d) {
  const Cx<V> s = a + c, t = a - c, u = b + d, v = times_minus_i(b - d);
  a = s + u;
  b = t + v;
  c = s - u;
  d = t - v;
}

// cos and sin of 2 pi j / r.
template <int R>
struct Roots;
template <>
struct Roots<3> {
  static constexpr double c[] = {1, -0.5, -0.5}, s[] = {0, 0.86602540378443864676, -0.86602540378443864676};
};
template <>
struct Roots<5> {
  static constexpr double c[] = {1, 0.30901699437494742410, -0.80901699437494742410, -0.80901699437494742410,
                                 0.30901699437494742410},
                          s[] = {0, 0.95105651629515357212, 0.58778525229247312917, -0.58778525229247312917,
                                 -0.95105651629515357212};
};
template <>
struct Roots<7> {
  static constexpr double c[] = {1,
                                 0.62348980185873353053,
                                 -0.22252093395631440429,
                                 -0.90096886790241912624,
                                 -0.90096886790241912624,
                                 -0.22252093395631440429,
                                 0.62348980185873353053},
                          s[] = {0,
                                 0.78183148246802980871,
                                 0.97492791218182360702,
                                 0.43388373911755812048,
                                 -0.43388373911755812048,
                                 -0.97492791218182360702,
                                 -0.78183148246802980871};
};

// Pairs i and R - i share their products: y[k], y[R-k] = sum_i cos (a_i + a_-i)  -/+ i sum_i sin (a_i - a_-i).
template <class T, int R, class V>
inline void dft_odd(Cx<V>* a) {
  Cx<V> plus[R / 2 + 1], minus[R / 2 + 1], y[R];
  y[0] = a[0];
#pragma GCC unroll 8
  for (int i = 1; i <= R / 2; ++i) {
    plus[i] = a[i] + a[R - i];
    minus[i] = a[i] - a[R - i];
    y[0] = y[0] + plus[i];
  }
#pragma GCC unroll 8
  for (int k = 1; k <= R / 2; ++k) {
    Cx<V> even = a[0], odd = {minus[1].im * T(Roots<R>::s[k]), -minus[1].re * T(Roots<R>::s[k])};
#pragma GCC unroll 8
    for (int i = 1; i <= R / 2; ++i) {
      const T c = T(Roots<R>::c[i * k % R]), s = T(Roots<R>::s[i * k % R]);
      even = {even.re + plus[i].re * c, even.im + plus[i].im * c};
      if (i > 1) odd = {odd.re + minus[i].im * s, odd.im - minus[i].re * s};
    }
    y[k] = even + odd;
    y[R - k] = even - odd;
  }
#pragma GCC unroll 8
  for (int k = 0; k < R; ++k) a[k] = y[k];
}

// a[k] = sum_i a[i] e^(-2 pi i k / R)
template <class T, int R, class V>
inline void dft(Cx<V>* a) {
  if constexpr (R == 2) {
    const Cx<V> b = a[1];
    a[1] = a[0] - b;
    a[0] = a[0] + b;
  } else if constexpr (R == 4) {
    dft4(a[0], a[1], a[2], a[3]);
  } else if constexpr (R == 8) {
    constexpr T h = T(0.70710678118654752440);
    dft4(a[0], a[2], a[4], a[6]);
    dft4(a[1], a[3], a[5], a[7]);
    const Cx<V> b1 = {(a[3].re + a[3].im) * h, (a[3].im - a[3].re) * h}, b2 = times_minus_i(a[5]),
                b3 = {(a[7].im - a[7].re) * h, -(a[7].re + a[7].im) * h}, b0 = a[1];
    const Cx<V> e0 = a[0], e1 = a[2], e2 = a[4], e3 = a[6];
    a[0] = e0 + b0, a[4] = e0 - b0;
    a[1] = e1 + b1, a[5] = e1 - b1;
    a[2] = e2 + b2, a[6] = e2 - b2;
    a[3] = e3 + b3, a[7] = e3 - b3;
  } else {
    dft_odd<T, R>(a);
  }
}

}  // namespace
}  // namespace hearth::fourier
