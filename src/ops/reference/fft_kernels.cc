// SPDX-License-Identifier: Apache-2.0
// fft {fft_type, fft_length}: the sums that define it, in f64, one axis after the other.

#include <cmath>

#include "ops/fft/fft_check.h"
#include "ops/reference/elements.h"
#include "ops/reference/reference.h"

namespace hearth {
namespace {

using namespace reference;
using Complex = std::complex<double>;

struct Grid {
  Dims dims;
  std::vector<Complex> at;
};

// y[.., k, ..] = sum_j x[.., j, ..] e^(-+2 pi i j k / n)
Grid along_axis(const Grid& x, size_t axis, bool inverse) {
  const int64_t n = x.dims[axis];
  Grid y{x.dims, std::vector<Complex>(x.at.size())};
  std::vector<Complex> roots;
  for (int64_t k = 0; k < n; ++k) roots.push_back(std::polar(1.0, (inverse ? 2 : -2) * M_PI * double(k) / double(n)));
  const int64_t stride = row_major_strides(x.dims)[axis];
  for_each_index(x.dims, [&](const Dims& index, int64_t i) {
    const int64_t k = index[axis], first = i - k * stride;
    for (int64_t j = 0; j < n; ++j) y.at[size_t(i)] += x.at[size_t(first + j * stride)] * roots[size_t(j * k % n)];
    if (inverse) y.at[size_t(i)] /= double(n);
  });
  return y;
}

// All n elements along the last axis from the first n / 2 + 1: those of a real result are conjugates of each other.
Grid mirrored(const Grid& x, int64_t n) {
  Grid y{x.dims, {}};
  y.dims.back() = n;
  y.at.resize(size_t(num_elements(y.dims)));
  for_each_index(y.dims, [&](const Dims& index, int64_t i) {
    Dims from = index;
    const bool mirror = index.back() > n / 2;
    if (mirror) from.back() = n - index.back();
    const Complex v = x.at[size_t(position(from, x.dims))];
    const bool real = index.back() == 0 || 2 * index.back() == n;
    y.at[size_t(i)] = real ? v.real() : mirror ? std::conj(v) : v;
  });
  return y;
}

void run(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  const std::string& type = args.attrs.text("fft_type");
  const Dims& length = args.attrs.list("fft_length");
  const bool inverse = type == "IFFT" || type == "IRFFT";
  Grid grid{x.dims(), {}};
  for (int64_t i = 0; i < x.type->elements(); ++i)
    grid.at.push_back(is_complex(x.dtype()) ? load_complex(x, i) : load_real(x, i));
  const size_t last = grid.dims.size() - 1;
  for (size_t i = 1; i < length.size(); ++i) grid = along_axis(grid, last - i, inverse);
  if (type == "IRFFT") grid = mirrored(grid, length.back());
  grid = along_axis(grid, last, inverse);
  for_each_index(y.dims(), [&](const Dims& index, int64_t i) {
    const Complex v = grid.at[size_t(position(index, grid.dims))];
    is_complex(y.dtype()) ? store_complex(y, i, v) : store_real(y, i, v.real());
  });
}

}  // namespace

std::vector<KernelInfo> reference_fft() { return {{"fft", run, check_fft_kernel}}; }

}  // namespace hearth
