// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fourier transforms: y[k] = sum_j x[j] e^(-2 pi i j k / n); the inverse ones have the other sign and divide by n.
// Cost: about 5 n log2 n flops for every line of n numbers, any n. The error grows with sqrt(log n).
// Source of names and meaning: StableHLO's fft; the Python Array API's fft extension and numpy.fft.

#include <optional>
#include <string>

#include "ir/graph.h"

namespace hearth {

// StableHLO's: type FFT, IFFT (complex to complex), RFFT (real to the first n / 2 + 1), IRFFT (back); over the last
// length.size() axes, 1 to 3, of these lengths. Error{shape, dtype, value} when x does not fit.
Value fft_op(const Value& x, const std::string& type, const Dims& length);

// Which side carries the factor 1/n: "backward" the inverse, "forward" the forward one, "ortho" both 1/sqrt(n).
struct FftOptions {
  std::optional<int64_t> n = {};  // x is cut to it or filled with zeros; default: as it is; irfft, hfft: 2 * (size - 1)
  int64_t axis = -1;
  std::string norm = "backward";
};
Value fft(const Value& x, const FftOptions& options = {});  // real numbers count as complex ones
Value ifft(const Value& x, const FftOptions& options = {});
Value rfft(const Value& x, const FftOptions& options = {});   // real [n] -> complex [n / 2 + 1]
Value irfft(const Value& x, const FftOptions& options = {});  // complex [n / 2 + 1] -> real [n]
Value hfft(const Value& x, const FftOptions& options = {});   // of a signal with a real spectrum: complex -> real
Value ihfft(const Value& x, const FftOptions& options = {});

struct FftnOptions {
  std::optional<Dims> s = {};     // lengths of the axes
  std::optional<Dims> axes = {};  // default: the last s.size(), else all
  std::string norm = "backward";
};
Value fftn(const Value& x, const FftnOptions& options = {});
Value ifftn(const Value& x, const FftnOptions& options = {});
Value rfftn(const Value& x, const FftnOptions& options = {});  // the last of axes is the halved one
Value irfftn(const Value& x, const FftnOptions& options = {});
Value fft2(const Value& x, const FftnOptions& options = {});  // as fftn and the others, over the last two axes
Value ifft2(const Value& x, const FftnOptions& options = {});
Value rfft2(const Value& x, const FftnOptions& options = {});
Value irfft2(const Value& x, const FftnOptions& options = {});

// Frequencies of the elements of a transform of n samples `spacing` apart.
Value fftfreq(Graph& graph, int64_t n, double spacing = 1, DType dtype = DType::f32);   // [n]
Value rfftfreq(Graph& graph, int64_t n, double spacing = 1, DType dtype = DType::f32);  // [n / 2 + 1]
Value fftshift(const Value& x, const std::optional<Dims>& axes = {});  // frequency 0 to the middle; default: all axes
Value ifftshift(const Value& x, const std::optional<Dims>& axes = {});

}  // namespace hearth
