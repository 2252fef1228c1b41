// SPDX-License-Identifier: Apache-2.0
#pragma once
// Passes over rows of complex numbers as they lie in memory, for vectors of W numbers. Compiled once per instruction
// set, see fft_simd.h. Bound by memory.

#include "ops/fft/fft_simd.h"

namespace hearth::fourier {
namespace {

template <class T, int W>
struct PairRun {
  using V = Vec<T, W>;

  static void multiply(const T* a, const T* b, T* y, int64_t n) {
    int64_t i = 0;
    for (; i + W <= n; i += W) {
      const Cx<V> x = read<T, W>(a + 2 * i), w = read<T, W>(b + 2 * i), p = times(x, w.re, w.im);
      write<T, W>(y + 2 * i, p.re, p.im);
    }
    for (; i < n; ++i) {
      const Cx<T> p = times(Cx<T>{a[2 * i], a[2 * i + 1]}, b[2 * i], b[2 * i + 1]);
      y[2 * i] = p.re;
      y[2 * i + 1] = p.im;
    }
  }

  // x[k] = (z[k] + z*[h-k]) / 2 - i w^k (z[k] - z*[h-k]) / 2 into a, x[h-k] into b.
  template <class N>
  static void unpack_pair(Cx<N>& a, Cx<N>& b, Cx<N> w) {
    const T half = T(0.5);
    const Cx<N> even = {(a.re + b.re) * half, (a.im - b.im) * half}, odd = {(a.im + b.im) * half, (b.re - a.re) * half};
    const Cx<N> t = times(odd, w.re, w.im);
    a = even + t;
    b = {even.re - t.re, t.im - even.im};
  }
  // z[k] = x[k] + x*[h-k] + i w*^k (x[k] - x*[h-k]) into a, z[h-k] into b.
  template <class N>
  static void pack_pair(Cx<N>& a, Cx<N>& b, Cx<N> w) {
    const Cx<N> even = {a.re + b.re, a.im - b.im}, odd = times(Cx<N>{a.re - b.re, a.im + b.im}, w.re, -w.im);
    a = {even.re - odd.im, even.im + odd.re};
    b = {even.re + odd.im, odd.re - even.im};
  }

  // Calls pair(x[k], x[h - k], w[k]) for k = 1 .. h / 2, whose results go to y.
  template <class Vectors, class Scalars>
  static void for_pairs(const T* x, T* y, int64_t h, const T* w, const Vectors& vectors, const Scalars& scalars) {
    constexpr auto lanes = std::make_integer_sequence<int, W>();
    int64_t k = 1;
    for (; 2 * (k + W) <= h; k += W) {  // k .. k + W - 1 against h - k - W + 1 .. h - k
      const int64_t mirror = 2 * (h - k - W + 1);
      Cx<V> a = read<T, W>(x + 2 * k), b = read<T, W>(x + mirror);
      b = {backwards(b.re, lanes), backwards(b.im, lanes)};
      vectors(a, b, read<T, W>(w + 2 * k));
      write<T, W>(y + 2 * k, a.re, a.im);
      write<T, W>(y + mirror, backwards(b.re, lanes), backwards(b.im, lanes));
    }
    for (; 2 * k <= h; ++k) {
      const int64_t mirror = 2 * (h - k);
      Cx<T> a = {x[2 * k], x[2 * k + 1]}, b = {x[mirror], x[mirror + 1]};
      scalars(a, b, Cx<T>{w[2 * k], w[2 * k + 1]});
      y[2 * k] = a.re;
      y[2 * k + 1] = a.im;
      y[mirror] = b.re;
      y[mirror + 1] = b.im;
    }
  }

  static void unpack(T* z, int64_t h, const T* w) {
    const T re = z[0], im = z[1];
    z[0] = re + im;
    z[1] = 0;
    z[2 * h] = re - im;
    z[2 * h + 1] = 0;
    for_pairs(z, z, h, w, unpack_pair<V>, unpack_pair<T>);
  }

  static void pack(const T* x, T* z, int64_t h, const T* w) {
    z[0] = x[0] + x[2 * h];
    z[1] = x[0] - x[2 * h];
    for_pairs(x, z, h, w, pack_pair<V>, pack_pair<T>);
  }
};

}  // namespace
}  // namespace hearth::fourier
