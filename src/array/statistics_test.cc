// SPDX-License-Identifier: Apache-2.0
#include "array/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int>;
const float kNaN = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

template <class F>
std::string error_text(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

Array counting(const Dims& dims) {
  std::vector<float> values(size_t(num_elements(dims)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = float(i);
  return array(values, dims);
}

TEST(Statistics, sums_over_some_all_and_no_axes) {
  const Array x = counting({2, 3, 2});
  EXPECT_EQ(sum(x).item<float>(), 66);
  EXPECT_EQ(sum(x, {.axis = 1}).to_vector<float>(), (Floats{6, 9, 24, 27}));
  EXPECT_EQ(sum(x, {.axis = {0, -1}}).to_vector<float>(), (Floats{14, 22, 30}));
  EXPECT_EQ(sum(x, {.axis = {-1, 0}, .keepdims = true}).shape(), (Dims{1, 3, 1}));
  EXPECT_EQ(sum(x, {.axis = Dims{}}).to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(sum(x, {.keepdims = true}).shape(), (Dims{1, 1, 1}));
  EXPECT_EQ(sum(Array(2.5f)).item<float>(), 2.5f);
}

TEST(Statistics, dtypes_are_jaxs) {
  const Array small = array({int8_t(100), int8_t(100)}), tiny = array({uint8_t(200), uint8_t(100)});
  EXPECT_EQ(sum(small).dtype(), DType::i32);
  EXPECT_EQ(sum(small).item<int>(), 200);
  EXPECT_EQ(sum(tiny).dtype(), DType::u32);
  EXPECT_EQ(sum(array({true, true, false})).dtype(), DType::i32);
  EXPECT_EQ(sum(array({true, true, false})).item<int>(), 2);
  EXPECT_EQ(sum(array({int64_t(1)})).dtype(), DType::i64);
  EXPECT_EQ(sum(small, {.dtype = DType::f64}).dtype(), DType::f64);
  EXPECT_EQ(sum(small, {.dtype = DType::i8}).item<int>(), -56);  // wraps around
  EXPECT_EQ(mean(small).dtype(), DType::f32);
  EXPECT_EQ(mean(small.astype(DType::bf16)).dtype(), DType::bf16);
  EXPECT_EQ(prod(small).dtype(), DType::i32);
  EXPECT_EQ(cumulative_sum(small).dtype(), DType::i32);
  EXPECT_EQ(var(array({std::complex<float>(1, 1), std::complex<float>(3, -1)})).dtype(), DType::f32);
}

TEST(Statistics, of_nothing) {
  const Array none = counting({0, 3});
  EXPECT_EQ(sum(none, {.axis = 0}).to_vector<float>(), (Floats{0, 0, 0}));
  EXPECT_EQ(prod(none, {.axis = 0}).to_vector<float>(), (Floats{1, 1, 1}));
  EXPECT_TRUE(all(none).item<bool>());
  EXPECT_FALSE(any(none).item<bool>());
  EXPECT_TRUE(std::isnan(mean(none).item<float>()));
  EXPECT_EQ(max(none, {.axis = 1}).shape(), (Dims{0}));
  EXPECT_EQ(error_text([&] { max(none, {.axis = 0}); }), "max: axes [0] have no elements\n  x is f32[0,3]");
  EXPECT_EQ(error_text([&] { min(none); }), "min: axes [0,1] have no elements\n  x is f32[0,3]");
}

TEST(Statistics, nan_wins_in_max_and_min) {
  const Array x = array({{1.0f, kNaN}, {-kInf, kInf}});
  EXPECT_TRUE(std::isnan(max(x).item<float>()));
  EXPECT_EQ(max(x, {.axis = 1}).to_vector<float>()[1], kInf);
  EXPECT_EQ(min(x, {.axis = 0}).to_vector<float>()[0], -kInf);
  EXPECT_TRUE(std::isnan(min(x, {.axis = 0}).to_vector<float>()[1]));
  EXPECT_EQ(ptp(array({3, -4, 5})).item<int>(), 9);
  EXPECT_EQ(max(array({false, true})).item<bool>(), true);
}

TEST(Statistics, truth_of_minus_zero_nan_and_subnormals) {
  EXPECT_FALSE(any(array({-0.0f, 0.0f})).item<bool>());
  EXPECT_TRUE(all(array({kNaN, 1.0f})).item<bool>());
  EXPECT_TRUE(any(array({std::numeric_limits<double>::denorm_min()})).item<bool>());
  EXPECT_EQ(count_nonzero(array({{-0.0f, 2.0f}, {kNaN, 1.0f}}), {.axis = 0}).to_vector<int>(), (Ints{1, 2}));
  EXPECT_EQ(all(array({{1, 0}, {2, 3}}), {.axis = 1, .keepdims = true}).shape(), (Dims{2, 1}));
}

TEST(Statistics, sums_of_sixteen_bit_floats_keep_growing) {
  const Array ones = array(std::vector<float>(4096, 1.0f));
  EXPECT_EQ(sum(ones.astype(DType::bf16)).item<float>(), 4096);
  EXPECT_EQ(sum(ones.astype(DType::f16)).item<float>(), 4096);
  const Array large = (ones * 1000).astype(DType::f16);  // their sum is above 65504
  EXPECT_EQ(mean(large).item<float>(), 1000);
  EXPECT_EQ(stddev(large).item<float>(), 0);
}

TEST(Statistics, variance_with_a_correction) {
  const Array x = array({{1.0f, 2.0f, 4.0f}, {3.0f, 3.0f, 9.0f}});
  EXPECT_NEAR(var(x).item<float>(), 6.555555, 1e-5);
  EXPECT_NEAR(var(x, {.correction = 1}).item<float>(), 7.866666, 1e-5);
  EXPECT_NEAR(stddev(x, {.axis = 1}).to_vector<float>()[1], std::sqrt(8.0), 1e-6);
  EXPECT_NEAR(var(array({std::complex<float>(1, 1), std::complex<float>(3, -1)})).item<float>(), 2, 1e-6);
  EXPECT_TRUE(std::isnan(var(array({2.0f}), {.correction = 1}).item<float>()));
  EXPECT_EQ(var(array({1, 2, 3, 4})).item<float>(), 1.25f);
}

TEST(Statistics, averages_with_weights) {
  const Array x = counting({2, 3});
  EXPECT_FLOAT_EQ(average(x).item<float>(), 2.5f);
  EXPECT_EQ(average(x, array({1.0f, 0.0f, 3.0f}), {.axis = 1}).to_vector<float>(), (Floats{1.5f, 4.5f}));
  EXPECT_FLOAT_EQ(average(x, x).item<float>(), 55.0f / 15);
  EXPECT_EQ(error_text([&] {
              average(x, array({1.0f, 2.0f}), {.axis = 1});
            }),
            "average: weights need x's shape, or one number for each element of one axis\n  x is f32[2,3]\n"
            "  weights is f32[2]");
}

TEST(Statistics, running_sums) {
  const Array x = array({{1, 2, 3}, {4, 5, 6}});
  EXPECT_EQ(cumulative_sum(x, {.axis = 1}).to_vector<int>(), (Ints{1, 3, 6, 4, 9, 15}));
  EXPECT_EQ(cumulative_prod(x, {.axis = 0}).to_vector<int>(), (Ints{1, 2, 3, 4, 10, 18}));
  EXPECT_EQ(cumulative_sum(x, {.axis = 1, .include_initial = true}).to_vector<int>(), (Ints{0, 1, 3, 6, 0, 4, 9, 15}));
  EXPECT_EQ(cumulative_prod(array({2, 3}), {.include_initial = true}).to_vector<int>(), (Ints{1, 2, 6}));
  EXPECT_EQ(cumulative_sum(array({true, true})).to_vector<int>(), (Ints{1, 2}));
  EXPECT_EQ(error_text([&] { cumulative_sum(x); }), "cumulative_sum: needs an axis, x has 2\n  x is i32[2,3]");
}

TEST(Statistics, differences) {
  const Array x = array({{1, 4, 9}, {2, 2, 7}});
  EXPECT_EQ(diff(x).to_vector<int>(), (Ints{3, 5, 0, 5}));
  EXPECT_EQ(diff(x, {.axis = 0}).to_vector<int>(), (Ints{1, -2, -2}));
  EXPECT_EQ(diff(x, {.n = 2}).to_vector<int>(), (Ints{2, 5}));
  EXPECT_EQ(diff(x, {.n = 5}).shape(), (Dims{2, 0}));
  EXPECT_EQ(diff(array({1, 4}), {.prepend = Array(0), .append = array({10, 11})}).to_vector<int>(), (Ints{1, 3, 6, 1}));
  EXPECT_EQ(diff(array({true, false, false})).to_vector<bool>(), (std::vector<bool>{true, false}));
}

TEST(Statistics, axes_that_do_not_exist) {
  const Array x = counting({2, 3});
  EXPECT_EQ(error_text([&] { sum(x, {.axis = 2}); }), "sum: axis 2 does not exist\n  x is f32[2,3]");
  EXPECT_EQ(error_text([&] { mean(x, {.axis = {0, -2}}); }), "mean: axis -2 is named twice\n  x is f32[2,3]");
}

}  // namespace
}  // namespace hearth
