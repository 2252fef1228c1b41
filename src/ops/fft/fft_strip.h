// SPDX-License-Identifier: Apache-2.0
#pragma once
// The strips of fft_columns.h for vectors of W numbers. Compiled once per instruction set, see fft_simd.h.
// Bound by L1 and L2: each stage reads and writes the strip once.

#include "ops/fft/fft_columns.h"
#include "ops/fft/fft_pairs.h"
#include "ops/fft/fft_simd.h"

namespace hearth::fourier {
namespace {

template <class T, int W>
struct StripRun {
  using V = Vec<T, W>;

  // [n, pitch] numbers each.
  struct Plane {
    T *re, *im;
  };

  // Where a stage finds row i of the strip, and where it puts one. The first may read what the strip reads and the last
  // write what it writes, so that a strip is not copied in between.
  struct FromPlane {
    Plane x;
    int64_t pitch;
    Cx<V> operator()(int64_t i, int64_t lane) const {
      return {load<T, W>(x.re + i * pitch + lane), load<T, W>(x.im + i * pitch + lane)};
    }
  };
  struct FromMemory {
    const Strip<T>& s;
    Cx<V> operator()(int64_t i, int64_t lane) const {
      const Cx<V> v = read<T, W>(s.in + 2 * (i * s.in_step + lane));
      return s.swap_in ? Cx<V>{v.im, v.re} : v;
    }
  };
  struct ToPlane {
    Plane y;
    int64_t pitch;
    void operator()(int64_t i, int64_t lane, Cx<V> v) const {
      store<T, W>(y.re + i * pitch + lane, v.re);
      store<T, W>(y.im + i * pitch + lane, v.im);
    }
  };
  struct ToPlaneFinished {
    const Strip<T>& s;
    ToPlane to;
    void operator()(int64_t i, int64_t lane, Cx<V> v) const { to(i, lane, finished(s, i, lane, v)); }
  };
  struct ToMemory {
    const Strip<T>& s;
    void operator()(int64_t i, int64_t lane, Cx<V> v) const {
      v = finished(s, i, lane, v);
      T* to = s.out + 2 * (i * s.out_step + lane);
      s.swap_out ? write<T, W>(to, v.im, v.re) : write<T, W>(to, v.re, v.im);
    }
  };

  // Twiddles between the halves of a long transform, and the scale.
  static Cx<V> finished(const Strip<T>& s, int64_t k, int64_t lane, Cx<V> v) {
    if (s.scale != 1) v = {v.re * s.scale, v.im * s.scale};
    if (s.twiddle) {
      const T* w = s.twiddle + 2 * k * s.twiddle_pitch + lane;
      v = times(v, load<T, W>(w), load<T, W>(w + s.twiddle_pitch));
    }
    if (s.twiddle_row) v = times(v, V{} + s.twiddle_row[2 * k], V{} + s.twiddle_row[2 * k + 1]);
    return v;
  }

  template <int R, bool kTwiddles, class From, class To>
  static void stage(const Stage<T>& g, int64_t pitch, const From& from, const To& to) {
    for (int64_t p = 0; p < g.m; ++p) {
      V wr[R], wi[R];
      if constexpr (kTwiddles) {
        for (int j = 1; j < R; ++j) {
          wr[j] = V{} + g.twiddles[2 * (p * (R - 1) + j - 1)];
          wi[j] = V{} + g.twiddles[2 * (p * (R - 1) + j - 1) + 1];
        }
      }
      for (int64_t block = 0; block < g.s; ++block) {
        for (int64_t lane = 0; lane < pitch; lane += W) {
          Cx<V> a[R];
#pragma GCC unroll 8
          for (int j = 0; j < R; ++j) a[j] = from((p + g.m * j) * g.s + block, lane);
          dft<T, R>(a);
#pragma GCC unroll 8
          for (int j = 0; j < R; ++j) {
            if constexpr (kTwiddles) {
              if (j > 0) a[j] = times(a[j], wr[j], wi[j]);
            }
            to((R * p + j) * g.s + block, lane, a[j]);
          }
        }
      }
    }
  }

  // A prime from 11 to kMaxRadix: pairs i and r - i share their products, as in dft_odd.
  static void stage_prime(const Stage<T>& g, Plane x, Plane y, int64_t pitch) {
    const int64_t row = g.s * pitch;
    const int r = g.radix;
    for (int64_t p = 0; p < g.m; ++p) {
      for (int64_t q = 0; q < row; q += W) {
        Cx<V> a0, sum, plus[kMaxRadix / 2 + 1], minus[kMaxRadix / 2 + 1];
        const auto at = [&](int j) {
          const int64_t i = (p + g.m * j) * row + q;
          return Cx<V>{load<T, W>(x.re + i), load<T, W>(x.im + i)};
        };
        a0 = sum = at(0);
        for (int i = 1; i <= r / 2; ++i) {
          const Cx<V> a = at(i), b = at(r - i);
          plus[i] = a + b;
          minus[i] = a - b;
          sum = sum + plus[i];
        }
        const auto put = [&](int j, Cx<V> v) {
          if (j > 0 && g.twiddles) {
            const T* w = g.twiddles + 2 * (p * (r - 1) + j - 1);
            v = times(v, V{} + w[0], V{} + w[1]);
          }
          const int64_t i = (r * p + j) * row + q;
          store<T, W>(y.re + i, v.re);
          store<T, W>(y.im + i, v.im);
        };
        put(0, sum);
        for (int k = 1; k <= r / 2; ++k) {
          Cx<V> even = a0, odd = {V{}, V{}};
          for (int i = 1, at_root = k; i <= r / 2; ++i, at_root = (at_root + k) % r) {
            const T c = g.roots[2 * at_root], s = -g.roots[2 * at_root + 1];
            even = {even.re + plus[i].re * c, even.im + plus[i].im * c};
            odd = {odd.re + minus[i].im * s, odd.im - minus[i].re * s};
          }
          put(k, even + odd);
          put(r - k, even - odd);
        }
      }
    }
  }

  // False for the primes that stage_prime does.
  template <bool kTwiddles, class From, class To>
  static bool run_stage(const Stage<T>& g, int64_t pitch, const From& from, const To& to) {
    switch (g.radix) {
      case 2: stage<2, kTwiddles>(g, pitch, from, to); return true;
      case 3: stage<3, kTwiddles>(g, pitch, from, to); return true;
      case 4: stage<4, kTwiddles>(g, pitch, from, to); return true;
      case 5: stage<5, kTwiddles>(g, pitch, from, to); return true;
      case 7: stage<7, kTwiddles>(g, pitch, from, to); return true;
      case 8: stage<8, kTwiddles>(g, pitch, from, to); return true;
      default: return false;
    }
  }

  // --- in: lanes beyond the last are 0 ------------------------------------------------------------------------------
  static void read_lanes(const Strip<T>& s, Plane x, int64_t pitch) {
    const int64_t whole = s.lanes / W * W;
    for (int64_t j = 0; j < s.n; ++j) {
      const T* from = s.in + 2 * j * s.in_step;
      T *re = x.re + j * pitch, *im = x.im + j * pitch;
      for (int64_t l = 0; l < whole; l += W) {
        const Cx<V> v = read<T, W>(from + 2 * l);
        store<T, W>(re + l, v.re);
        store<T, W>(im + l, v.im);
      }
      for (int64_t l = whole; l < pitch; ++l) {
        re[l] = l < s.lanes ? from[2 * l] : T(0);
        im[l] = l < s.lanes ? from[2 * l + 1] : T(0);
      }
    }
  }

  static void read_steps(const Strip<T>& s, Plane x, int64_t pitch) {
    const int64_t whole = s.n / W * W;
    for (int64_t l = 0; l < pitch; l += W) {
      const int64_t lanes = s.lanes - l < W ? s.lanes - l : W;
      const T* from = s.in + 2 * l * s.in_lane;
      for (int64_t j = 0; lanes == W && j < whole; j += W) {
        V re[W], im[W];
        for (int i = 0; i < W; ++i) {
          const Cx<V> v = read<T, W>(from + 2 * (i * s.in_lane + j));
          re[i] = v.re;
          im[i] = v.im;
        }
        transpose_block<T, W>(re);
        transpose_block<T, W>(im);
        for (int i = 0; i < W; ++i) {
          store<T, W>(x.re + (j + i) * pitch + l, re[i]);
          store<T, W>(x.im + (j + i) * pitch + l, im[i]);
        }
      }
      for (int64_t j = lanes == W ? whole : 0; j < s.n; ++j) {
        for (int64_t i = 0; i < W; ++i) {
          x.re[j * pitch + l + i] = i < lanes ? from[2 * (i * s.in_lane + j)] : T(0);
          x.im[j * pitch + l + i] = i < lanes ? from[2 * (i * s.in_lane + j) + 1] : T(0);
        }
      }
    }
  }

  // --- out ----------------------------------------------------------------------------------------------------------
  static void finish(const Strip<T>& s, Plane y, int64_t pitch) {
    const FromPlane from{y, pitch};
    const ToPlaneFinished to{s, {y, pitch}};
    for (int64_t k = 0; k < s.n; ++k) {
      for (int64_t lane = 0; lane < pitch; lane += W) to(k, lane, from(k, lane));
    }
  }

  static void write_lanes(const Strip<T>& s, Plane y, int64_t pitch) {
    const int64_t whole = s.lanes / W * W;
    for (int64_t k = 0; k < s.n; ++k) {
      T* to = s.out + 2 * k * s.out_step;
      const T *re = y.re + k * pitch, *im = y.im + k * pitch;
      for (int64_t l = 0; l < whole; l += W) write<T, W>(to + 2 * l, load<T, W>(re + l), load<T, W>(im + l));
      for (int64_t l = whole; l < s.lanes; ++l) {
        to[2 * l] = re[l];
        to[2 * l + 1] = im[l];
      }
    }
  }

  static void write_steps(const Strip<T>& s, Plane y, int64_t pitch) {
    const int64_t whole = s.n / W * W;
    for (int64_t l = 0; l < pitch; l += W) {
      const int64_t lanes = s.lanes - l < W ? s.lanes - l : W;
      T* to = s.out + 2 * l * s.out_lane;
      for (int64_t k = 0; k < whole; k += W) {
        V re[W], im[W];
        for (int i = 0; i < W; ++i) {
          re[i] = load<T, W>(y.re + (k + i) * pitch + l);
          im[i] = load<T, W>(y.im + (k + i) * pitch + l);
        }
        transpose_block<T, W>(re);
        transpose_block<T, W>(im);
        for (int64_t i = 0; i < lanes; ++i) write<T, W>(to + 2 * (i * s.out_lane + k), re[i], im[i]);
      }
      for (int64_t k = whole; k < s.n; ++k) {
        for (int64_t i = 0; i < lanes; ++i) {
          to[2 * (i * s.out_lane + k)] = y.re[k * pitch + l + i];
          to[2 * (i * s.out_lane + k) + 1] = y.im[k * pitch + l + i];
        }
      }
    }
  }

  static void run(const Strip<T>& s) {
    const int64_t pitch = (s.lanes + W - 1) / W * W, plane = s.n * pitch;
    Plane x{s.scratch, s.scratch + plane}, y{s.scratch + 2 * plane, s.scratch + 3 * plane};
    const auto advance = [&] {
      const Plane t = x;
      x = y;
      y = t;
    };
    const bool whole = s.lanes == pitch;
    const int last = s.stage_count - 1;
    int next = 0;
    if (whole && s.in_lane == 1 && last > 0 && run_stage<true>(s.stages[0], pitch, FromMemory{s}, ToPlane{x, pitch})) {
      next = 1;
    } else {
      const Plane in = s.swap_in ? Plane{x.im, x.re} : x;
      s.in_lane == 1 ? read_lanes(s, in, pitch) : read_steps(s, in, pitch);
    }
    for (; next < last; ++next, advance()) {
      if (!run_stage<true>(s.stages[next], pitch, FromPlane{x, pitch}, ToPlane{y, pitch}))
        stage_prime(s.stages[next], x, y, pitch);
    }
    if (last >= 0 && whole && s.out_lane == 1 &&
        run_stage<false>(s.stages[last], pitch, FromPlane{x, pitch}, ToMemory{s}))
      return;
    if (last < 0) {
      finish(s, x, pitch);
    } else if (run_stage<false>(s.stages[last], pitch, FromPlane{x, pitch}, ToPlaneFinished{s, {y, pitch}})) {
      advance();
    } else {
      stage_prime(s.stages[last], x, y, pitch);
      advance();
      finish(s, x, pitch);
    }
    const Plane out = s.swap_out ? Plane{x.im, x.re} : x;
    s.out_lane == 1 ? write_lanes(s, out, pitch) : write_steps(s, out, pitch);
  }
};

// Engines of vectors of `bytes` bytes.
template <int bytes>
Engines engines() {
  constexpr int singles = bytes / 4, doubles = bytes / 8;
  return {{singles, StripRun<float, singles>::run, PairRun<float, singles>::multiply, PairRun<float, singles>::unpack,
           PairRun<float, singles>::pack},
          {doubles, StripRun<double, doubles>::run, PairRun<double, doubles>::multiply,
           PairRun<double, doubles>::unpack, PairRun<double, doubles>::pack}};
}

}  // namespace
}  // namespace hearth::fourier
