// SPDX-License-Identifier: Apache-2.0
// What NumPy 2.4 prints for the same arrays. Thousands of random ones agreed when this was written.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "array/creation.h"
#include "array/elementwise_functions.h"
#include "array/jit.h"
#include "array/manipulation.h"
#include "base/error.h"

namespace hearth {
namespace {

using C = std::complex<float>;

TEST(Print, whole_numbers_and_bool) {
  EXPECT_EQ(arange(5).to_string(), "[0 1 2 3 4]");
  EXPECT_EQ(array({1, -20, 300}).to_string(), "[  1 -20 300]");
  EXPECT_EQ(array({uint64_t(UINT64_MAX), uint64_t(0)}).to_string(), "[18446744073709551615                    0]");
  EXPECT_EQ(array({int64_t(INT64_MIN)}).to_string(), "[-9223372036854775808]");
  EXPECT_EQ(array({{true, false}, {false, false}}).to_string(), "[[ True False]\n [False False]]");
}

TEST(Print, points_stand_below_each_other) {
  EXPECT_EQ(array({1.0f, 2.5f, -3.25f}).to_string(), "[ 1.    2.5  -3.25]");
  EXPECT_EQ(array({0.0f, -0.0f}).to_string(), "[ 0. -0.]");
  EXPECT_EQ(array({{0.1, 10.0}, {50.5, 1.0 / 3}}).to_string(),
            "[[ 0.1        10.        ]\n [50.5         0.33333333]]");
  EXPECT_EQ(array({0.1f, 1.0f / 3}).to_string(), "[0.1        0.33333334]");
  EXPECT_EQ(array({1.5f, 1.0f / 3}).astype(DType::f16).to_string(), "[1.5    0.3333]");
  EXPECT_EQ(array({1.5f, 1.0f / 3}).astype(DType::bf16).to_string(), "[1.5   0.334]");
}

TEST(Print, scientific_where_numpy_does) {
  EXPECT_EQ(array({1e8, 1.0}).to_string(), "[1.e+08 1.e+00]");
  EXPECT_EQ(array({99999999.0, 1e5}).to_string(), "[99999999.   100000.]");
  EXPECT_EQ(array({1e-5, 1e-6}).to_string(), "[1.e-05 1.e-06]");
  EXPECT_EQ(array({1e-4, 1e-3}).to_string(), "[0.0001 0.001 ]");
  EXPECT_EQ(array({1.0, 1001.0}).to_string(), "[1.000e+00 1.001e+03]");
  EXPECT_EQ(array({1e300, 1.5}).to_string(), "[1.0e+300 1.5e+000]");
  EXPECT_EQ(array({1e6f}).to_string(), "[1.e+06]");
  EXPECT_EQ(array({1e7}).to_string(), "[10000000.]");
  EXPECT_EQ(array({1e-5f, 1.0f / 3}).to_string(), "[9.9999997e-06 3.3333334e-01]");
}

TEST(Print, nan_and_infinities) {
  EXPECT_EQ(array({1.0f, NAN, INFINITY, -INFINITY}).to_string(), "[  1.  nan  inf -inf]");
  EXPECT_EQ(array({NAN, NAN}).to_string(), "[nan nan]");
  EXPECT_EQ(array({INFINITY, 1.25f}).to_string(), "[ inf 1.25]");
  EXPECT_EQ(array({1e9, (double)NAN}).to_string(), "[1.e+09    nan]");
}

TEST(Print, complex_numbers) {
  EXPECT_EQ(array({C(1, 2), C(-1.5f, -0.25f)}).to_string(), "[ 1. +2.j   -1.5-0.25j]");
  EXPECT_EQ(array({C(NAN, INFINITY), C(1, -1)}).to_string(), "[nan+infj  1. -1.j]");
  EXPECT_EQ(array({C(0, 1)}).reshape({}).to_string(), "1j");
  EXPECT_EQ(array({C(1.5f, -2)}).reshape({}).to_string(), "(1.5-2j)");
  EXPECT_EQ(array({C(-0.0f, NAN)}).reshape({}).to_string(), "(-0+nanj)");
}

TEST(Print, scalars_are_written_in_full) {
  EXPECT_EQ(Array(3).to_string(), "3");
  EXPECT_EQ(Array(true).to_string(), "True");
  EXPECT_EQ(Array(1.0).to_string(), "1.0");
  EXPECT_EQ(array({1.0 / 3}).reshape({}).to_string(), "0.3333333333333333");
  EXPECT_EQ(array({1e15}).reshape({}).to_string(), "1000000000000000.0");
  EXPECT_EQ(array({1e16}).reshape({}).to_string(), "1e+16");
  EXPECT_EQ(array({16777216.0f}).reshape({}).to_string(), "1.6777216e+07");
  EXPECT_EQ(array({-INFINITY}).reshape({}).to_string(), "-inf");
}

TEST(Print, brackets_nest) {
  EXPECT_EQ(arange(8).reshape({2, 2, 2}).to_string(), "[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]");
  EXPECT_EQ(arange(2).reshape({2, 1, 1, 1}).to_string(), "[[[[0]]]\n\n\n [[[1]]]]");
  EXPECT_EQ(zeros({0}).to_string(), "[]");
  EXPECT_EQ(zeros({2, 0}).to_string(), "[]");
  std::ostringstream out;
  out << arange(2);
  EXPECT_EQ(out.str(), "[0 1]");
}

TEST(Print, long_rows_are_broken) {
  EXPECT_EQ(arange(40).to_string(),
            "[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n"
            " 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39]");
  const std::string nested = arange(30, 90).reshape({1, 1, 60}).to_string();
  EXPECT_EQ(nested.substr(0, nested.find('\n')),
            "[[[30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52");
}

TEST(Print, more_than_a_thousand_are_left_out) {
  EXPECT_EQ(arange(1001).to_string(), "[   0    1    2 ...  998  999 1000]");
  EXPECT_NE(arange(1000).to_string().find("500"), std::string::npos);
  EXPECT_EQ(arange(2000).reshape({400, 5}).to_string(),
            "[[   0    1    2    3    4]\n [   5    6    7    8    9]\n [  10   11   12   13   14]\n ...\n"
            " [1985 1986 1987 1988 1989]\n [1990 1991 1992 1993 1994]\n [1995 1996 1997 1998 1999]]");
  EXPECT_EQ(zeros({1, 1, 2000}).to_string(), "[[[0. 0. 0. ... 0. 0. 0.]]]");
  // Only what is shown decides the width.
  EXPECT_EQ(where(arange(1001) == 500, 1e9, zeros({1001})).to_string(), "[0. 0. 0. ... 0. 0. 0.]");
}

TEST(Print, needs_elements) {
  const auto f = jit([](const Array& x) { return x.to_string().empty() ? x : x + 1; });
  EXPECT_THROW(f(array({1.0f})), Error);
}

}  // namespace
}  // namespace hearth
