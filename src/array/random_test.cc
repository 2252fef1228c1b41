// SPDX-License-Identifier: Apache-2.0
// Values from JAX 0.10 for a few keys; tests/interop/random_test.py compares thousands.
#include "array/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "array/jit.h"
#include "base/error.h"

namespace hearth {
namespace {

void expect_near(const Array& x, const std::vector<float>& wanted) {
  const std::vector<float> got = x.to_vector<float>();
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 4e-6f * std::max(1.f, std::fabs(wanted[i])));
}

TEST(Random, golden_values_of_jax) {
  const Array k = random::key(42);
  EXPECT_EQ(k.to_vector<uint32_t>(), (std::vector<uint32_t>{0, 42}));
  EXPECT_EQ(random::split(k, 3).to_vector<uint32_t>(),
            (std::vector<uint32_t>{1832780943, 270669613, 64467757, 2916123636, 2465931498, 255383827}));
  EXPECT_EQ(random::fold_in(k, 7).to_vector<uint32_t>(), (std::vector<uint32_t>{2547012911, 1371500959}));
  EXPECT_EQ(random::bits(k, {4}).to_vector<uint32_t>(),
            (std::vector<uint32_t>{2098992034, 2919706841, 2646866425, 2409546199}));
  EXPECT_EQ(random::bits(k, {4}, DType::u8).to_vector<uint32_t>(), (std::vector<uint32_t>{162, 217, 249, 215}));
  EXPECT_EQ(random::uniform(k, {3}).to_vector<float>(),
            (std::vector<float>{4.8870957e-01f, 6.797972e-01f, 6.162715e-01f}));
  EXPECT_EQ(random::uniform(k, {3}, DType::bf16).to_vector<float>(),
            (std::vector<float>{6.328125e-01f, 8.4375e-01f, 9.6875e-01f}));
  EXPECT_EQ(random::uniform(k, {3}, DType::f32, {.minval = -2.5, .maxval = 7}).to_vector<float>(),
            (std::vector<float>{2.142741f, 3.9580731f, 3.3545792f}));
  EXPECT_EQ(random::randint(k, {5}, -10, 10).to_vector<int32_t>(), (std::vector<int32_t>{-6, 4, 1, -1, -1}));
  EXPECT_EQ(random::randint(k, {5}, 0, 256, DType::u8).to_vector<int32_t>(),
            (std::vector<int32_t>{196, 18, 183, 193, 141}));
  EXPECT_EQ(random::permutation(k, 8).to_vector<int32_t>(), (std::vector<int32_t>{7, 4, 2, 5, 3, 6, 0, 1}));
  EXPECT_EQ(random::choice(k, 8, {3}, {.replace = false}).to_vector<int32_t>(), (std::vector<int32_t>{7, 4, 2}));
  EXPECT_EQ(random::categorical(k, array<float>({0, 1, 2}), {.shape = Dims{5}}).to_vector<int32_t>(),
            (std::vector<int32_t>{2, 2, 2, 2, 1}));
  EXPECT_EQ(random::poisson(k, array<float>({1, 5, 100})).to_vector<int32_t>(), (std::vector<int32_t>{1, 4, 90}));
  expect_near(random::normal(k, {4}), {-2.8304616e-02f, 4.6713185e-01f, 2.9570296e-01f, 1.5354592e-01f});
  expect_near(random::gamma(k, array<float>({0.5f, 2, 30})), {9.994542e-01f, 1.0923854f, 3.599322e+01f});
  expect_near(random::gumbel(k, {3}), {3.340934e-01f, 9.5201945e-01f, 7.2553056e-01f});
}

void expect_error(const char* text, const std::function<Array()>& f) {
  try {
    f().eval();
    FAIL() << "no error: " << text;
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), text);
  }
}

TEST(Random, errors) {
  const Array k = random::key(0);
  expect_error("normal: a key is u32[2]; it is u32[3,2]\n  hint: vmap the function over several keys",
               [&] { return random::normal(random::split(k, 3)); });
  expect_error("uniform: a key is u32[2]; it is i32[]", [&] { return random::uniform(0); });
  expect_error("uniform: dtype must be a float; it is i32", [&] { return random::uniform(k, {2}, DType::i32); });
  expect_error("bits: dtype must be unsigned; it is i32", [&] { return random::bits(k, {2}, DType::i32); });
  expect_error("gamma: parameter 0 does not broadcast to the shape\n  parameter is f32[2]\n  shape is f32[3]", [&] {
    return random::gamma(k, array<float>({1, 2}), Dims{3});
  });
  expect_error("choice: cannot draw 5 of 4 elements without replacement",
               [&] { return random::choice(k, 4, Dims{5}, {.replace = false}); });
  expect_error("categorical: axis 1 does not exist in logits f32[2]", [&] {
    return random::categorical(k, array<float>({1, 2}), {.axis = 1});
  });
}

TEST(Random, uniform_is_below_one_and_normal_finite_in_every_dtype) {
  for (const DType dtype : {DType::f16, DType::bf16, DType::f32, DType::f64}) {
    const auto u = random::uniform(random::key(3), {100000}, dtype).to_vector<double>();
    EXPECT_GE(*std::min_element(u.begin(), u.end()), 0);
    EXPECT_LT(*std::max_element(u.begin(), u.end()), 1);
    for (const double x : random::normal(random::key(4), {100000}, dtype).to_vector<double>())
      ASSERT_TRUE(std::isfinite(x));
  }
}

TEST(Random, an_element_depends_on_its_place_only) {
  const auto few = random::bits(random::key(5), {100}).to_vector<uint32_t>();
  const auto many = random::bits(random::key(5), {10000}).to_vector<uint32_t>();
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
}

TEST(Random, vmap_over_keys_is_one_key_after_the_other) {
  const Array keys = random::split(random::key(6), 3);
  const auto words = keys.to_vector<uint32_t>();
  const auto f = [](const Array& k) { return random::gamma(k, array<float>({0.5f, 3})); };
  const auto all = vmap(f)(keys).to_vector<float>();
  for (size_t i = 0; i < 3; ++i) {
    const auto one = jit(f)(array<uint32_t>({words[2 * i], words[2 * i + 1]})).to_vector<float>();
    EXPECT_EQ(one, std::vector<float>(all.begin() + int64_t(2 * i), all.begin() + int64_t(2 * i + 2)));
  }
}

TEST(Random, fold_in_and_split_of_batched_keys) {
  const Array keys = random::split(random::key(6), 2), data = array<int32_t>({5, 6});
  const auto folded = vmap(random::fold_in)(keys, data).to_vector<uint32_t>();
  const Array second = array_from_bytes({DType::u32, {2}}, keys.data_as<uint32_t>() + 2);
  EXPECT_EQ(random::fold_in(second, 6).to_vector<uint32_t>(), std::vector<uint32_t>(folded.begin() + 2, folded.end()));
}

TEST(Random, no_parameter_hangs) {
  const double infinity = INFINITY, nan = NAN;
  const Array k = random::key(7);
  for (const double x : {0.0, -1.0, -0.5, 1e-30, 1e30, infinity, -infinity, nan}) {
    random::gamma(k, x, Dims{3}).eval();
    random::loggamma(k, x, Dims{3}).eval();
    random::poisson(k, x, Dims{3}).eval();
  }
}

TEST(Random, nothing_is_drawn_of_empty_shapes) {
  const Array k = random::key(8);
  for (const Array& x : {random::normal(k, {0, 3}), random::gamma(k, 1.0, Dims{0}), random::permutation(k, 0),
                         random::choice(k, 0, {0}), random::poisson(k, 2.0, Dims{0})})
    EXPECT_EQ(x.eval().size(), 0);
}

}  // namespace
}  // namespace hearth
