// SPDX-License-Identifier: Apache-2.0
#pragma once
// What StableHLO's fft asks of its types, for the shape rule and for instructions from a file.

#include <vector>

#include "base/attrs.h"
#include "base/error.h"
#include "base/shape.h"

namespace hearth {

// The type of the result. Throws Error when type or lengths do not fit x, which is printed as `shown`.
inline TensorType fft_result(const TensorType& x, const std::string& type, const Dims& length,
                             const std::string& shown) {
  const bool forward = type == "FFT" || type == "RFFT", real_in = type == "RFFT", real_out = type == "IRFFT";
  HEARTH_CHECK(forward || type == "IFFT" || real_out, value, "fft: fft_type '", type,
               "' is none of FFT, IFFT, RFFT, IRFFT");
  const int64_t axes = int64_t(length.size());
  HEARTH_CHECK(axes >= 1 && axes <= 3 && axes <= x.rank(), shape, "fft: fft_length ", ShowDims{length},
               " needs 1 to 3 lengths, one for each of the last axes\n  x is ", shown);
  const bool fits = real_in ? x.dtype == DType::f32 || x.dtype == DType::f64 : is_complex(x.dtype);
  HEARTH_CHECK(fits, dtype, "fft: ", type, " needs ", real_in ? "f32 or f64" : "complex64 or complex128", "; x is ",
               shown);
  TensorType y = x;
  for (int64_t i = 0; i < axes; ++i) {
    const int64_t n = length[size_t(i)];
    int64_t& size = y.dims[size_t(x.rank() - axes + i)];
    const bool last = i == axes - 1, halved = last && real_out;
    HEARTH_CHECK(n >= (last && (real_in || real_out) ? 1 : 0) && size == (halved ? n / 2 + 1 : n), shape, "fft: ", type,
                 " of length ", n, " does not fit axis ", x.rank() - axes + i, ", which has ", size, "\n  x is ",
                 shown);
    if (last && real_in) size = n / 2 + 1;
    if (halved) size = n;
  }
  const bool wide = real_part(x.dtype) == DType::f64;
  if (real_in) y.dtype = wide ? DType::complex128 : DType::complex64;
  if (real_out) y.dtype = wide ? DType::f64 : DType::f32;
  return y;
}

inline void check_fft_kernel(const std::vector<TensorType>& in, const std::vector<TensorType>& out,
                             const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 1 && out.size() == 1, format, "fft: ", in.size(), " inputs and ", out.size(), " outputs");
  const TensorType wanted = fft_result(in[0], attrs.text("fft_type"), attrs.list("fft_length"), cat(in[0]));
  HEARTH_CHECK(out[0] == wanted, format, "fft: output is ", out[0], " instead of ", wanted);
}

}  // namespace hearth
