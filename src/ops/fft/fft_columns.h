// SPDX-License-Identifier: Apache-2.0
#pragma once
// The heart of every Fourier transform of the cpu: a strip of columns, transformed together. A strip holds n rows of
// `pitch` lanes, real and imaginary parts apart, so that every step is whole vectors whatever the factors of n are.
// The lanes are neighbours along another axis, transforms of a batch, or the columns of one long transform that is cut
// as a matrix (fft_plan.h). Forward transforms only: an inverse one exchanges the parts on the way in and out.
// Source: Stockham's autosort, Van Loan 1992, Computational Frameworks for the FFT, alg. 1.7.2, mixed radix.

#include <cstdint>

namespace hearth::fourier {

constexpr int kMaxStages = 48;
constexpr int kMaxRadix = 31;  // larger primes take Bluestein's way

// y[(radix p + j) s + q] = w^(p j) sum_i x[(p + m i) s + q] e^(-2 pi i j / radix), p < m, q < s, w = e^(-2 pi i/(m
// radix))
template <class T>
struct Stage {
  int radix;
  int64_t m, s;
  const T* twiddles;  // [m, radix - 1] complex: w^(p j) for j = 1..; null when m is 1
  const T* roots;     // [radix] complex: e^(-2 pi i j / radix), for radices without code of their own
};

// What a strip reads and writes: complex numbers at in + in_step * j + in_lane * lane. One of step and lane is 1.
template <class T>
struct Strip {
  const Stage<T>* stages;
  int stage_count;
  int64_t n, lanes;
  const T* in;
  int64_t in_step, in_lane;
  T* out;
  int64_t out_step, out_lane;
  bool swap_in, swap_out;  // exchange real and imaginary part
  T scale;
  // Results are multiplied by twiddle_row[k] * twiddle[k, lane]; either may be null.
  const T* twiddle;      // [n, 2, twiddle_pitch]: real parts of a row, then imaginary ones
  const T* twiddle_row;  // [n] complex
  int64_t twiddle_pitch;
  T* scratch;  // 4 * n * round_up(lanes, width), aligned to 64 bytes
};

template <class T>
struct Engine {
  int width;  // lanes of a vector
  void (*run)(const Strip<T>&);
  void (*multiply)(const T* a, const T* b, T* y, int64_t n);  // n complex numbers; y may be a
  // z, the transform of h pairs of real numbers, to the first h + 1 elements of that of 2 h, in place; and back,
  // times 2. w[k] = e^(-pi i k / h), k <= h / 2.
  void (*unpack)(T* z, int64_t h, const T* w);
  void (*pack)(const T* x, T* z, int64_t h, const T* w);
};
struct Engines {
  Engine<float> f32;
  Engine<double> f64;
};
Engines engines_scalar();
Engines engines_avx2();
Engines engines_avx512();

}  // namespace hearth::fourier
