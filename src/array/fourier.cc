// SPDX-License-Identifier: Apache-2.0
#include "array/fourier.h"

#include "array/recording.h"
#include "array/statistics_axes.h"

namespace hearth {
namespace {

Array transformed(const Array& x, const FftOptions& o, Value (*f)(const Value&, const FftOptions&)) {
  return record([&](const Value& v) { return f(widened(v), o); }, x);
}
Array transformed_axes(const Array& x, const FftnOptions& o, Value (*f)(const Value&, const FftnOptions&)) {
  return record([&](const Value& v) { return f(widened(v), o); }, x);
}
Graph& graph_now() { return current_recording()->graph; }

}  // namespace

Array fft(const Array& x, const FftOptions& o) { return transformed(x, o, fft); }
Array ifft(const Array& x, const FftOptions& o) { return transformed(x, o, ifft); }
Array rfft(const Array& x, const FftOptions& o) { return transformed(x, o, rfft); }
Array irfft(const Array& x, const FftOptions& o) { return transformed(x, o, irfft); }
Array hfft(const Array& x, const FftOptions& o) { return transformed(x, o, hfft); }
Array ihfft(const Array& x, const FftOptions& o) { return transformed(x, o, ihfft); }
Array fftn(const Array& x, const FftnOptions& o) { return transformed_axes(x, o, fftn); }
Array ifftn(const Array& x, const FftnOptions& o) { return transformed_axes(x, o, ifftn); }
Array rfftn(const Array& x, const FftnOptions& o) { return transformed_axes(x, o, rfftn); }
Array irfftn(const Array& x, const FftnOptions& o) { return transformed_axes(x, o, irfftn); }
Array fft2(const Array& x, const FftnOptions& o) { return transformed_axes(x, o, fft2); }
Array ifft2(const Array& x, const FftnOptions& o) { return transformed_axes(x, o, ifft2); }
Array rfft2(const Array& x, const FftnOptions& o) { return transformed_axes(x, o, rfft2); }
Array irfft2(const Array& x, const FftnOptions& o) { return transformed_axes(x, o, irfft2); }

Array fftfreq(int64_t n, double d, DType dtype) {
  const std::lock_guard lock(array_mutex());
  return from_value(fftfreq(graph_now(), n, d, dtype));
}
Array rfftfreq(int64_t n, double d, DType dtype) {
  const std::lock_guard lock(array_mutex());
  return from_value(rfftfreq(graph_now(), n, d, dtype));
}
Array fftshift(const Array& x, const std::optional<Dims>& axes) {
  return record([&](const Value& v) { return fftshift(v, axes); }, x);
}
Array ifftshift(const Array& x, const std::optional<Dims>& axes) {
  return record([&](const Value& v) { return ifftshift(v, axes); }, x);
}

}  // namespace hearth
