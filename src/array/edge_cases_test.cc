// SPDX-License-Identifier: Apache-2.0
// Cases that broke other array libraries: numbers and their order. Each test is one of them; those that other files
// hold are named in edge_cases_elsewhere_test.cc.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "array/arrays.h"
#include "array/recording.h"
#include "base/file_test_folder.h"
#include "ops/cumulative/cumulative.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Ints = std::vector<int64_t>;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
const std::vector<DType> kFloats = {DType::f16, DType::bf16, DType::f32, DType::f64};
const std::vector<DType> kSigned = {DType::i8, DType::i16, DType::i32, DType::i64};
const std::vector<DType> kUnsigned = {DType::u8, DType::u16, DType::u32, DType::u64};

// Equal with NaN equal to NaN.
void expect_same(const Array& x, const Doubles& want) {
  const Doubles got = x.to_vector<double>();
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_TRUE(got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i])))
        << i << ": " << got[i] << ", wanted " << want[i];
}

Array lowest(DType t) { return array({iinfo(t).min}).astype(t); }

TEST(EdgeCases, division_of_negative_numbers_rounds_down) {
  for (const DType t : kFloats) {
    const Array a = array({-7.0, 7.0, -7.0, 7.0}).astype(t), b = array({2.0, -2.0, -2.0, 2.0}).astype(t);
    expect_same(floor_divide(a, b), {-4, -4, 3, 3});
    expect_same(a % b, {1, -1, -1, 1});
    expect_same(divmod(a, b)[1], {1, -1, -1, 1});
    expect_same(fmod(a, b), {-1, 1, -1, 1});
  }
  for (const DType t : kSigned) {
    const Array a = array({-7, 7, -7, 7}).astype(t), b = array({2, -2, -2, 2}).astype(t);
    expect_same(floor_divide(a, b), {-4, -4, 3, 3});
    expect_same(a % b, {1, -1, -1, 1});
    expect_same(fmod(a, b), {-1, 1, -1, 1});
  }
}

TEST(EdgeCases, lowest_integer_by_minus_one_wraps_around) {
  for (const DType t : kSigned) {
    const Array low = lowest(t), minus = array({-1}).astype(t);
    EXPECT_EQ(floor_divide(low, minus).item<int64_t>(), iinfo(t).min) << t;
    EXPECT_EQ((low % minus).item<int64_t>(), 0) << t;
    EXPECT_EQ(fmod(low, minus).item<int64_t>(), 0) << t;
    EXPECT_EQ((-low).item<int64_t>(), iinfo(t).min) << t;
    EXPECT_EQ(abs(low).item<int64_t>(), iinfo(t).min) << t;
  }
}

TEST(EdgeCases, division_by_zero_in_every_dtype) {
  for (const DType t : kFloats) {
    const Array a = array({1.0, -1.0, 0.0}).astype(t), zero = array({0.0}).astype(t);
    expect_same(a / zero, {kInf, -kInf, kNan});
    expect_same(a % zero, {kNan, kNan, kNan});
  }
  for (const std::vector<DType>* kinds : {&kSigned, &kUnsigned}) {
    for (const DType t : *kinds) {
      const Array a = array({5, 0}).astype(t), zero = array({0}).astype(t);
      expect_same(floor_divide(a, zero), {0, 0});
      expect_same(a % zero, {0, 0});
      expect_same(a / zero, {kInf, kNan});
    }
  }
}

TEST(EdgeCases, integer_power_with_a_negative_exponent) {
  for (const DType t : kSigned) {
    const Array base = array({0, 1, -1, -1, 2, -3}).astype(t), exponent = array({-1, -5, -2, -3, -1, -2}).astype(t);
    expect_same(pow(base, exponent), {0, 1, 1, -1, 0, 0});
  }
  EXPECT_EQ(pow(array({2.0f}), -2).item<float>(), 0.25f);
}

TEST(EdgeCases, shifts_by_the_width_and_more) {
  for (const std::vector<DType>* kinds : {&kSigned, &kUnsigned}) {
    for (const DType t : *kinds) {
      const int64_t width = 8 * size_bytes(t);
      const Array by = array({width, width + 1, int64_t{100}}).astype(t), x = array({1, 1, 1}).astype(t);
      expect_same(x << by, {0, 0, 0});
      expect_same(x >> by, {0, 0, 0});
      if (is_signed_int(t)) expect_same(-x >> by, {-1, -1, -1});
    }
  }
}

TEST(EdgeCases, magnitude_and_sign_of_unsigned_numbers) {
  for (const DType t : kUnsigned) {
    const Array most = array({iinfo(t).max}).astype(t);
    EXPECT_EQ(abs(most).item<uint64_t>(), iinfo(t).max);
    EXPECT_EQ(sign(most).item<uint64_t>(), 1u);
    EXPECT_EQ((-array({1}).astype(t)).item<uint64_t>(), iinfo(t).max);
  }
}

TEST(EdgeCases, nan_in_extremes_medians_and_running_extremes) {
  for (const DType t : kFloats) {
    const Array x = array({3.0f, kNan, 1.0f, 5.0f}).astype(t);
    for (const Array& y : {max(x), min(x), median(x), quantile(x, 0.5), maximum(x, 9)(1), minimum(x, 9)(1)})
      EXPECT_TRUE(std::isnan(y.item<float>())) << t;
    const auto running = [&](auto f) { return record([f](const Value& v) { return f(v, 0, RunningOptions{}); }, x); };
    expect_same(running(cummax), {3, kNan, kNan, kNan});
    expect_same(running(cummin), {3, kNan, kNan, kNan});
    EXPECT_EQ(argmax(x).item<int>(), 1);
    EXPECT_EQ(argmin(x).item<int>(), 1);
    expect_same(sort(x), {1, 3, 5, kNan});
    expect_same(sort(x, 0, {.descending = true}), {kNan, 5, 3, 1});
    EXPECT_EQ(fmax(x, 2)(1).item<float>(), 2);
  }
}

TEST(EdgeCases, truth_of_minus_zero_and_of_subnormals) {
  for (const DType t : kFloats) {
    const Array zero = array({-0.0}).astype(t), tiny = array({finfo(t).smallest_subnormal}).astype(t);
    EXPECT_FALSE(any(zero).item<bool>()) << t;
    EXPECT_FALSE(all(zero).item<bool>()) << t;
    EXPECT_TRUE(any(tiny).item<bool>()) << t;
    EXPECT_TRUE(tiny.astype(DType::boolean).item<bool>()) << t;
    EXPECT_EQ(count_nonzero(tiny).item<int>(), 1) << t;
    EXPECT_EQ(nonzero(tiny)[0].size(), 1) << t;
    EXPECT_TRUE(signbit(zero).item<bool>()) << t;
  }
}

TEST(EdgeCases, nan_to_num_of_sixteen_bits) {
  for (const DType t : {DType::f16, DType::bf16}) {
    const Array y = nan_to_num(array({kNan, kInf, -kInf, 1.0f}).astype(t));
    EXPECT_EQ(y.dtype(), t);
    expect_same(y, {0, finfo(t).max, finfo(t).min, 1});
  }
}

TEST(EdgeCases, reductions_of_nothing) {
  const Array none = zeros({2, 0});
  EXPECT_TEXT(message_of([&] { return max(none, {.axis = 1}); }), "max: axes [1] have no elements");
  EXPECT_TEXT(message_of([&] { return min(none); }), "have no elements");
  expect_same(sum(none, {.axis = 1}), {0, 0});
  expect_same(prod(none, {.axis = 1}), {1, 1});
  expect_same(mean(none, {.axis = 1}), {kNan, kNan});
  EXPECT_EQ(max(none, {.axis = 0}).shape(), Dims{0});
  EXPECT_TRUE(all(none).item<bool>());
  EXPECT_FALSE(any(none).item<bool>());
}

TEST(EdgeCases, reductions_over_several_axes_and_over_none) {
  const Array x = arange(24).reshape({2, 3, 4});
  expect_same(sum(x, {.axis = {0, -1}}), {60, 92, 124});
  expect_same(max(x, {.axis = {2, 0}}), {15, 19, 23});
  EXPECT_TRUE(array_equal(sum(x, {.axis = Dims{}}), x).item<bool>());
  EXPECT_EQ(sum(x, {.axis = {0, 2}, .keepdims = true}).shape(), (Dims{1, 3, 1}));
}

// Views with negative strides, with stride 0 and with axes in another order, of every dtype that sorts.
TEST(EdgeCases, order_rows_and_scans_of_views) {
  for (const DType t : {DType::i8, DType::u64, DType::bf16, DType::f32, DType::f64}) {
    const Array x = array({{3, 1, 2}, {9, 7, 8}}).astype(t);
    expect_same(sort(flip(x)), {7, 8, 9, 1, 2, 3});
    expect_same(sort(transpose(x), 0), {1, 7, 2, 8, 3, 9});
    expect_same(argsort(flip(x, {1})), {1, 0, 2, 1, 0, 2});
    expect_same(sort(broadcast_to(array({5}).astype(t), {2, 2})), {5, 5, 5, 5});
    expect_same(sum(flip(x), {.axis = 1}), {24, 6});
    expect_same(max(transpose(x), {.axis = 1}), {9, 7, 8});
    expect_same(sum(broadcast_to(x(0, 0), {4, 3}), {.axis = 0}), {12, 12, 12});
    expect_same(cumulative_sum(x(kAll, Slice{.step = -1}), {.axis = 1}), {2, 3, 6, 8, 15, 24});
    expect_same(cumulative_sum(transpose(x), {.axis = 1}), {3, 12, 1, 8, 2, 10});
    expect_same(cumulative_sum(broadcast_to(array({2}).astype(t), {4}), {.axis = 0}), {2, 4, 6, 8});
    expect_same(argmax(flip(x, {1}), {.axis = 1}), {2, 2});
  }
}

TEST(EdgeCases, scan_over_a_padded_axis_of_size_one) {
  const Array x = array({4.0f}), padded = pad(x, {{1, 2}});
  expect_same(cumulative_sum(padded), {0, 4, 4, 4});
  expect_same(cumulative_prod(pad(reshape(x, {1, 1}), {{0, 0}, {0, 1}}), {.axis = 0}), {4, 0});
}

TEST(EdgeCases, order_is_stable_and_ties_go_to_the_first) {
  const Array keys = array({1, 0, 1, 0, 1});
  expect_same(argsort(keys), {1, 3, 0, 2, 4});
  expect_same(argsort(keys, 0, {.descending = true}), {0, 2, 4, 1, 3});
  const TopKResult top = top_k(array({2.0f, 7.0f, 7.0f, 2.0f}), 4);  // as many as there are
  expect_same(top.values, {7, 7, 2, 2});
  expect_same(top.indices, {1, 2, 0, 3});
  EXPECT_EQ(top_k(zeros({3, 0}), 0).values.shape(), (Dims{3, 0}));
  expect_same(sort(array({true, false, true})), {0, 1, 1});
  expect_same(argsort(array({true, false, true})), {1, 0, 2});
  expect_same(argsort(array({-0.0f, 0.0f, -0.0f})), {0, 1, 2});
}

TEST(EdgeCases, sixteen_bit_sums_of_equal_terms_keep_growing) {
  for (const DType t : {DType::f16, DType::bf16}) {
    const Array x = ones({4096, 2}, t);
    expect_same(sum(x, {.axis = 0}), {4096, 4096});
    expect_same(mean(x, {.axis = 0}), {1, 1});
    EXPECT_EQ(cumulative_sum(x, {.axis = 0})(-1, 0).item<float>(), 4096);
    EXPECT_EQ(matmul(transpose(x), x)(0, 1).item<float>(), 4096);
    EXPECT_EQ(einsum("ij,ij->", {x, x}).item<float>(), 8192);
    EXPECT_EQ(zeros({1}, t).at(zeros({4096}, DType::i32)).add(1)(0).item<float>(), 4096);
  }
}

// f16 ends at 65504: exponentials and squares would not fit.
TEST(EdgeCases, softmax_norms_and_losses_of_large_f16) {
  const Array x = full({1, 4}, array({60000.0f}), DType::f16), w = ones({4}, DType::f16);
  expect_same(softmax(x), {0.25, 0.25, 0.25, 0.25});
  for (const Array& y : {rms_norm(x, w), layer_norm(x, w, w)})
    for (const float v : y.to_vector<float>()) EXPECT_NEAR(v, 1, 1e-3);
  for (const float v : log_softmax(x).to_vector<float>()) EXPECT_NEAR(v, -std::log(4.0f), 1e-3);
  EXPECT_NEAR(cross_entropy(x, array({2})).item<float>(), std::log(4.0f), 2e-3);
  EXPECT_EQ(logsumexp(full({2}, array({-kInf}))).item<float>(), -kInf);
  EXPECT_NEAR(var(x).item<float>(), 0, 0);
}

TEST(EdgeCases, products_at_size_zero_one_and_beside_a_tile) {
  expect_same(dot(array({3.0f})(0), array({4.0f})(0)), {12});
  EXPECT_EQ(matmul(zeros({2, 0}), zeros({0, 3})).shape(), (Dims{2, 3}));
  expect_same(matmul(zeros({1, 0}), zeros({0, 2})), {0, 0});
  expect_same(matmul(array({{2.0f}, {3.0f}}), array({{5.0f, 7.0f}})), {10, 14, 15, 21});
  EXPECT_EQ(einsum("bij,bjk->bik", {ones({1, 2, 3}), ones({4, 3, 5})}).shape(), (Dims{4, 2, 5}));
  for (const int64_t n : {1, 15, 16, 17, 31, 33, 63, 65}) {
    for (const bool turned : {false, true}) {
      const Array a = remainder(arange(n * (n + 1)), 7).astype(DType::f32).reshape({n, n + 1});
      const Array b = turned ? transpose(a) : transpose(a).reshape({n + 1, n}) + 0.0f;
      const Array got = matmul(a(kAll, Slice{.step = -1}), flip(b, {0}));
      const Array want = sum(expand_dims(a, 1) * expand_dims(a, 0), {.axis = 2});  // [n,1,K] [1,n,K]
      EXPECT_TRUE(array_equal(got, want).item<bool>()) << n << turned;
    }
  }
}

TEST(EdgeCases, complex_magnitude_and_division_without_overflow) {
  using C = std::complex<double>;
  const Array big = array({C(3e300, 4e300)}), tiny = array({C(3e-300, 4e-300)});
  EXPECT_DOUBLE_EQ(abs(big).item<double>(), 5e300);
  EXPECT_DOUBLE_EQ(abs(tiny).item<double>(), 5e-300);
  EXPECT_NEAR(std::abs((big / big).item<C>() - C(1)), 0, 1e-15);
  EXPECT_NEAR(std::abs((tiny / tiny).item<C>() - C(1)), 0, 1e-15);
}

}  // namespace
}  // namespace hearth
