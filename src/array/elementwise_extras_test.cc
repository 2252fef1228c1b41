// SPDX-License-Identifier: Apache-2.0
#include "array/elementwise_extras.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/creation.h"
#include "array/dtypes.h"
#include "array/jit.h"
#include "base/file_test_folder.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Bools = std::vector<bool>;

void expect_near(const Array& x, const Doubles& want, double tolerance = 1e-6) {
  const Doubles got = x.to_vector<double>();
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], tolerance * (1 + std::fabs(want[i]))) << i;
}

TEST(ElementwiseExtras, special_functions) {
  const Array x = array({0.5, -0.25, 2.0});
  expect_near(erf(x), {std::erf(0.5), std::erf(-0.25), std::erf(2)}, 1e-12);
  expect_near(erfc(x), {std::erfc(0.5), std::erfc(-0.25), std::erfc(2)}, 1e-12);
  expect_near(erfinv(erf(x)), {0.5, -0.25, 2}, 1e-9);
  expect_near(lgamma(x), {std::lgamma(0.5), std::lgamma(-0.25), 0}, 1e-12);
  expect_near(digamma(array({1.0})), {-0.57721566490153286}, 1e-12);
  expect_near(logit(array({0.25})), {std::log(1.0 / 3)}, 1e-12);
  EXPECT_EQ(erf(arange(2)).dtype(), DType::f32);
}

TEST(ElementwiseExtras, activations) {
  const Array x = array({-2.0, 0.0, 3.0});
  expect_near(sigmoid(x), {1 / (1 + std::exp(2)), 0.5, 1 / (1 + std::exp(-3))});
  expect_near(relu(x), {0, 0, 3});
  EXPECT_TRUE(std::isnan(relu(array({NAN})).item<float>()));
  expect_near(silu(x), {-2 / (1 + std::exp(2)), 0, 3 / (1 + std::exp(-3))});
  expect_near(softplus(array({-1000.0, 0.0, 1000.0})), {0, std::log(2), 1000});
  expect_near(log_sigmoid(array({-1000.0, 0.0})), {-1000, -std::log(2)});
  const auto exact = [](double v) { return v / 2 * std::erfc(-v / std::sqrt(2.0)); };
  expect_near(gelu(x, {.approximate = false}), {exact(-2), 0, exact(3)}, 1e-12);
  const auto by_tanh = [](double v) {
    return v / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
  };
  expect_near(gelu(x), {by_tanh(-2), 0, by_tanh(3)}, 1e-7);
  expect_near(leaky_relu(x), {-0.02, 0, 3});
  expect_near(elu(x), {std::exp(-2) - 1, 0, 3});
  EXPECT_EQ(gelu(x.astype(DType::bf16)).dtype(), DType::bf16);
}

// exp(1000) is infinite; in the branch not taken it must not make the derivative NaN.
TEST(ElementwiseExtras, derivatives_stay_finite) {
  const auto slope = [](Array (*f)(const Array&), float at) {
    return grad([f](const Array& x) { return f(x).reshape({}); })(array({at})).item<float>();
  };
  EXPECT_EQ(slope([](const Array& x) { return elu(x); }, 1000), 1);
  EXPECT_EQ(slope(relu, 0), 0);
  EXPECT_EQ(slope(softplus, 1000), 1);
  EXPECT_EQ(slope([](const Array& x) { return nan_to_num(x); }, 2), 1);
}

TEST(ElementwiseExtras, softmax_family) {
  const Array x = array({{1.0, 2.0}, {3.0, 1000.0}});
  expect_near(softmax(x), {1 / (1 + std::exp(1)), 1 / (1 + std::exp(-1)), 0, 1});
  expect_near(softmax(x, 0), {1 / (1 + std::exp(2)), 0, 1 / (1 + std::exp(-2)), 1});
  expect_near(log_softmax(x), {-std::log(1 + std::exp(1)), -std::log(1 + std::exp(-1)), -997, 0});
  expect_near(log_softmax(x, -2), {-std::log(1 + std::exp(2)), -998, -std::log(1 + std::exp(-2)), 0});
  expect_near(logsumexp(x, {.axes = Dims{1}}), {std::log(std::exp(1) + std::exp(2)), 1000});
  EXPECT_EQ(logsumexp(x, {.axes = Dims{0}, .keepdims = true}).shape(), (Dims{1, 2}));
  EXPECT_EQ(logsumexp(x).shape(), Dims{});
  const Array empty_row = array({-INFINITY, -INFINITY});
  EXPECT_TRUE(std::isnan(softmax(empty_row).to_vector<float>()[0]));
  EXPECT_EQ(logsumexp(empty_row).item<float>(), -INFINITY);
  EXPECT_EQ(logsumexp(array({INFINITY, 1.0f})).item<float>(), INFINITY);
  expect_near(grad([](const Array& v) { return logsumexp(v); })(array({0.0, 0.0})), {0.5, 0.5});
}

TEST(ElementwiseExtras, one_hot) {
  EXPECT_EQ(one_hot(array({1, 0, 5, -1}), 2).to_vector<float>(), (Floats{0, 1, 1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(one_hot(zeros({2, 3}, DType::u8), 4, {.dtype = DType::i8}).type(), (TensorType{DType::i8, {2, 3, 4}}));
  EXPECT_EQ(message_of([] { one_hot(array({1.0f}), 2); }), "one_hot: the classes must be integers; x is f32[1]");
  EXPECT_EQ(message_of([] { one_hot(array({1}), -2); }), "one_hot: there cannot be -2 classes");
}

TEST(ElementwiseExtras, nan_to_num_in_every_float_type) {
  for (const DType t : {DType::f16, DType::bf16, DType::f32, DType::f64}) {
    SCOPED_TRACE(name(t));
    const Array y = nan_to_num(array({NAN, INFINITY, -INFINITY, 1.5f}).astype(t));
    EXPECT_EQ(y.dtype(), t);
    EXPECT_EQ(y.to_vector<double>(), (Doubles{0, finfo(t).max, finfo(t).min, 1.5}));
  }
  EXPECT_EQ(nan_to_num(array({NAN, INFINITY}), {.nan = 7, .posinf = 8}).to_vector<float>(), (Floats{7, 8}));
  EXPECT_EQ(nan_to_num(array({1, 2})).dtype(), DType::i32);
}

TEST(ElementwiseExtras, comparisons_of_whole_arrays) {
  const double nan = NAN, inf = INFINITY;
  const Array x = array({1.0, nan, inf, -inf, 100.0}), y = array({1.000001, nan, inf, inf, 101.0});
  EXPECT_EQ(isclose(x, y).to_vector<bool>(), (Bools{true, false, true, false, false}));
  EXPECT_EQ(isclose(x, y, {.rtol = 0.1, .equal_nan = true}).to_vector<bool>(), (Bools{true, true, true, false, true}));
  EXPECT_FALSE(allclose(x, y).item<bool>());
  EXPECT_TRUE(allclose(arange(3), array({0.0, 1.0, 2.0})).item<bool>());
  EXPECT_TRUE(allclose(zeros({0}), zeros({0})).item<bool>());
  EXPECT_TRUE(array_equal(arange(3), array({0.0f, 1.0f, 2.0f})).item<bool>());
  EXPECT_FALSE(array_equal(arange(3), arange(4)).item<bool>());
  EXPECT_FALSE(array_equal(array({NAN}), array({NAN})).item<bool>());
}

TEST(DTypes, questions) {
  EXPECT_EQ(result_type({DType::i8, DType::u8}), DType::i16);
  EXPECT_EQ(result_type(Arrays{array({int8_t(1)}), Array(3)}), DType::i8);
  EXPECT_TRUE(isdtype(DType::u8, "integral") && isdtype(DType::u8, "unsigned integer") &&
              isdtype(DType::u8, "numeric"));
  EXPECT_FALSE(isdtype(DType::boolean, "numeric") || isdtype(DType::bf16, "complex floating"));
  EXPECT_EQ(message_of([] { isdtype(DType::u8, "int"); }),
            "isdtype: there is no kind 'int'; there are bool, signed integer, unsigned integer, integral, real "
            "floating, complex floating, numeric");
  EXPECT_EQ(message_of([] { finfo(DType::i8); }), "finfo: i8 is no floating-point type\n  hint: iinfo");
  EXPECT_EQ(message_of([] { iinfo(DType::f32); }), "iinfo: f32 is no integer type\n  hint: finfo");
  EXPECT_EQ(message_of([] { result_type(Arrays{}); }), "result_type: needs at least one array");
}

// As numpy.can_cast; with bf16 by its digits and range.
TEST(DTypes, can_cast_keeps_values) {
  using enum DType;
  const std::vector<std::pair<DType, DType>> safe = {
      {boolean, i8}, {u8, i16},  {i16, f32},       {i32, f64}, {i64, f64},        {u64, f64}, {f16, f32},
      {bf16, f32},   {u8, bf16}, {f32, complex64}, {i8, f16},  {i64, complex128}, {u32, i64}, {complex64, complex128},
      {f64, f64}};
  const std::vector<std::pair<DType, DType>> unsafe = {
      {i8, boolean},    {i8, u8},         {u8, i8},   {i16, f16}, {i32, f32}, {f16, bf16},      {bf16, f16},
      {f64, complex64}, {complex64, f64}, {f32, i64}, {u64, i64}, {i64, u64}, {i32, complex64}, {i16, bf16}};
  for (const auto& [from, to] : safe) EXPECT_TRUE(can_cast(from, to)) << from << " " << to;
  for (const auto& [from, to] : unsafe) EXPECT_FALSE(can_cast(from, to)) << from << " " << to;
  EXPECT_TRUE(can_cast(arange(2), f64));
}

TEST(DTypes, limits) {
  EXPECT_EQ(finfo(DType::f32).max, double(std::numeric_limits<float>::max()));
  EXPECT_EQ(finfo(DType::f64).max, std::numeric_limits<double>::max());
  EXPECT_EQ(finfo(DType::f64).smallest_subnormal, std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(finfo(DType::f32).smallest_normal, double(std::numeric_limits<float>::min()));
  EXPECT_EQ(finfo(DType::f16).max, 65504);
  EXPECT_EQ(finfo(DType::bf16).eps, 0x1p-7);
  EXPECT_EQ(finfo(DType::complex64).bits, 32);
  EXPECT_EQ(finfo(DType::f16).precision, 3);
  EXPECT_EQ(finfo(DType::f64).precision, 15);
  EXPECT_EQ(iinfo(DType::i8).min, -128);
  EXPECT_EQ(iinfo(DType::i64).min, INT64_MIN);
  EXPECT_EQ(iinfo(DType::i64).max, uint64_t(INT64_MAX));
  EXPECT_EQ(iinfo(DType::u64).max, UINT64_MAX);
  EXPECT_EQ(iinfo(DType::u16).max, 65535u);
  EXPECT_EQ(astype(array({1.9f}), DType::i32).item<int>(), 1);
}

}  // namespace
}  // namespace hearth
