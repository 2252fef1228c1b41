// SPDX-License-Identifier: Apache-2.0
// Kernel "fft" {fft_type, fft_length}: one axis after the other, each from the output to itself but the first.
#include "base/error.h"
#include "device/kernel.h"
#include "ops/fft/fft_check.h"
#include "ops/fft/fft_real.h"

namespace hearth {
namespace {

using namespace fourier;

template <class T>
void along_axis(const T* in, T* out, const Dims& dims, size_t axis, bool inverse) {
  int64_t outer = 1, inner = 1;
  for (size_t i = 0; i < dims.size(); ++i) (i < axis ? outer : inner) *= i == axis ? 1 : dims[i];
  const int64_t n = dims[axis];
  if (n == 0 || outer * inner == 0) return;
  plan_for<T>(n)->run_axis(in, out, outer, inner, {inverse, inverse ? 1.0 / double(n) : 1.0});
}

template <class T>
void run_as(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  const std::string& type = args.attrs.text("fft_type");
  const size_t axes = args.attrs.list("fft_length").size(), rank = x.dims().size();
  const bool inverse = type == "IFFT" || type == "IRFFT";
  const int64_t n = args.attrs.list("fft_length").back();
  if (y.type->elements() == 0) return;
  if (type == "RFFT") {
    real_to_complex<T>({x.as<const T>(), y.as<T>(), x.type->elements() / n, n});
    for (size_t i = 1; i < axes; ++i) along_axis(y.as<const T>(), y.as<T>(), y.dims(), rank - 1 - i, false);
    return;
  }
  Numbers<T> between;
  const T* from = x.as<const T>();
  T* to = y.as<T>();
  if (type == "IRFFT" && axes > 1) {
    between.resize(size_t(2 * x.type->elements()));
    to = between.data();
  }
  for (size_t i = type == "IRFFT" ? 1 : 0; i < axes; ++i) {
    along_axis(from, to, x.dims(), rank - 1 - i, inverse);
    from = to;
  }
  if (type == "IRFFT") complex_to_real<T>({from, y.as<T>(), y.type->elements() / n, n});
}

void run(const KernelArgs& args) {
  real_part(args.in[0].dtype()) == DType::f32 ? run_as<float>(args) : run_as<double>(args);
}

}  // namespace

std::vector<KernelInfo> fft_kernels() { return {{"fft", run, check_fft_kernel}}; }

}  // namespace hearth
