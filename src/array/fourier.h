// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Array API's fft extension, as numpy.fft: y[k] = sum_j x[j] e^(-2 pi i j k / n); inverses have the other sign and
// divide by n. Options FftOptions (n, axis, norm) and FftnOptions (s, axes, norm) are those of ops/fft/fft.h.
// Integers, bool and 16-bit floats become f32. Throw Error{shape, dtype, value}.

#include "array/array.h"
#include "ops/fft/fft.h"

namespace hearth {

Array fft(const Array& x, const FftOptions& options = {});
Array ifft(const Array& x, const FftOptions& options = {});
Array rfft(const Array& x, const FftOptions& options = {});  // real [n] -> complex [n / 2 + 1]; Error{dtype} if complex
Array irfft(const Array& x, const FftOptions& options = {});  // complex [n / 2 + 1] -> real [n]
Array hfft(const Array& x, const FftOptions& options = {});
Array ihfft(const Array& x, const FftOptions& options = {});
Array fftn(const Array& x, const FftnOptions& options = {});
Array ifftn(const Array& x, const FftnOptions& options = {});
Array rfftn(const Array& x, const FftnOptions& options = {});
Array irfftn(const Array& x, const FftnOptions& options = {});
// Over the last two axes unless others are named.
Array fft2(const Array& x, const FftnOptions& options = {});
Array ifft2(const Array& x, const FftnOptions& options = {});
Array rfft2(const Array& x, const FftnOptions& options = {});
Array irfft2(const Array& x, const FftnOptions& options = {});

// Frequencies of the elements of a transform of n samples d apart: [n], [n / 2 + 1].
Array fftfreq(int64_t n, double d = 1, DType dtype = DType::f32);
Array rfftfreq(int64_t n, double d = 1, DType dtype = DType::f32);
Array fftshift(const Array& x, const std::optional<Dims>& axes = {});  // frequency 0 to the middle; default: all axes
Array ifftshift(const Array& x, const std::optional<Dims>& axes = {});

}  // namespace hearth
