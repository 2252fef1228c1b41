// SPDX-License-Identifier: Apache-2.0
#pragma once
// How one length is transformed. Three ways:
//   direct     n is small, or a split would leave lanes idle and there is a batch: strips whose lanes are transforms
//   split      n = rows x columns: strips over the columns, twiddles, strips over the rows (Van Loan 1992, alg. 3.3.2:
//              the four-step framework), so that long transforms work in L1 and L2 and need no lanes of a batch
//   bluestein  n has a prime factor beyond kMaxRadix: a convolution of a length that has none (Bluestein 1970)
// Plans are made once per length and shared; safe for use from several threads.

#include <cstddef>
#include <memory>
#include <vector>

#include "base/aligned.h"
#include "ops/fft/fft_columns.h"

namespace hearth::fourier {

template <class T>
using Numbers = std::vector<T, AlignedAllocator<T>>;

// Memory for one call: the thread's own when it is small, so that many calls allocate once.
template <class T>
class Scratch {
 public:
  enum Slot { strip, row, convolution, lines, kSlots };
  Scratch(Slot slot, int64_t numbers);
  T* data() { return data_; }

 private:
  Numbers<T> large_;
  T* data_;
};

template <class T>
const Engine<T>& engine();

// Stages and twiddles of a strip of n rows.
template <class T>
struct Columns {
  int64_t n = 0;
  std::vector<Stage<T>> stages;
  std::vector<Numbers<T>> tables;

  explicit Columns(int64_t n);
  Columns(const Columns&) = delete;
  Strip<T> strip() const;  // with stages and sizes set, no scale
};

struct Direction {
  bool inverse = false;
  double scale = 1;
};

// Transforms of rows: in and out point to complex numbers, strides count them. In place where in == out.
template <class T>
struct Rows {
  const T* in;
  T* out;
  int64_t count, in_stride, out_stride;
  Direction direction;
  bool use_pool = false;  // else all on this thread
};

template <class T>
class Plan {
 public:
  explicit Plan(int64_t n);
  int64_t n() const { return n_; }
  void run(const Rows<T>& rows) const;
  int64_t rows_at_once() const;  // rows that one task should take at least

  // Transforms along the middle axis of [outer, n, inner], on the pool.
  void run_axis(const T* in, T* out, int64_t outer, int64_t inner, Direction direction) const;

 private:
  void make_split(int64_t a);
  void make_bluestein();
  void run_direct(const Rows<T>& rows) const;
  void run_split(const T* in, T* out, const Rows<T>& rows) const;
  void run_bluestein(const T* in, T* out, Direction direction) const;
  void run_lanes(const T* in, T* out, int64_t inner, int64_t lanes, Direction direction) const;

  int64_t n_;
  std::unique_ptr<Columns<T>> whole_, first_, second_;            // direct; split
  int64_t whole_lanes_ = 0, first_lanes_ = 0, second_lanes_ = 0;  // of a strip
  int64_t least_whole_ = 1;                                       // transforms from which direct pays
  Numbers<T> twiddle_, twiddle_row_;                              // split: [a, 2, first_lanes_] and [strips, a]
  std::shared_ptr<const Plan<T>> convolution_;                    // bluestein
  Numbers<T> chirp_, chirp_transform_;                            // [n], [m] complex
};

template <class T>
std::shared_ptr<const Plan<T>> plan_for(int64_t n);

// e^(-2 pi i k / n), rounded once.
struct Root {
  long double re, im;
};
Root root_of_unity(int64_t k, int64_t n);

}  // namespace hearth::fourier
