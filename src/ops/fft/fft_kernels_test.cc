// SPDX-License-Identifier: Apache-2.0
// The kernels, called by name: the cpu's against the sums that define the transform.
#include <algorithm>
#include <cmath>

#include "array/run_graph.h"
#include "base/threads.h"
#include "ops/fft/fft.h"
#include "ops/op_test.h"
#include "ops/reference/test_kernel.h"

namespace hearth {
namespace {

// With the two kinds of real transform, complex numbers are 2 more of their real dtype.
TensorType input_type(const std::string& type, const Dims& dims, DType real) {
  const DType complex = real == DType::f32 ? DType::complex64 : DType::complex128;
  if (type == "RFFT") return {real, dims};
  Dims half = dims;
  if (type == "IRFFT") half.back() = dims.back() / 2 + 1;
  return {complex, half};
}
TensorType output_type(const std::string& type, const Dims& dims, DType real) {
  return input_type(type == "RFFT" ? "IRFFT" : type == "IRFFT" ? "RFFT" : "FFT", dims, real);
}

TestTensor random_tensor(const TensorType& type) {
  TestTensor x(type);
  const int64_t count = type.bytes() / size_bytes(real_part(type.dtype));
  for (int64_t i = 0; i < count; ++i) {
    const double v = random_unit(7, uint64_t(i)) * 2 - 1;
    real_part(type.dtype) == DType::f32 ? void(x.data<float>()[i] = float(v)) : void(x.data<double>()[i] = v);
  }
  return x;
}
std::vector<double> numbers(TestTensor& x) {
  std::vector<double> list;
  const int64_t count = x.type.bytes() / size_bytes(real_part(x.type.dtype));
  for (int64_t i = 0; i < count; ++i)
    list.push_back(real_part(x.type.dtype) == DType::f32 ? double(x.data<float>()[i]) : x.data<double>()[i]);
  return list;
}

// Error of the root mean square, in eps: grows with sqrt(log n); Bluestein's convolution triples it. Measured: 0.4
// to 2.1.
double error_in_eps(const std::string& type, const Dims& dims, size_t axes, DType real) {
  const Attrs attrs = {{"fft_type", type}, {"fft_length", Dims(dims.end() - long(axes), dims.end())}};
  const TestTensor x = random_tensor(input_type(type, dims, real));
  const TensorType out = output_type(type, dims, real);
  TestTensor got = call("fft", {x}, out, attrs), wanted = call("reference.fft", {x}, out, attrs);
  const std::vector<double> a = numbers(got), b = numbers(wanted);
  double error = 0, size = 1e-300;
  for (size_t i = 0; i < a.size(); ++i) {
    error += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(error / size) / epsilon(real);
}

void check_all_types(const Dims& dims, size_t axes) {
  const double longest = double(*std::max_element(dims.begin(), dims.end()));
  for (const char* type : {"FFT", "IFFT", "RFFT", "IRFFT"}) {
    EXPECT_LE(error_in_eps(type, dims, axes, DType::f32), 5) << type << " of " << cat(ShowDims{dims});
    // The reference itself sums n terms in f64.
    EXPECT_LE(error_in_eps(type, dims, axes, DType::f64), 5 + std::sqrt(longest) / 2)
        << type << " of " << cat(ShowDims{dims});
  }
}

TEST(FftKernel, every_small_length) {
  for (int64_t n = 1; n <= 70; ++n) check_all_types({3, n}, 1);
}

// Squares, products of all radices, a prime beyond the largest radix, both sides of the direct limit.
TEST(FftKernel, long_lengths) {
  for (const int64_t n : {96, 127, 128, 129, 130, 243, 256, 257, 343, 360, 512, 961, 1001, 1024, 1155, 2048})
    check_all_types({2, n}, 1);
}

TEST(FftKernel, batches_around_the_width_of_a_strip) {
  for (const int64_t rows : {1, 2, 7, 8, 15, 16, 17, 33}) {
    check_all_types({rows, 12}, 1);
    check_all_types({rows, 144}, 1);
    check_all_types({rows, 200}, 1);  // direct from a strip's width on
  }
}

// Both sides of the longest direct length, halves of a split that are no whole vectors.
TEST(FftKernel, batches_of_long_lengths) {
  for (const int64_t n : {1000, 2000, 2058}) check_all_types({18, n}, 1);
}

TEST(FftKernel, several_axes) {
  check_all_types({3, 4, 5}, 2);
  check_all_types({3, 4, 5}, 3);
  check_all_types({2, 3, 8, 6}, 3);
  check_all_types({37, 18}, 2);      // Bluestein along an axis that is not the last
  check_all_types({2, 2500, 2}, 2);  // longer than a strip over an axis
}

TEST(FftKernel, empty) {
  EXPECT_EQ(call("fft", {TestTensor({DType::complex64, {0, 8}})}, {DType::complex64, {0, 8}},
                 {{"fft_type", std::string("FFT")}, {"fft_length", Dims{8}}})
                .type.elements(),
            0);
  EXPECT_EQ(call("fft", {TestTensor({DType::f32, {0, 8}})}, {DType::complex64, {0, 5}},
                 {{"fft_type", std::string("RFFT")}, {"fft_length", Dims{8}}})
                .type.elements(),
            0);
  EXPECT_EQ(call("fft", {TestTensor({DType::complex64, {3, 0}})}, {DType::complex64, {3, 0}},
                 {{"fft_type", std::string("IFFT")}, {"fft_length", Dims{0}}})
                .type.elements(),
            0);
}

// A NaN spoils its own row only, though rows share a strip.
TEST(FftKernel, nan_stays_in_its_row) {
  TestTensor x = random_tensor({DType::complex64, {20, 16}});
  x.data<float>()[2 * 16 * 3 + 5] = NAN;
  TestTensor y = call("fft", {x}, x.type, {{"fft_type", std::string("FFT")}, {"fft_length", Dims{16}}});
  for (int64_t i = 0; i < 20 * 16; ++i) {
    const bool nan = std::isnan(y.data<float>()[2 * i]) || std::isnan(y.data<float>()[2 * i + 1]);
    EXPECT_EQ(nan, i / 16 == 3) << i;
  }
}

TEST(FftKernel, same_bits_for_any_number_of_threads) {
  const int threads = num_threads();
  for (const Dims& dims : {Dims{1, 4096}, Dims{9, 300}, Dims{5, 131}}) {
    const TestTensor x = random_tensor({DType::complex64, dims});
    const Attrs attrs = {{"fft_type", std::string("FFT")}, {"fft_length", Dims{dims[1]}}};
    set_num_threads(1);
    const auto one = call("fft", {x}, x.type, attrs).memory;
    set_num_threads(3);
    EXPECT_EQ(call("fft", {x}, x.type, attrs).memory, one) << cat(ShowDims{dims});
  }
  set_num_threads(threads);
}

TEST(FftKernel, instructions_from_a_file_are_checked) {
  const TensorType c = {DType::complex64, {4}};
  const auto attempt = [&](const TensorType& in, const TensorType& out, const char* type, const Dims& length) {
    return call("fft", {TestTensor(in)}, out, {{"fft_type", std::string(type)}, {"fft_length", length}});
  };
  EXPECT_THROW(attempt(c, c, "DFT", {4}), Error);
  EXPECT_THROW(attempt(c, c, "FFT", {5}), Error);
  EXPECT_THROW(attempt(c, {DType::complex64, {5}}, "FFT", {4}), Error);
  EXPECT_THROW(attempt(c, c, "RFFT", {4}), Error);
  EXPECT_THROW(attempt(c, {DType::f32, {4}}, "IRFFT", {4}), Error);
  EXPECT_THROW(attempt(c, c, "FFT", {}), Error);
  EXPECT_THROW(attempt(c, c, "FFT", {1, 4}), Error);
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Fft, errors) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {2, 8}}), c = g.input("c", {DType::complex64, {2, 8}});
  EXPECT_EQ(error_of([&] { fft_op(x, "FFT", {8}); }), "fft: FFT needs complex64 or complex128; x is x f32[2,8]");
  EXPECT_EQ(error_of([&] { fft_op(c, "RFFT", {8}); }), "fft: RFFT needs f32 or f64; x is c complex64[2,8]");
  EXPECT_EQ(error_of([&] { fft_op(c, "FFT", {7}); }),
            "fft: FFT of length 7 does not fit axis 1, which has 8\n  x is c complex64[2,8]");
  EXPECT_EQ(error_of([&] { fft_op(c, "fft", {8}); }), "fft: fft_type 'fft' is none of FFT, IFFT, RFFT, IRFFT");
  EXPECT_EQ(error_of([&] {
              fft_op(c, "FFT", {2, 2, 2, 8});
            }),
            "fft: fft_length [2,2,2,8] needs 1 to 3 lengths, one for each of the last axes\n  x is c complex64[2,8]");
  EXPECT_EQ(error_of([&] { rfft(c); }), "rfft: needs real numbers; x is c complex64[2,8]");
  EXPECT_EQ(error_of([&] { rfft(x, {.axis = 2}); }), "rfft: axis 2 does not exist\n  x is x f32[2,8]");
  EXPECT_EQ(error_of([&] { rfft(x, {.n = 0}); }), "rfft: length 0 of axis 1 is less than 1\n  x is x f32[2,8]");
  EXPECT_EQ(error_of([&] { rfft(x, {.norm = "both"}); }), "rfft: norm 'both' is none of backward, ortho, forward");
  EXPECT_EQ(error_of([&] { fftn(c, {.axes = Dims{0, -2}}); }), "fftn: axis 0 is named twice\n  x is c complex64[2,8]");
  EXPECT_EQ(error_of([&] {
              fftn(c, {.s = Dims{4}, .axes = Dims{0, 1}});
            }),
            "fftn: 1 lengths for 2 axes\n  x is c complex64[2,8]");
}

}  // namespace
}  // namespace hearth
