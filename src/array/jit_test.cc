// SPDX-License-Identifier: Apache-2.0
#include "array/jit.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "base/error.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;

TEST(Jit, traces_once_for_each_combination_of_types) {
  int traced = 0;
  const auto f = jit([&](const Array& x, const Array& y) {
    ++traced;
    return x * y + 1;
  });
  const Array a = array({1.0f, 2.0f}), b = array({3.0f, 4.0f});
  EXPECT_EQ(f(a, b).to_vector<float>(), (Floats{4, 9}));
  EXPECT_EQ(f(b, b).to_vector<float>(), (Floats{10, 17}));
  EXPECT_EQ(traced, 1);
  EXPECT_EQ(f(array({1, 2}), array({3, 4})).to_vector<int>(), (std::vector<int>{4, 9}));
  EXPECT_EQ(f(a, Array(2.0)).to_vector<float>(), (Floats{3, 5}));
  EXPECT_EQ(traced, 3);
}

TEST(Jit, keeps_the_traces_used_last) {
  int traced = 0;
  const auto add_static = jit(
      [&](const Array& x, const Array& n) {
        ++traced;
        return x + float(n.item<int>());
      },
      {.static_arguments = {1}});
  const Array x = array({1.0f});
  const int most = int(kTracesKept);
  for (int n = 0; n < most; ++n) EXPECT_EQ(add_static(x, n).item<float>(), float(1 + n));
  EXPECT_EQ(add_static(x, 0).item<float>(), 1);  // now used later than 1
  EXPECT_EQ(traced, most);
  EXPECT_EQ(add_static(x, most).item<float>(), float(1 + most));  // in the place of 1
  EXPECT_EQ(add_static(x, 0).item<float>(), 1);
  EXPECT_EQ(traced, most + 1);
  EXPECT_EQ(add_static(x, 1).item<float>(), 2);
  EXPECT_EQ(traced, most + 2);
}

TEST(Jit, static_arguments_may_be_read) {
  const auto power = jit(
      [](const Array& x, const Array& n) {
        Array y = 1.0f;
        for (int i = 0; i < n.item<int>(); ++i) y = y * x;
        return y;
      },
      {.static_arguments = {1}});
  EXPECT_EQ(power(array({2.0f}), 3).item<float>(), 8);
  EXPECT_EQ(power(array({2.0f}), 5).item<float>(), 32);
}

TEST(Jit, reading_a_traced_array_is_an_error) {
  const auto f = jit([](const Array& x) { return x.item<float>() > 0 ? x : -x; });
  try {
    f(array({1.0f}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::state);
    EXPECT_NE(std::string(error.what()).find("belongs to a function that is being traced"), std::string::npos);
  }
  EXPECT_EQ(jit([](const Array& x) { return -x; })(array({1.0f})).item<float>(), -1);  // tracing has ended
}

TEST(Jit, donated_arguments_give_their_memory) {
  const auto step = jit([](const Array& x) { return x * 0.5f + 1; }, {.donate = {0}});
  Array x = array(std::vector<float>(100, 4.0f));
  const void* memory = x.data();
  const Array y = step(x);
  EXPECT_EQ(y.data(), memory);
  EXPECT_EQ(y.to_vector<float>()[99], 3);
  EXPECT_THROW(x.to_vector<float>(), Error);
}

TEST(Jit, captures_arrays_from_outside) {
  const Array w = array({10.0f, 20.0f}), lazy = w + 1;
  const auto f = jit([&](const Array& x) { return x * w + lazy; });
  EXPECT_EQ(f(array({1.0f, 2.0f})).to_vector<float>(), (Floats{21, 61}));
}

Array total(const Array& x) {
  return fori_loop(0, x.dim(0),
                   [&](const Array& i, const Arrays& s) -> Arrays {
                     return {s[0] + scan(
                                        [&](const Arrays& c, const Arrays& row) -> ArrayScan {
                                          return {{c[0] + row[0] * (i >= 0)}, {}};
                                        },
                                        {Array(0.0f).astype(DType::f32)}, {x})
                                        .carry[0]};
                   },
                   {Array(0.0f).astype(DType::f32)})[0];
}

TEST(ArrayTransforms, compose) {
  const Array x = array({1.0f, 2.0f, 3.0f});
  const auto f = [](const Array& v) { return total(v * v * v); };
  EXPECT_EQ(f(x).item<float>(), 3 * 36);
  EXPECT_EQ(grad(f)(x).to_vector<float>(), (Floats{9, 36, 81}));
  EXPECT_EQ(jit(grad(f))(x).to_vector<float>(), (Floats{9, 36, 81}));
  EXPECT_EQ(hessian(f)(x).to_vector<float>(), (Floats{18, 0, 0, 0, 36, 0, 0, 0, 54}));
  EXPECT_EQ(vmap(jit(grad(f)))(array({{1.0f, 1.0f, 1.0f}, {2.0f, 2.0f, 2.0f}})).to_vector<float>(),
            (Floats{9, 9, 9, 36, 36, 36}));
  EXPECT_EQ(jvp(on_list(f), {x}, {array({1.0f, 0.0f, 0.0f})}).tangents[0].item<float>(), 9);
  EXPECT_EQ(vjp(on_list(f), {x}).pull_back({Array(2.0f).astype(DType::f32)})[0].to_vector<float>(),
            (Floats{18, 72, 162}));
}

TEST(ArrayTransforms, see_through_jit_and_refuse_reads) {
  const auto square = jit([](const Array& x) { return x * x; });
  EXPECT_EQ(grad(square)(Array(3.0f)).item<float>(), 6);
  const Array outside = array({2.0f}) + 1;
  const auto reads_outside = [&](const Array& x) { return x * outside.item<float>(); };
  EXPECT_EQ(grad(reads_outside)(Array(3.0f)).item<float>(), 3);
  const auto reads_itself = [](const Array& x) { return x * (x * 2).item<float>(); };
  EXPECT_THROW(grad(reads_itself)(Array(3.0f)), Error);
}

TEST(ArrayTransforms, loops_with_a_condition_for_each_example) {
  const auto halvings = [](const Array& n) {
    return while_loop([](const Arrays& s) { return s[0] > 1; },
                      [](const Arrays& s) -> Arrays {
                        return {s[0] * 0.5f, s[1] + 1};
                      },
                      {n, Array(0).astype(DType::i32)})[1];
  };
  EXPECT_EQ(vmap(halvings)(array({1.0f, 8.0f, 100.0f})).to_vector<int>(), (std::vector<int>{0, 3, 7}));
}

TEST(ArrayTransforms, branches_for_each_example_and_their_derivatives) {
  const auto f = [](const Array& x) {
    return cond(
        x > 0, [](const Arrays& in) -> Arrays { return {in[0] * in[0]}; },
        [](const Arrays& in) -> Arrays { return {in[0] * 3}; }, {x})[0];
  };
  EXPECT_EQ(vmap(f)(array({2.0f, -2.0f})).to_vector<float>(), (Floats{4, -6}));
  EXPECT_EQ(vmap(grad(f))(array({2.0f, -2.0f})).to_vector<float>(), (Floats{4, 3}));
}

}  // namespace
}  // namespace hearth
