// SPDX-License-Identifier: Apache-2.0
// Runs plans: rows, and lines along an axis that is not the last. Tasks are rows or strips; a single long row is shared
// between the threads strip by strip.
#include <algorithm>
#include <functional>

#include "base/threads.h"
#include "ops/fft/fft_plan.h"

namespace hearth::fourier {

constexpr int64_t kLongestStrip = 2048;  // rows of a strip over an axis; longer lines are copied together first
constexpr int64_t kLinesAtOnce = 16;

static void for_each(bool use_pool, int64_t count, const std::function<void(int64_t, int)>& body) {
  if (use_pool) return parallel_for(count, body);
  for (int64_t i = 0; i < count; ++i) body(i, 0);
}

template <class T>
static void run_strip(Strip<T> strip) {
  const int64_t width = engine<T>().width, pitch = (strip.lanes + width - 1) / width * width;
  Scratch<T> scratch(Scratch<T>::strip, 4 * strip.n * pitch);
  strip.scratch = scratch.data();
  engine<T>().run(strip);
}

template <class T>
void Plan<T>::run(const Rows<T>& rows) const {
  if (n_ == 0 || rows.count == 0) return;
  if (whole_ && rows.count >= least_whole_) return run_direct(rows);
  const bool inside = rows.count < 2 && rows.use_pool;
  for_each(rows.use_pool && !inside, rows.count, [&](int64_t r, int) {
    const T* in = rows.in + 2 * r * rows.in_stride;
    T* out = rows.out + 2 * r * rows.out_stride;
    Rows<T> one = rows;
    one.use_pool = inside;
    second_ ? run_split(in, out, one) : run_bluestein(in, out, rows.direction);
  });
}

template <class T>
void Plan<T>::run_direct(const Rows<T>& rows) const {
  for_each(rows.use_pool, (rows.count + whole_lanes_ - 1) / whole_lanes_, [&](int64_t i, int) {
    Strip<T> s = whole_->strip();
    const int64_t r = i * whole_lanes_;
    s.lanes = std::min(whole_lanes_, rows.count - r);
    s.in = rows.in + 2 * r * rows.in_stride;
    s.in_step = s.out_step = 1;
    s.in_lane = rows.in_stride;
    s.out = rows.out + 2 * r * rows.out_stride;
    s.out_lane = rows.out_stride;
    s.swap_in = s.swap_out = rows.direction.inverse;
    s.scale = T(rows.direction.scale);
    run_strip(s);
  });
}

// x[b j + i] seen as [a, b]: columns i, then the rows k of the result [b, a], which are its columns.
template <class T>
void Plan<T>::run_split(const T* in, T* out, const Rows<T>& rows) const {
  const int64_t a = first_->n, b = second_->n;
  Scratch<T> between(Scratch<T>::row, 2 * n_);  // [b, a]
  T* middle = between.data();
  for_each(rows.use_pool, (b + first_lanes_ - 1) / first_lanes_, [&](int64_t i, int) {
    Strip<T> s = first_->strip();
    const int64_t base = i * first_lanes_;
    s.lanes = std::min(first_lanes_, b - base);
    s.in = in + 2 * base;
    s.in_step = b;
    s.in_lane = 1;
    s.out = middle + 2 * base * a;
    s.out_step = 1;
    s.out_lane = a;
    s.swap_in = rows.direction.inverse;
    s.twiddle = twiddle_.data();
    s.twiddle_pitch = first_lanes_;
    if (i > 0) s.twiddle_row = twiddle_row_.data() + 2 * i * a;
    run_strip(s);
  });
  for_each(rows.use_pool, (a + second_lanes_ - 1) / second_lanes_, [&](int64_t i, int) {
    Strip<T> s = second_->strip();
    const int64_t base = i * second_lanes_;
    s.lanes = std::min(second_lanes_, a - base);
    s.in = middle + 2 * base;
    s.out = out + 2 * base;
    s.in_step = s.out_step = a;
    s.in_lane = s.out_lane = 1;
    s.swap_out = rows.direction.inverse;
    s.scale = T(rows.direction.scale);
    run_strip(s);
  });
}

template <class T>
static void exchange_parts(const T* in, T* out, int64_t n, T scale) {
  for (int64_t i = 0; i < n; ++i) {
    const T re = in[2 * i];
    out[2 * i] = in[2 * i + 1] * scale;
    out[2 * i + 1] = re * scale;
  }
}

template <class T>
void Plan<T>::run_bluestein(const T* in, T* out, Direction direction) const {
  const int64_t m = convolution_->n();
  Scratch<T> memory(Scratch<T>::convolution, 2 * m);
  T* x = memory.data();
  if (direction.inverse)
    exchange_parts(in, x, n_, T(1));
  else
    std::copy(in, in + 2 * n_, x);
  engine<T>().multiply(x, chirp_.data(), x, n_);
  std::fill(x + 2 * n_, x + 2 * m, T(0));
  convolution_->run({x, x, 1, m, m, {}});
  engine<T>().multiply(x, chirp_transform_.data(), x, m);
  convolution_->run({x, x, 1, m, m, {.inverse = true}});
  engine<T>().multiply(x, chirp_.data(), x, n_);
  const T scale = T(direction.scale);
  if (direction.inverse) return exchange_parts(x, out, n_, scale);
  for (int64_t i = 0; i < 2 * n_; ++i) out[i] = x[i] * scale;
}

// `lanes` neighbouring lines of [n, inner].
template <class T>
void Plan<T>::run_lanes(const T* in, T* out, int64_t inner, int64_t lanes, Direction direction) const {
  Scratch<T> memory(Scratch<T>::lines, 2 * n_ * lanes);
  T* rows = memory.data();
  for (int64_t j = 0; j < n_; ++j) {
    for (int64_t l = 0; l < lanes; ++l) std::copy_n(in + 2 * (j * inner + l), 2, rows + 2 * (l * n_ + j));
  }
  run({rows, rows, lanes, n_, n_, direction});
  for (int64_t j = 0; j < n_; ++j) {
    for (int64_t l = 0; l < lanes; ++l) std::copy_n(rows + 2 * (l * n_ + j), 2, out + 2 * (j * inner + l));
  }
}

template <class T>
void Plan<T>::run_axis(const T* in, T* out, int64_t outer, int64_t inner, Direction direction) const {
  if (n_ == 0) return;
  if (inner == 1) return run({in, out, outer, n_, n_, direction, true});
  // A strip needs the stages of n itself.
  static thread_local std::shared_ptr<const Columns<T>> last;
  std::shared_ptr<const Columns<T>> columns;
  if (!convolution_ && n_ <= kLongestStrip) {
    if (!last || last->n != n_) last = std::make_shared<const Columns<T>>(n_);
    columns = last;
  }
  const int64_t width = engine<T>().width;
  const int64_t fit = (32 << 10) / (n_ * 2 * int64_t(sizeof(T))) / width * width;
  const int64_t lanes = std::min(inner, columns ? std::max(width, fit) : kLinesAtOnce);
  const int64_t strips = (inner + lanes - 1) / lanes;
  parallel_for(outer * strips, [&](int64_t i, int) {
    const int64_t base = i % strips * lanes, at = 2 * (i / strips * n_ * inner + base);
    const int64_t count = std::min(lanes, inner - base);
    if (!columns) return run_lanes(in + at, out + at, inner, count, direction);
    Strip<T> s = columns->strip();
    s.lanes = count;
    s.in = in + at;
    s.out = out + at;
    s.in_step = s.out_step = inner;
    s.in_lane = s.out_lane = 1;
    s.swap_in = s.swap_out = direction.inverse;
    s.scale = T(direction.scale);
    run_strip(s);
  });
}

template class Plan<float>;
template class Plan<double>;

}  // namespace hearth::fourier
