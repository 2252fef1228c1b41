// SPDX-License-Identifier: Apache-2.0
#include "array/fourier.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/array.h"
#include "base/error.h"

namespace hearth {
namespace {

using Complex = std::complex<double>;

std::vector<Complex> by_definition(const std::vector<double>& x, int64_t n, double sign, double scale) {
  std::vector<Complex> y;
  for (int64_t k = 0; k < n; ++k) {
    Complex sum = 0;
    for (int64_t j = 0; j < std::min<int64_t>(n, int64_t(x.size())); ++j)
      sum += x[size_t(j)] * std::polar(1.0, sign * 2 * M_PI * double(j * k % n) / double(n));
    y.push_back(sum * scale);
  }
  return y;
}
void expect_near(const Array& y, const std::vector<Complex>& expected) {
  const std::vector<Complex> got = y.to_vector<Complex>();
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_LT(std::abs(got[i] - expected[i]), 1e-12 * double(got.size() + 1));
}

TEST(Fourier, is_its_definition_at_odd_prime_and_other_sizes) {
  for (const int64_t n : {1, 2, 3, 7, 8, 12, 13}) {
    std::vector<double> x;
    for (int64_t i = 0; i < n; ++i) x.push_back(double(i * 5 % 7) - 3);
    expect_near(fft(array(x)), by_definition(x, n, -1, 1));
    expect_near(ifft(array(x)), by_definition(x, n, 1, 1.0 / double(n)));
    expect_near(fft(array(x), {.n = n + 2}), by_definition(x, n + 2, -1, 1));
    expect_near(fft(array(x), {.norm = "ortho"}), by_definition(x, n, -1, 1 / std::sqrt(double(n))));
    const std::vector<Complex> all = by_definition(x, n, -1, 1);
    expect_near(rfft(array(x)), {all.begin(), all.begin() + n / 2 + 1});
    expect_near(irfft(rfft(array(x)), {.n = n}), {x.begin(), x.end()});
    expect_near(hfft(ihfft(array(x)), {.n = n}), {x.begin(), x.end()});
  }
}

TEST(Fourier, over_several_axes) {
  const Array x = array({{1.0, 2.0, 5.0}, {4.0, -1.0, 0.5}});
  const std::vector<Complex> both = fft(fft(x, {.axis = 0}), {.axis = 1}).to_vector<Complex>();
  expect_near(fft2(x), both);
  expect_near(fftn(x), both);
  expect_near(fftn(x, {.axes = Dims{1, 0}}), both);
  expect_near(ifft2(fft2(x)), x.to_vector<Complex>());
  expect_near(irfftn(rfftn(x), {.s = Dims{2, 3}}), x.to_vector<Complex>());
  expect_near(irfft2(rfft2(x), {.s = Dims{2, 3}}), x.to_vector<Complex>());
  EXPECT_EQ(rfft2(x).shape(), (Dims{2, 2}));
}

TEST(Fourier, takes_integers_and_small_floats) {
  EXPECT_EQ(fft(array({1, 2, 3})).dtype(), DType::complex64);
  EXPECT_EQ(rfft(array({1.0f, 2.0f}).astype(DType::bf16)).dtype(), DType::complex64);
  EXPECT_EQ(irfft(array({1, 2, 3})).dtype(), DType::f32);
  EXPECT_THROW(rfft(array({Complex(1, 2)})), Error);
  EXPECT_THROW(fft(Array(1.0f)), Error);
}

TEST(Fourier, frequencies_and_shifts) {
  EXPECT_EQ(fftfreq(5, 0.5).to_vector<float>(), (std::vector<float>{0, 0.4f, 0.8f, -0.8f, -0.4f}));
  EXPECT_EQ(rfftfreq(4).to_vector<float>(), (std::vector<float>{0, 0.25f, 0.5f}));
  EXPECT_EQ(fftshift(array({0, 1, 2, 3, 4})).to_vector<int>(), (std::vector<int>{3, 4, 0, 1, 2}));
  EXPECT_EQ(ifftshift(array({3, 4, 0, 1, 2})).to_vector<int>(), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(fftshift(array({{1, 2}, {3, 4}}), Dims{0}).to_vector<int>(), (std::vector<int>{3, 4, 1, 2}));
}

}  // namespace
}  // namespace hearth
