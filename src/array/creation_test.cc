// SPDX-License-Identifier: Apache-2.0
#include "array/creation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/elementwise_extras.h"
#include "array/elementwise_functions.h"
#include "array/jit.h"
#include "array/manipulation.h"
#include "array/plan_cache.h"
#include "base/file_test_folder.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;
using Doubles = std::vector<double>;

TEST(Creation, one_value) {
  EXPECT_EQ(zeros({2, 3}).to_vector<float>(), Floats(6, 0));
  EXPECT_EQ(ones({2}, DType::boolean).to_vector<bool>(), (std::vector<bool>{true, true}));
  EXPECT_EQ(empty({0, 4}).shape(), (Dims{0, 4}));
  EXPECT_EQ(full({2, 2}, 7).dtype(), DType::i32);
  EXPECT_EQ(full({2, 2}, array({1.5f, 2.5f})).to_vector<float>(), (Floats{1.5, 2.5, 1.5, 2.5}));
  EXPECT_EQ(full({1}, 0.1, DType::f64).to_vector<double>()[0], 0.1);
  const Array x = array({int8_t(1), int8_t(2)});
  EXPECT_EQ(zeros_like(x).type(), x.type());
  EXPECT_EQ(ones_like(x, DType::f16).dtype(), DType::f16);
  EXPECT_EQ(full_like(x, 3).to_vector<int>(), (std::vector<int>{3, 3}));
  EXPECT_EQ(empty_like(x).type(), x.type());
  EXPECT_EQ(asarray(x, DType::f32).dtype(), DType::f32);
  EXPECT_EQ(asarray(x).state(), x.state());
}

TEST(Creation, arange_counts_like_numpy) {
  EXPECT_EQ(arange(5).to_vector<int64_t>(), (Ints{0, 1, 2, 3, 4}));
  EXPECT_EQ(arange(5).dtype(), DType::i32);
  EXPECT_EQ(arange(7, 1, -2).to_vector<int64_t>(), (Ints{7, 5, 3}));
  EXPECT_EQ(arange(3, 3).size(), 0);
  EXPECT_EQ(arange(5, 1).size(), 0);
  EXPECT_EQ(arange(0, 1.0, 0.25).to_vector<float>(), (Floats{0, 0.25, 0.5, 0.75}));
  EXPECT_EQ(arange(2.5).dtype(), DType::f32);
  EXPECT_EQ(arange(2.5).size(), 3);
  EXPECT_EQ(arange(0.0, 1.0, 0.1, DType::f64).to_vector<double>()[7], 7 * 0.1);
  EXPECT_EQ(arange(int64_t{1} << 40, (int64_t{1} << 40) + 2).to_vector<int64_t>()[1], (int64_t{1} << 40) + 1);
  EXPECT_EQ(arange(bf16(1.0f), size_t(3)).size(), 2);
  EXPECT_EQ(arange(4, DType::bf16).dtype(), DType::bf16);
  EXPECT_EQ(arange(INT64_MAX - 3, INT64_MAX, 2).to_vector<int64_t>(), (Ints{INT64_MAX - 3, INT64_MAX - 1}));
  EXPECT_EQ(arange(INT64_MIN, INT64_MAX, INT64_MAX).size(), 3);
}

TEST(Creation, other_numbers_reuse_the_plan) {
  arange(1.0, 4.0, 0.5).eval();
  const int64_t misses = plan_cache_statistics().misses;
  EXPECT_EQ(arange(2.0, 5.0, 0.5).to_vector<float>()[5], 4.5f);
  EXPECT_EQ(plan_cache_statistics().misses, misses);
}

TEST(Creation, ranges_of_points) {
  EXPECT_EQ(linspace(0, 1, 5).to_vector<float>(), (Floats{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(linspace(0, 1, 4, {.endpoint = false}).to_vector<float>(), (Floats{0, 0.25, 0.5, 0.75}));
  EXPECT_EQ(linspace(3, 9, 1).to_vector<float>(), (Floats{3}));
  EXPECT_EQ(linspace(3, 9, 0).size(), 0);
  EXPECT_EQ(linspace(0, 0.7, 8, {.dtype = DType::f64}).to_vector<double>()[7], 0.7);  // not 0.7000000000000001
  EXPECT_EQ(linspace(0, -3, 5, {.dtype = DType::i32}).to_vector<int64_t>(), (Ints{0, -1, -2, -3, -3}));
  const Array z = linspace({0, 1}, {1, 3}, 3);
  EXPECT_EQ(z.dtype(), DType::complex64);
  EXPECT_EQ(z.to_vector<std::complex<float>>()[1], (std::complex<float>{0.5f, 2}));
  const Floats decades = logspace(0, 3, 4).to_vector<float>(), same = geomspace(-1, -1000, 4).to_vector<float>();
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(decades[i], std::pow(10.0, i), 1e-4 * decades[i]);
    EXPECT_NEAR(same[i], -std::pow(10.0, i), 1e-4 * decades[i]);
  }
  EXPECT_EQ(same[3], -1000);  // the ends are exact
}

TEST(Creation, matrices) {
  EXPECT_EQ(eye(2, {.columns = 3, .k = 1}).to_vector<float>(), (Floats{0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(identity(2, DType::i8).to_vector<int>(), (std::vector<int>{1, 0, 0, 1}));
  EXPECT_EQ(tri(2, {.columns = 3}).to_vector<float>(), (Floats{1, 0, 0, 1, 1, 0}));
  const Array m = arange(1, 7).reshape({2, 3});
  EXPECT_EQ(tril(m).to_vector<int64_t>(), (Ints{1, 0, 0, 4, 5, 0}));
  EXPECT_EQ(triu(m, 1).to_vector<int64_t>(), (Ints{0, 2, 3, 0, 0, 6}));
  EXPECT_EQ(triu(m, -5).to_vector<int64_t>(), (Ints{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(tril(full({2, 2}, INFINITY)).to_vector<float>()[1], 0);  // left out, not multiplied by 0
  EXPECT_EQ(diag(m).to_vector<int64_t>(), (Ints{1, 5}));
  EXPECT_EQ(diag(m, 1).to_vector<int64_t>(), (Ints{2, 6}));
  EXPECT_EQ(diag(m, -1).to_vector<int64_t>(), (Ints{4}));
  EXPECT_EQ(diag(m, 7).size(), 0);
  EXPECT_EQ(diag(array({8, 9})).to_vector<int64_t>(), (Ints{8, 0, 0, 9}));
  EXPECT_EQ(diag(array({8, 9}), -1).to_vector<int64_t>(), (Ints{0, 0, 0, 8, 0, 0, 0, 9, 0}));
  EXPECT_EQ(diag(zeros({0})).shape(), (Dims{0, 0}));
  EXPECT_EQ(diagflat(m, 1).shape(), (Dims{7, 7}));
  EXPECT_EQ(vander(array({2, 3}), {.columns = 3}).to_vector<int64_t>(), (Ints{4, 2, 1, 9, 3, 1}));
  EXPECT_EQ(vander(array({2, 3}), {.increasing = true}).to_vector<int64_t>(), (Ints{1, 2, 1, 3}));
}

TEST(Creation, grids) {
  const Arrays xy = meshgrid({arange(2), arange(3)}), ij = meshgrid({arange(2), arange(3)}, Indexing::ij);
  EXPECT_EQ(xy[0].shape(), (Dims{3, 2}));
  EXPECT_EQ(xy[1].to_vector<int64_t>(), (Ints{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(ij[0].to_vector<int64_t>(), (Ints{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(indices({2, 2}).to_vector<int64_t>(), (Ints{0, 0, 1, 1, 0, 1, 0, 1}));
  EXPECT_EQ(indices({}).shape(), (Dims{0}));
  EXPECT_TRUE(meshgrid({}).empty());
}

// d/dv sum(w * diag(v)) is w's diagonal, and the other way round.
TEST(Creation, diag_has_a_derivative) {
  const Array w = array({{1.0f, 2.0f}, {3.0f, 4.0f}});
  const auto total = [](const Array& x) { return logsumexp(x); };
  const Array g = grad([&](const Array& v) { return total(diag(v) * w); })(array({0.0f, 0.0f}));
  EXPECT_EQ(g.to_vector<float>(), (Floats{0.25, 1}));
  const Array h = grad([&](const Array& m) { return total(diag(m)); })(zeros({2, 2}));
  EXPECT_EQ(h.to_vector<float>(), (Floats{0.5, 0, 0, 0.5}));
}

TEST(Creation, errors) {
  EXPECT_EQ(message_of([] { zeros({2, -1}); }), "zeros: a size is negative: [2,-1]");
  EXPECT_EQ(message_of([] {
              ones({int64_t{1} << 40, int64_t{1} << 40});
            }),
            "ones: [1099511627776,1099511627776] has more elements than can be counted");
  EXPECT_EQ(message_of([] { arange(0, 5, 0); }), "arange: the step is 0");
  EXPECT_EQ(message_of([] { arange(0.0, INFINITY); }), "arange: the ends are not finite numbers");
  EXPECT_EQ(message_of([] { arange(0.0, 1e300); }), "arange: there would be 1e+300 elements");
  EXPECT_EQ(message_of([] { linspace(0, 1, -1); }), "linspace: there cannot be -1 points");
  EXPECT_EQ(message_of([] { geomspace(-1, 1); }),
            "geomspace: the ends must be of one sign and not 0; they are -1 and 1");
  EXPECT_EQ(message_of([] { tril(arange(3)); }), "tril: needs matrices; x is i32[3]");
  EXPECT_EQ(message_of([] { diag(Array(1)); }), "diag: needs a vector or a matrix; x is i32[]");
  EXPECT_EQ(message_of([] { eye(-1); }), "eye: a size is negative: [-1,-1]");
}

}  // namespace
}  // namespace hearth
