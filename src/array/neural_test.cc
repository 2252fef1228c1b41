// SPDX-License-Identifier: Apache-2.0
#include "array/neural.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/call_test.h"
#include "array/jit.h"

namespace hearth {
namespace {

using Doubles = std::vector<double>;

Array random_array(const Dims& dims, uint64_t seed) {
  std::vector<float> values;
  for (const double x : random_numbers(dims, seed).values) values.push_back(float(x));
  return array(values, dims);
}

TEST(Neural, linear_adds_its_bias) {
  const Array x = array({{1.0f, 2.0f}}), w = array({{3.0f, 4.0f}, {5.0f, 6.0f}, {0.0f, 1.0f}});
  EXPECT_EQ(linear(x, w).to_vector<float>(), (std::vector<float>{11, 17, 2}));
  EXPECT_EQ(linear(x, w, array({1.0f, 0.0f, -1.0f})).to_vector<float>(), (std::vector<float>{12, 17, 1}));
  EXPECT_EQ(linear(x.astype(DType::bf16), w).dtype(), DType::f32);  // promoted
}

TEST(Neural, activations) {
  const Array x = array({-1.0f, 0.0f, 2.0f});
  EXPECT_EQ(relu(x).to_vector<float>(), (std::vector<float>{0, 0, 2}));
  EXPECT_EQ(relu(array({-3, 3})).to_vector<int>(), (std::vector<int>{0, 3}));
  const auto reference = [&](double (*f)(double)) { return Doubles{f(-1), f(0), f(2)}; };
  expect_near(gelu(x, {.approximate = false}).to_vector<double>(),
              reference([](double v) { return v * 0.5 * (1 + std::erf(v / std::sqrt(2))); }), 1e-6);
  expect_near(gelu(x).to_vector<double>(), reference([](double v) {
                return v * 0.5 * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
              }),
              1e-6);
  expect_near(silu(x).to_vector<double>(), reference([](double v) { return v / (1 + std::exp(-v)); }), 1e-6);
}

TEST(Neural, softmax_along_any_axis) {
  const Array x = random_array({2, 3, 4}, 1);
  for (const int64_t axis : {0, 1, 2, -2}) {
    const Array y = softmax(x, axis), l = log_softmax(x, axis), s = logsumexp(x, {.axes = Dims{axis}});
    ASSERT_EQ(y.shape(), x.shape());
    const int64_t a = axis < 0 ? axis + 3 : axis, stride = a == 0 ? 12 : a == 1 ? 4 : 1;
    const Doubles values = x.to_vector<double>(), got = y.to_vector<double>(), logs = l.to_vector<double>();
    for (int64_t i = 0; i < 24; ++i) {
      const int64_t first = i - i / stride % x.dim(a) * stride;
      double sum = 0;
      for (int64_t k = 0; k < x.dim(a); ++k) sum += std::exp(values[size_t(first + k * stride)]);
      EXPECT_NEAR(got[size_t(i)], std::exp(values[size_t(i)]) / sum, 1e-6);
      EXPECT_NEAR(logs[size_t(i)], values[size_t(i)] - std::log(sum), 1e-6);
      const int64_t outer = i / (stride * x.dim(a)), inner = i % stride;
      EXPECT_NEAR(s.to_vector<double>()[size_t(outer * stride + inner)], std::log(sum), 1e-6);
    }
  }
  EXPECT_EQ(message_of([&] { softmax(x, 3); }).substr(0, 8), "softmax:");
}

TEST(Neural, cross_entropy_leaves_out_labels_that_are_none) {
  const Array x = array({{1.0f, 2.0f, 3.0f}, {0.0f, 0.0f, 0.0f}, {9.0f, 9.0f, 9.0f}});
  const double first = std::log(std::exp(1) + std::exp(2) + std::exp(3)) - 2;
  EXPECT_NEAR(cross_entropy(x, array({1, 0, 2})).item<double>(), (first + 2 * std::log(3)) / 3, 1e-6);
  EXPECT_NEAR(cross_entropy(x, array({1, -100, 3})).item<double>(), first, 1e-6);
  EXPECT_EQ(cross_entropy(x, array({-1, -1, 7})).item<float>(), 0);
  const Array g = grad([](const Array& v, const Array& l) { return cross_entropy(v, l); })(x, array({1, -1, 5}));
  EXPECT_NEAR(g.to_vector<double>()[1], std::exp(-first) - 1, 1e-6);
  for (size_t i = 3; i < 9; ++i) EXPECT_EQ(g.to_vector<float>()[i], 0);
  EXPECT_EQ(message_of([&] {
              cross_entropy(x, array({1, 2}));
            }),
            "cross_entropy: needs one label an example\n  logits is f32[3,3]\n  labels is i32[2]");
  EXPECT_EQ(message_of([&] {
              cross_entropy(x, array({1.0f, 2.0f, 0.0f}));
            }),
            "cross_entropy: labels must be integers; they are f32[3]");
}

TEST(Neural, convolution_and_pooling) {
  const Array x = array(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 3, 3});
  const Array ones = array(std::vector<float>(4, 1), {1, 1, 2, 2});
  EXPECT_EQ(conv2d(x, ones).to_vector<float>(), (std::vector<float>{12, 16, 24, 28}));
  EXPECT_EQ(max_pool(x, {.window = {2, 2}, .strides = {1, 1}}).to_vector<float>(), (std::vector<float>{5, 6, 8, 9}));
  EXPECT_EQ(avg_pool(x, {.window = {2, 2}, .strides = {1, 1}}).to_vector<float>(), (std::vector<float>{3, 4, 6, 7}));
  EXPECT_EQ(global_avg_pool(x).to_vector<float>(), (std::vector<float>{5}));
  EXPECT_EQ(global_avg_pool(x).shape(), (Dims{1, 1}));
}

// Mean and variance of each channel, and y that has the weight's.
TEST(Neural, batch_norm_in_training_and_use) {
  const Array x = random_array({4, 2, 3}, 2), w = array({2.0f, 3.0f}), b = array({-1.0f, 1.0f});
  const BatchNorm n = batch_norm(x, w, b, 1e-5);
  const Doubles values = x.to_vector<double>(), y = n.y.to_vector<double>();
  for (size_t c = 0; c < 2; ++c) {
    double mean = 0, variance = 0;
    const auto each = [&](auto&& f) {
      for (size_t i = 0; i < 24; ++i)
        if (i / 3 % 2 == c) f(i);
    };
    each([&](size_t i) { mean += values[i] / 12; });
    each([&](size_t i) { variance += (values[i] - mean) * (values[i] - mean) / 12; });
    EXPECT_NEAR(n.mean.to_vector<double>()[c], mean, 1e-6);
    EXPECT_NEAR(n.variance.to_vector<double>()[c], variance, 1e-6);
    each([&](size_t i) {
      EXPECT_NEAR(y[i], (c ? 3 : 2) * (values[i] - mean) / std::sqrt(variance + 1e-5) + (c ? 1 : -1), 1e-5);
    });
  }
  expect_near(batch_norm(x, w, b, n.mean, n.variance).to_vector<double>(), y, 1e-6);
  EXPECT_EQ(message_of([&] { batch_norm(x, w, array({1.0f})); }),
            "batch_norm: needs one number a channel, [2]\n  x is f32[4,2,3]\n  got f32[1]");
}

TEST(Neural, group_norm_with_one_channel_a_group_is_the_norm_of_each_example) {
  const Array x = random_array({1, 3, 5}, 3), w = array({1.0f, 2.0f, 3.0f}), b = array({0.0f, 1.0f, 2.0f});
  expect_near(group_norm(x, w, b, 3).to_vector<double>(), batch_norm(x, w, b).y.to_vector<double>(), 1e-5);
  const Array row = x.reshape({3, 5});
  expect_near(layer_norm(row, Array(1.0f) + array(Doubles(5)).astype(DType::f32), array(std::vector<float>(5)))
                  .to_vector<double>(),
              group_norm(x, array({1.0f, 1.0f, 1.0f}), array(std::vector<float>(3)), 3).to_vector<double>(), 1e-6);
}

}  // namespace
}  // namespace hearth
