// SPDX-License-Identifier: Apache-2.0
// fft, rfft, fftn and the others in terms of the primitive: axes go to the end, sizes are cut or filled, norms
// multiplied.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/fft/fft.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

Value real_numbers(const Value& x, const char* op) {
  HEARTH_CHECK(!is_complex(x.dtype()), dtype, op, ": needs real numbers; x is ", x);
  return x.dtype() == DType::f64 ? x : convert(x, DType::f32);
}
Value complex_numbers(const Value& x, const char* op) {
  if (is_complex(x.dtype())) return x;
  const Value re = real_numbers(x, op);
  return complex(re, scalar_like(re, 0));
}

// One transform: which axes, of what lengths (those of the longer side).
struct Task {
  const char* op;
  const char* type;
  Dims axes, lengths;
  std::string norm;
};

Value fit(const Value& x, int64_t axis, int64_t size) {
  if (x.dim(axis) > size) return slice_axis(x, axis, 0, size);
  if (x.dim(axis) == size) return x;
  const Dims none(size_t(x.rank()), 0);
  Padding padding{none, none, none};
  padding.high[size_t(axis)] = size - x.dim(axis);
  return pad(x, constant(*x.graph, 0, x.dtype()), padding);
}

// Multiplied into the result of primitives that divide by n when they are inverse.
double norm_factor(const Task& task) {
  double n = 1;
  for (const int64_t length : task.lengths) n *= double(length);
  const bool inverse = task.type[0] == 'I';
  HEARTH_CHECK(task.norm == "backward" || task.norm == "forward" || task.norm == "ortho", value, task.op, ": norm '",
               task.norm, "' is none of backward, ortho, forward");
  if (task.norm == "backward") return 1;
  if (task.norm == "ortho") return inverse ? std::sqrt(n) : 1 / std::sqrt(n);
  return inverse ? n : 1 / n;
}

Value scaled(const Value& x, double factor) {
  if (factor == 1) return x;
  if (!is_complex(x.dtype())) return x * factor;
  return complex(real(x) * factor, imag(x) * factor);
}

// At most three axes at a time; the last group is the one of RFFT and IRFFT, first of RFFT and last of IRFFT.
Value transform_last(Value x, const std::string& type, const Dims& lengths) {
  const auto part = [&](size_t begin, size_t end) {
    return Dims(lengths.begin() + long(begin), lengths.begin() + long(end));
  };
  const size_t count = lengths.size();
  if (count <= 3) return fft_op(x, type, lengths);
  const size_t rest = count - 3;
  const auto others = [&](const Value& v) {  // the leading axes, moved behind the last three and back
    Dims order(size_t(v.rank()));
    std::iota(order.begin(), order.end(), 0);
    std::rotate(order.end() - long(count), order.end() - 3, order.end());
    Dims back(order.size());
    for (size_t i = 0; i < order.size(); ++i) back[size_t(order[i])] = int64_t(i);
    return transpose(transform_last(transpose(v, order), type[0] == 'I' ? "IFFT" : "FFT", part(0, rest)), back);
  };
  if (type == "IRFFT") return fft_op(others(x), type, part(rest, count));
  return others(fft_op(x, type, part(rest, count)));
}

Value run(Value x, const Task& task) {
  Dims order;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (std::find(task.axes.begin(), task.axes.end(), i) == task.axes.end()) order.push_back(i);
  }
  order.insert(order.end(), task.axes.begin(), task.axes.end());
  const std::string type = task.type;
  for (size_t i = 0; i < task.axes.size(); ++i) {
    const bool halved = type == "IRFFT" && i + 1 == task.axes.size();
    x = fit(x, task.axes[i], halved ? task.lengths[i] / 2 + 1 : task.lengths[i]);
  }
  Dims back(order.size());
  for (size_t i = 0; i < order.size(); ++i) back[size_t(order[i])] = int64_t(i);
  const bool in_place = std::is_sorted(order.begin(), order.end());
  Value y = transform_last(in_place ? x : transpose(x, order), type, task.lengths);
  if (!in_place) y = transpose(y, back);
  return scaled(y, norm_factor(task));
}

int64_t checked_axis(const char* op, const Value& x, int64_t axis) {
  HEARTH_CHECK(axis >= -x.rank() && axis < x.rank(), shape, op, ": axis ", axis, " does not exist\n  x is ", x);
  return axis < 0 ? axis + x.rank() : axis;
}
int64_t checked_length(const char* op, const Value& x, int64_t axis, int64_t n) {
  HEARTH_CHECK(n >= 1, value, op, ": length ", n, " of axis ", axis, " is less than 1\n  x is ", x);
  return n;
}

Value one_axis(const char* op, const char* type, const Value& x, const FftOptions& options) {
  const int64_t axis = checked_axis(op, x, options.axis);
  const bool halved = std::string(type) == "IRFFT";
  const int64_t n = options.n.value_or(halved ? 2 * (x.dim(axis) - 1) : x.dim(axis));
  return run(x, {op, type, {axis}, {checked_length(op, x, axis, n)}, options.norm});
}

Value all_axes(const char* op, const char* type, const Value& x, const FftnOptions& options) {
  Task task{op, type, {}, {}, options.norm};
  if (options.axes) {
    for (const int64_t axis : *options.axes) task.axes.push_back(checked_axis(op, x, axis));
  } else {
    const int64_t count = options.s ? int64_t(options.s->size()) : x.rank();
    HEARTH_CHECK(count <= x.rank(), shape, op, ": ", count, " lengths for ", x.rank(), " axes\n  x is ", x);
    for (int64_t i = 0; i < count; ++i) task.axes.push_back(x.rank() - count + i);
  }
  HEARTH_CHECK(!task.axes.empty(), shape, op, ": needs at least one axis\n  x is ", x);
  HEARTH_CHECK(!options.s || options.s->size() == task.axes.size(), shape, op, ": ", options.s ? options.s->size() : 0,
               " lengths for ", task.axes.size(), " axes\n  x is ", x);
  for (size_t i = 0; i < task.axes.size(); ++i) {
    const int64_t axis = task.axes[i];
    HEARTH_CHECK(std::count(task.axes.begin(), task.axes.end(), axis) == 1, shape, op, ": axis ", axis,
                 " is named twice\n  x is ", x);
    const bool halved = std::string(type) == "IRFFT" && i + 1 == task.axes.size();
    const int64_t n = options.s ? (*options.s)[i] : halved ? 2 * (x.dim(axis) - 1) : x.dim(axis);
    task.lengths.push_back(checked_length(op, x, axis, n));
  }
  return run(x, task);
}

// Elements from `start` on come first, those before it last.
Value rotated(const Value& x, int64_t axis, int64_t start) {
  if (start == 0 || start == x.dim(axis)) return x;
  return concatenate({slice_axis(x, axis, start, x.dim(axis)), slice_axis(x, axis, 0, start)}, axis);
}
Value shifted(const char* op, Value x, const std::optional<Dims>& axes, bool up) {
  Dims all(size_t(x.rank()));
  std::iota(all.begin(), all.end(), 0);
  for (const int64_t given : axes ? *axes : all) {
    const int64_t axis = checked_axis(op, x, given), n = x.dim(axis);
    x = rotated(x, axis, up ? n - n / 2 : n / 2);
  }
  return x;
}

}  // namespace

Value fft(const Value& x, const FftOptions& o) { return one_axis("fft", "FFT", complex_numbers(x, "fft"), o); }
Value ifft(const Value& x, const FftOptions& o) { return one_axis("ifft", "IFFT", complex_numbers(x, "ifft"), o); }
Value rfft(const Value& x, const FftOptions& o) { return one_axis("rfft", "RFFT", real_numbers(x, "rfft"), o); }
Value irfft(const Value& x, const FftOptions& o) { return one_axis("irfft", "IRFFT", complex_numbers(x, "irfft"), o); }

static std::string other_norm(const std::string& norm) {
  return norm == "backward" ? "forward" : norm == "forward" ? "backward" : norm;
}
Value hfft(const Value& x, const FftOptions& o) {
  return one_axis("hfft", "IRFFT", conj(complex_numbers(x, "hfft")), {o.n, o.axis, other_norm(o.norm)});
}
Value ihfft(const Value& x, const FftOptions& o) {
  return conj(one_axis("ihfft", "RFFT", real_numbers(x, "ihfft"), {o.n, o.axis, other_norm(o.norm)}));
}

// Complex to complex or real; `op` is the name in errors.
static Value complex_axes(const char* op, const char* type, const Value& x, const FftnOptions& o) {
  return all_axes(op, type, complex_numbers(x, op), o);
}
static Value real_axes(const char* op, const Value& x, const FftnOptions& o) {
  return all_axes(op, "RFFT", real_numbers(x, op), o);
}
static FftnOptions last_two(FftnOptions o) {
  if (!o.axes) o.axes = Dims{-2, -1};
  return o;
}
Value fftn(const Value& x, const FftnOptions& o) { return complex_axes("fftn", "FFT", x, o); }
Value ifftn(const Value& x, const FftnOptions& o) { return complex_axes("ifftn", "IFFT", x, o); }
Value rfftn(const Value& x, const FftnOptions& o) { return real_axes("rfftn", x, o); }
Value irfftn(const Value& x, const FftnOptions& o) { return complex_axes("irfftn", "IRFFT", x, o); }
Value fft2(const Value& x, const FftnOptions& o) { return complex_axes("fft2", "FFT", x, last_two(o)); }
Value ifft2(const Value& x, const FftnOptions& o) { return complex_axes("ifft2", "IFFT", x, last_two(o)); }
Value rfft2(const Value& x, const FftnOptions& o) { return real_axes("rfft2", x, last_two(o)); }
Value irfft2(const Value& x, const FftnOptions& o) { return complex_axes("irfft2", "IRFFT", x, last_two(o)); }

Value fftfreq(Graph& graph, int64_t n, double spacing, DType dtype) {
  HEARTH_CHECK(is_float(dtype), dtype, "fftfreq: dtype must be a float; it is ", dtype);
  HEARTH_CHECK(n >= 1, value, "fftfreq: n is ", n, "; there must be a sample");
  std::vector<double> values;
  for (int64_t k = 0; k < n; ++k) values.push_back(double(k < (n + 1) / 2 ? k : k - n) / (double(n) * spacing));
  return constant_list(graph, values, dtype, {n});
}
Value rfftfreq(Graph& graph, int64_t n, double spacing, DType dtype) {
  HEARTH_CHECK(is_float(dtype), dtype, "rfftfreq: dtype must be a float; it is ", dtype);
  HEARTH_CHECK(n >= 1, value, "rfftfreq: n is ", n, "; there must be a sample");
  std::vector<double> values;
  for (int64_t k = 0; k <= n / 2; ++k) values.push_back(double(k) / (double(n) * spacing));
  return constant_list(graph, values, dtype, {n / 2 + 1});
}
Value fftshift(const Value& x, const std::optional<Dims>& axes) { return shifted("fftshift", x, axes, true); }
Value ifftshift(const Value& x, const std::optional<Dims>& axes) { return shifted("ifftshift", x, axes, false); }

}  // namespace hearth
