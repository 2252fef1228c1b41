// SPDX-License-Identifier: Apache-2.0
// reduce_window, select_and_scatter and select_and_gather: every tap of every window in row-major order.

#include <cmath>
#include <limits>

#include "ops/reference/elements.h"
#include "ops/reference/reference.h"
#include "ops/window/window_axes.h"

namespace hearth {
namespace {

using namespace reference;

// Calls body(position in x) for the taps of a window that fall on an element.
template <class Body>
void for_each_tap(const WindowAxes& axes, const Dims& x, const Dims& window, Body body) {
  for_each_index(axes.size, [&](const Dims& tap, int64_t) {
    Dims at(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const int64_t place = window[i] * axes.strides[i] + tap[i] * axes.window_dilations[i] - axes.low[i];
      if (place < 0 || place % axes.base_dilations[i] != 0 || place / axes.base_dilations[i] >= x[i]) return;
      at[i] = place / axes.base_dilations[i];
    }
    body(position(at, x));
  });
}

// --- reduce_window(x) {kind, window attributes of ops/window/window.h}
// ------------------------------------------------

std::complex<double> combined(WindowKind kind, std::complex<double> a, std::complex<double> b) {
  if (kind == WindowKind::sum) return a + b;
  if (kind == WindowKind::product) return a * b;
  const double x = a.real(), y = b.real();  // NaN wins, and -0 is less than +0
  const bool max = kind == WindowKind::max;
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) ? x : y;
  if (x == y) return std::signbit(x) == max ? y : x;
  return (x < y) == max ? y : x;
}
std::complex<double> start_of(WindowKind kind) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  return kind == WindowKind::sum ? 0.0 : kind == WindowKind::product ? 1.0 : kind == WindowKind::max ? -inf : inf;
}

int64_t combined(WindowKind kind, DType dtype, int64_t a, int64_t b) {
  const bool less = dtype == DType::u64 ? uint64_t(a) < uint64_t(b) : a < b;
  switch (kind) {
    case WindowKind::sum: return int64_t(uint64_t(a) + uint64_t(b));
    case WindowKind::product: return int64_t(uint64_t(a) * uint64_t(b));
    case WindowKind::max: return less ? b : a;
    case WindowKind::min: return less ? a : b;
    case WindowKind::bitwise_and: return a & b;
    default: return a | b;
  }
}
int64_t start_of(WindowKind kind, DType dtype) {
  const int64_t width = 8 * size_bytes(dtype);
  const int64_t lowest = is_signed_int(dtype) ? INT64_MIN >> (64 - width) : 0;
  const int64_t highest = is_signed_int(dtype) ? INT64_MAX >> (64 - width) : int64_t(UINT64_MAX >> (64 - width));
  switch (kind) {
    case WindowKind::product: return 1;
    case WindowKind::max: return lowest;
    case WindowKind::min: return highest;
    case WindowKind::bitwise_and: return -1;
    default: return 0;
  }
}

void run_reduce_window(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  const WindowAxes axes = window_axes(args.attrs);
  WindowKind kind{};
  parse_window_kind(args.attrs.text("kind"), &kind);
  for_each_index(y.dims(), [&](const Dims& window, int64_t i) {
    if (is_inexact(y.dtype())) {
      std::complex<double> sum = start_of(kind);
      for_each_tap(axes, x.dims(), window, [&](int64_t at) { sum = combined(kind, sum, load_complex(x, at)); });
      is_complex(y.dtype()) ? store_complex(y, i, sum) : store_real(y, i, sum.real());
    } else {
      int64_t sum = start_of(kind, y.dtype());
      for_each_tap(axes, x.dims(), window,
                   [&](int64_t at) { sum = combined(kind, y.dtype(), sum, load_integer(x, at)); });
      store_integer(y, i, sum);
    }
  });
}
void expect_window(const TensorType& x, const Attrs& attrs) {
  const std::string problem = window_problem(x.dims, window_axes(attrs));
  HEARTH_CHECK(problem.empty(), format, problem);
}
void check_reduce_window(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 1, 1);
  WindowKind kind{};
  HEARTH_CHECK(parse_window_kind(attrs.text("kind"), &kind) && takes(kind, in[0].dtype), format, "kind '",
               attrs.text("kind"), "' has no meaning for ", in[0]);
  expect_window(in[0], attrs);
  expect_type("output", out[0], {in[0].dtype, window_counts(in[0].dims, window_axes(attrs))});
}

// --- select_and_scatter(x, source) {select}, select_and_gather(x, values) {select}
// ------------------------------------

bool stays(const TensorArg& x, bool largest, int64_t chosen, int64_t other) {
  if (x.dtype() == DType::u64) {
    const uint64_t a = x.as<uint64_t>()[chosen], b = x.as<uint64_t>()[other];
    return largest ? a >= b : a <= b;
  }
  if (is_int(x.dtype())) {
    const int64_t a = load_integer(x, chosen), b = load_integer(x, other);
    return largest ? a >= b : a <= b;
  }
  const double a = load_real(x, chosen), b = load_real(x, other);
  return largest ? a >= b : a <= b;
}
// The element that a window selects, or -1.
int64_t selected(const TensorArg& x, const WindowAxes& axes, bool largest, const Dims& window) {
  int64_t chosen = -1;
  for_each_tap(axes, x.dims(), window, [&](int64_t at) {
    if (chosen < 0 || !stays(x, largest, chosen, at)) chosen = at;
  });
  return chosen;
}

void run_select_and_scatter(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &source = args.in[1], &y = args.out[0];
  const WindowAxes axes = window_axes(args.attrs);
  const bool largest = selects_largest(args.attrs), floats = is_float(y.dtype());
  const size_t elements = size_t(y.type->elements());
  std::vector<double> sums(floats ? elements : 0);
  std::vector<uint64_t> integers(floats ? 0 : elements);
  for_each_index(source.dims(), [&](const Dims& window, int64_t i) {
    const int64_t at = selected(x, axes, largest, window);
    if (at < 0) return;
    if (floats)
      sums[size_t(at)] += load_real(source, i);
    else
      integers[size_t(at)] += uint64_t(load_integer(source, i));
  });
  for (size_t i = 0; i < elements; ++i) {
    if (floats)
      store_real(y, int64_t(i), sums[i]);
    else
      store_integer(y, int64_t(i), int64_t(integers[i]));
  }
}
void run_select_and_gather(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &values = args.in[1], &y = args.out[0];
  const WindowAxes axes = window_axes(args.attrs);
  const bool largest = selects_largest(args.attrs);
  for_each_index(y.dims(), [&](const Dims& window, int64_t i) {
    const int64_t at = selected(x, axes, largest, window);
    if (at >= 0)
      copy_element(y, i, values, at);
    else
      store_converted(y, i, 0);
  });
}
void check_select(const Types& in, const Types& out, const Attrs& attrs, bool scatters) {
  expect_arguments(in, out, 2, 1);
  selects_largest(attrs);
  HEARTH_CHECK(takes(WindowKind::max, in[0].dtype), format, "has no meaning for ", in[0]);
  expect_window(in[0], attrs);
  const TensorType windows{in[0].dtype, window_counts(in[0].dims, window_axes(attrs))};
  expect_type("second input", in[1], scatters ? windows : in[0]);
  expect_type("output", out[0], scatters ? in[0] : windows);
}

}  // namespace

std::vector<KernelInfo> reference_window() {
  return {
      {"reduce_window", run_reduce_window, check_reduce_window},
      {"select_and_scatter", run_select_and_scatter,
       [](const Types& in, const Types& out, const Attrs& attrs) { check_select(in, out, attrs, true); }},
      {"select_and_gather", run_select_and_gather,
       [](const Types& in, const Types& out, const Attrs& attrs) { check_select(in, out, attrs, false); }},
  };
}

}  // namespace hearth
