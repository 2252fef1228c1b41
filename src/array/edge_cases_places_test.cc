// SPDX-License-Identifier: Apache-2.0
// Cases that broke other array libraries: places in arrays, padding, derivatives, transforms, large sizes.
#include <gtest/gtest.h>

#include <cmath>

#include "array/arrays.h"
#include "base/file_test_folder.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

using Doubles = std::vector<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void expect_near(const Array& x, const Doubles& want, double tolerance = 1e-12) {
  const Doubles got = x.to_vector<double>();
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_TRUE(std::fabs(got[i] - want[i]) <= tolerance || (std::isnan(got[i]) && std::isnan(want[i])))
        << i << ": " << got[i] << ", wanted " << want[i];
}

TEST(EdgeCasesOfPlaces, negative_indices_and_those_outside) {
  const Array x = array({10.0, 20.0, 30.0}), at = array({-1, -3, 0, 2, 3, -4});
  expect_near(x(at), {30, 10, 10, 30, 30, 10});            // the nearest
  expect_near(take(x, at), {30, 10, 10, 30, kNan, kNan});  // -1 is the last; outside NaN
  expect_near(take_along_axis(x, at), {30, 10, 10, 30, 30, 10});
  expect_near(x(Slice{-100, 100}), {10, 20, 30});
  EXPECT_EQ(x(Slice{2, 1}).size(), 0);
  expect_near(x.at(at).set(7), {7, 20, 7});  // outside nothing
  EXPECT_TEXT(message_of([&] { return x(3); }), "3 is out of range for axis 0 of size 3");
  EXPECT_TEXT(message_of([&] { return x(-4); }), "-4 is out of range");
}

TEST(EdgeCasesOfPlaces, duplicates_in_every_update) {
  const Array x = array({1.0, 8.0}), at = array({1, 1, 0}), v = array({2.0, 4.0, 3.0});
  expect_near(x.at(at).add(v), {4, 14});
  expect_near(x.at(at).subtract(v), {-2, 2});
  expect_near(x.at(at).set(v), {3, 4});
  expect_near(x.at(at).multiply(v), {3, 64});
  expect_near(x.at(at).divide(v), {1.0 / 3, 1});
  expect_near(x.at(at).min(v), {1, 2});
  expect_near(x.at(at).max(v), {3, 8});
}

TEST(EdgeCasesOfPlaces, updates_of_several_axes_and_the_orientation_of_columns) {
  const Array x = zeros({2, 3}, DType::f64);
  expect_near(x.at(array({0, 1, 1}), array({2, 0, 0})).add(array({1.0, 2.0, 3.0})), {0, 0, 1, 5, 0, 0});
  expect_near(x.at(kAll, 0).set(array({1.0, 2.0})), {1, 0, 0, 2, 0, 0});
  expect_near(x.at(1).set(array({1.0, 2.0, 3.0})), {0, 0, 0, 1, 2, 3});
}

TEST(EdgeCasesOfPlaces, padding_of_every_sign) {
  const Array x = array({1.0, 2.0, 3.0});
  expect_near(pad(x, 0, {.low = {-1}, .high = {2}, .interior = {0}}), {2, 3, 0, 0});
  expect_near(pad(x, 9, {.low = {1}, .high = {-1}, .interior = {1}}), {9, 1, 9, 2, 9});
  expect_near(pad(x, 0, {.low = {0}, .high = {0}, .interior = {2}}), {1, 0, 0, 2, 0, 0, 3});
  expect_near(pad(x, 0, {.low = {-2}, .high = {-1}, .interior = {0}}), {});
  const Array none = zeros({0});
  expect_near(pad(none, 5, {.low = {1}, .high = {1}, .interior = {3}}), {5, 5});
  for (const PadMode mode : {PadMode::reflect, PadMode::symmetric, PadMode::wrap, PadMode::edge})  // and nothing hangs
    EXPECT_TEXT(message_of([&] { return pad(none, {{1, 1}}, {.mode = mode}); }), "pad: ");
  expect_near(pad(array({4.0}), {{2, 2}}, {.mode = PadMode::reflect}), {4, 4, 4, 4, 4});
}

TEST(EdgeCasesOfPlaces, transforms_of_odd_and_prime_lengths_and_some_axes) {
  for (const int64_t n : {1, 2, 3, 7, 9, 13, 31, 97, 101}) {
    const Array x = sin(arange(2 * n).astype(DType::f64)).reshape({2, n});
    expect_near(irfft(rfft(x), {.n = n}), x.to_vector<double>());
    expect_near(real(ifftn(fftn(x, {.axes = Dims{0}}), {.axes = Dims{0}})), x.to_vector<double>());
    const auto power = [](const Array& row) { return sum(square(abs(fft(row)))); };
    const Array slope = vmap(grad(power))(x);  // Parseval: n |x|^2
    expect_near(slope, (x * 2 * n).to_vector<double>(), 1e-9);
  }
}

TEST(EdgeCasesOfPlaces, second_derivatives_of_order) {
  const Array x = array({2.0, 5.0, 3.0}), twice = array({4.0, 10.0, 6.0});
  const auto sorted = [](const Array& v) { return sum(square(sort(v)) * array({1.0, 2.0, 3.0})); };
  expect_near(grad(sorted)(x), {4, 30, 12});
  expect_near(hessian(sorted)(x), {2, 0, 0, 0, 6, 0, 0, 0, 4});
  const auto best = [](const Array& v) { return sum(pow(top_k(v, 2).values, 3)); };
  expect_near(hessian(best)(x), {0, 0, 0, 0, 30, 0, 0, 0, 18});
  const auto largest = [](const Array& v) { return pow(max(v), 3); };
  expect_near(hessian(largest)(x), {0, 0, 0, 0, 30, 0, 0, 0, 0});
}

TEST(EdgeCasesOfPlaces, derivatives_where_functions_have_corners) {
  const Array zero = zeros({2}, DType::f64);
  for (const double g : grad([](const Array& v) { return norm(v); })(zero).to_vector<double>())
    EXPECT_FALSE(std::isinf(g));
  const Array mask = array({true, false}), nan = array({1.0, kNan});  // in the branch not taken
  const auto chosen = [&](const Array& v) { return sum(where(mask, v, 2.0)); };
  expect_near(grad(chosen)(nan), {1, 0});
  const auto safe = [](const Array& v) { return sum(where(v > 0, sqrt(where(v > 0, v, 1)), 0)); };
  expect_near(grad(safe)(array({4.0, -1.0})), {0.25, 0});
  const auto running = [](const Array& v) { return sum(cumulative_prod(v)); };
  expect_near(grad(running)(array({2.0, 0.0, 3.0})), {1, 8, 0});
  expect_near(grad([](const Array& v) { return prod(v); })(array({0.0, 3.0, 0.0})), {0, 0, 0});
  expect_near(grad([](const Array& v) { return sum(pow(v, 2.0)); })(zero), {0, 0});
  expect_near(grad([](const Array& v) { return sum(pow(v, 0.0)); })(zero), {0, 0});
  expect_near(hessian([](const Array& v) { return sum(pow(v, 2.0)); })(array({0.0})), {2});
}

TEST(EdgeCasesOfPlaces, batches_of_random_numbers_gathers_and_moving_slices) {
  const Array keys = random::split(random::key(3), 4);
  const Array together = vmap([](const Array& k) { return random::normal(k, {3}); })(keys);
  const Array x = arange(20).reshape({4, 5}), at = array({0, 3, 4, 1});
  const Array picked = vmap([](const Array& row, const Array& i) { return row(i); })(x, at);
  const Array moved = vmap([](const Array& row, const Array& i) { return row.at(i).add(100); })(x, at);
  for (int64_t b = 0; b < 4; ++b) {
    EXPECT_TRUE(array_equal(together(b), random::normal(keys(b), {3})).item<bool>());
    EXPECT_EQ(picked(b).item<int>(), x(b, at(b)).item<int>());
    EXPECT_TRUE(array_equal(moved(b), x(b).at(at(b)).add(100)).item<bool>());
  }
}

TEST(EdgeCasesOfPlaces, split_keys_are_distinct) {
  EXPECT_EQ(unique_slices(random::split(random::key(0), 1000)).values.dim(0), 1000);
}

TEST(EdgeCasesOfPlaces, loops_whose_end_differs_in_a_batch) {
  const auto count = [](const Array& limit) {
    const auto below = [&](const Arrays& s) { return s[0] < limit; };
    return while_loop(below, [](const Arrays& s) { return Arrays{s[0] * 2, s[1] + 1}; }, {Array(1.0f), Array(0)})[1];
  };
  expect_near(vmap(count)(array({1.0f, 2.0f, 100.0f})), {0, 1, 7});
}

TEST(EdgeCasesOfPlaces, derivative_through_a_loop_in_a_branch) {
  const auto f = [](const Array& x) {
    const ArrayFunction loop = [](const Arrays& in) {
      return fori_loop(
          0, 3, [](const Array&, const Arrays& s) { return Arrays{s[0] * s[0]}; }, in);
    };
    return cond(x > 1, loop, [](const Arrays& in) { return Arrays{in[0] * 5}; }, {x})[0];  // x^8 or 5 x
  };
  expect_near(grad(f)(array({1.5})(0)), {8 * std::pow(1.5, 7)});
  expect_near(grad(f)(array({0.5})(0)), {5});
}

TEST(EdgeCasesOfPlaces, views_stay_when_another_array_changes_in_place) {
  Array x = arange(6).astype(DType::f32).reshape({2, 3}).eval();
  const Array view = x(1), turned = transpose(x);
  x = x.at(1).set(9);
  x.eval();
  expect_near(view, {3, 4, 5});
  expect_near(turned, {0, 3, 1, 4, 2, 5});
}

// The last of more than 2^31 elements: written by a range, read by a slice and by a gather, moved by padding. The last
// bytes of a range tell whether its numbers were counted in 64 bits.
TEST(EdgeCasesOfPlaces, more_than_two_to_the_31_elements) {
  constexpr int64_t n = (int64_t{1} << 31) + 8;
  const Array wide = broadcast_to(array({3}).astype(DType::u8), {n});
  EXPECT_EQ(wide.size(), n);
  expect_near(wide(Slice{n - 2, n}), {3, 3});
  EXPECT_TEXT(message_of([&] {
                return concat({wide, broadcast_to(wide(0), {INT64_MAX})});
              }),
              "more elements than can be counted");
  try {
    const Array x = arange(n, DType::u8).eval();
    expect_near(x(Slice{n - 2, n}), {6, 7});
    expect_near(take(x, array({n - 1, n - 3, int64_t{0}})), {7, 5, 0});
    expect_near(x(array({-1, -2})), {7, 6});
    expect_near(pad(x, {{1, 1}})(Slice{n - 1, n + 2}), {6, 7, 0});
    expect_near(concat({x, x(Slice{0, 2})})(Slice{n - 1, n + 2}), {7, 0, 1});
    EXPECT_EQ(argmax(x(Slice{n - 4, n})).item<int>(), 3);
  } catch (const Error& error) {
    if (error.kind() != Kind::memory) throw;
    GTEST_SKIP() << "SKIP needs 5 GiB: " << error.what();
  }
}

}  // namespace
}  // namespace hearth
