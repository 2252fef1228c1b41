// SPDX-License-Identifier: Apache-2.0
// gemm on f64, integers and complex numbers beside three loops, the definition.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <vector>

#include "base/threads.h"
#include "ops/matmul/gemm.h"

namespace hearth {
namespace {

template <class T>
constexpr bool kComplex = false;
template <class T>
constexpr bool kComplex<std::complex<T>> = true;

template <class T>
T random_number(std::mt19937& random) {
  std::normal_distribution<double> normal;
  if constexpr (kComplex<T>)
    return {typename T::value_type(normal(random)), typename T::value_type(normal(random))};
  else if constexpr (std::is_floating_point_v<T>)
    return T(normal(random));
  else
    return T(uint64_t(random()) << 32 | random());  // every bit counts: sums wrap around
}

// Which neighbours are next to each other in memory.
enum class Layout { rows, columns, neither };

template <class T>
struct Matrix {
  std::vector<T> data;
  MatrixRef ref;
  Matrix(int64_t m, int64_t n, Layout layout, std::mt19937& random) {
    ref.dtype = dtype_of<T>;
    ref.row_stride = layout == Layout::rows ? n + 3 : layout == Layout::columns ? 1 : 2 * n + 3;
    ref.col_stride = layout == Layout::rows ? 1 : layout == Layout::columns ? m + 3 : 2;
    data.resize(size_t((m + 1) * ref.row_stride + (n + 1) * ref.col_stride));
    for (T& x : data) x = random_number<T>(random);
    ref.data = data.data();
  }
  T& at(int64_t i, int64_t j) { return data[size_t(i * ref.row_stride + j * ref.col_stride)]; }
};

struct Case {
  int64_t m, n, k;
  Layout a = Layout::rows, b = Layout::rows;
};
std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.m << "x" << c.n << "x" << c.k << " layouts " << int(c.a) << int(c.b);
}

template <class T>
struct Problem {
  using Wide = std::conditional_t<std::is_integral_v<T>, uint64_t,
                                  std::conditional_t<kComplex<T>, std::complex<long double>, long double>>;
  struct Element {
    Wide sum = 0;
    long double tolerance = 0;
  };
  Case spec;
  std::mt19937 random{11};
  Matrix<T> a, b;
  std::vector<T> c;
  int64_t ldc;
  GemmCall call;
  std::vector<Element> wanted;

  explicit Problem(const Case& s)
      : spec(s), a(s.m, s.k, s.a, random), b(s.k, s.n, s.b, random), c(size_t(s.m * (s.n + 3)), T(77)), ldc(s.n + 3) {
    call.m = s.m;
    call.n = s.n;
    call.terms[0] = {a.ref, b.ref, s.k};
    call.c = c.data();
    call.c_dtype = dtype_of<T>;
    call.ldc = ldc;
  }

  void check(const char* where) {
    for (int64_t i = 0; i < spec.m; ++i) {
      for (int64_t j = 0; j < ldc; ++j) {
        const T got = c[size_t(i * ldc + j)];
        if (j >= spec.n)
          ASSERT_EQ(got, T(77)) << where << " " << spec << " wrote beyond the row at " << i << "," << j;
        else
          ASSERT_NO_FATAL_FAILURE(check_element(where, i, j, got));
      }
    }
  }

  void check_element(const char* where, int64_t i, int64_t j, T got) {
    const Element& want = wanted[size_t(i * spec.n + j)];
    if constexpr (std::is_integral_v<T>)
      ASSERT_EQ(got, T(want.sum)) << where << " " << spec << " at " << i << "," << j;
    else
      ASSERT_LE(std::abs(Wide(got) - want.sum), want.tolerance) << where << " " << spec << " at " << i << "," << j;
  }

  // The definition. Sums of numbers of unit size, as gemm_test.cc bounds them: each of K additions rounds a partial sum
  // that is about as large as the root of the sum of squares.
  void define() {
    for (int64_t i = 0; i < spec.m; ++i) {
      for (int64_t j = 0; j < spec.n; ++j) {
        Element& e = wanted.emplace_back();
        long double squares = 0;
        for (int64_t k = 0; k < spec.k; ++k) {
          const Wide product = Wide(a.at(i, k)) * Wide(b.at(k, j));
          e.sum += product;
          if constexpr (!std::is_integral_v<T>) squares += std::norm(product);
        }
        if constexpr (!std::is_integral_v<T>) {
          const long double eps = std::numeric_limits<decltype(std::abs(T()))>::epsilon() / 2;
          e.tolerance = 4 * eps * std::sqrt((2 + 2 * spec.k) * squares) + eps * std::abs(e.sum);
        }
      }
    }
  }
};

template <class T>
class WideGemm : public testing::Test {
 protected:
  static void check(const Case& spec) {
    Problem<T> problem(spec);
    problem.define();
    for (int isa = 0; isa <= int(best_isa()); ++isa) {
      std::fill(problem.c.begin(), problem.c.end(), T(77));
      gemm_with(Isa(isa), problem.call);
      ASSERT_NO_FATAL_FAILURE(problem.check(isa_name(Isa(isa))));
    }
  }
};
using Dtypes = testing::Types<double, std::complex<float>, std::complex<double>, int8_t, uint8_t, int16_t, uint16_t,
                              int32_t, uint32_t, int64_t, uint64_t>;
TYPED_TEST_SUITE(WideGemm, Dtypes);

TYPED_TEST(WideGemm, sizes_around_tiles_in_every_layout) {
  const Layout layouts[] = {Layout::rows, Layout::columns, Layout::neither};
  int turn = 0;
  for (int64_t m : {1, 4, 5, 6, 7, 13, 15, 29}) {
    for (int64_t n : {1, 7, 8, 9, 16, 17, 31, 33}) {
      for (int64_t k : {1, 2, 33}) {
        const Case spec{m, n, k, layouts[turn % 3], layouts[turn / 3 % 3]};
        ++turn;
        ASSERT_NO_FATAL_FAILURE(this->check(spec));
      }
    }
  }
}

TYPED_TEST(WideGemm, several_stages_tasks_and_macro_blocks) {
  for (Layout layout : {Layout::rows, Layout::columns, Layout::neither}) {
    ASSERT_NO_FATAL_FAILURE(this->check({17, 35, 2500, layout, layout}));
    ASSERT_NO_FATAL_FAILURE(this->check({300, 40, 65, layout, Layout::columns}));
  }
  if (std::is_same_v<TypeParam, double>) this->check({9, 2300, 1100});
}

// Read where it lies: chunks, eight steps of k at a time, four vectors of sums.
TYPED_TEST(WideGemm, few_rows_or_columns) {
  const Layout layouts[] = {Layout::rows, Layout::columns, Layout::neither};
  for (int64_t few : {1, 2, 3, 4, 5}) {
    for (int64_t k : {1, 7, 8, 9, 31, 65, 700}) {
      for (Layout layout : layouts) {
        ASSERT_NO_FATAL_FAILURE(this->check({few, 131, k, layouts[(few + k) % 3], layout}));
        ASSERT_NO_FATAL_FAILURE(this->check({131, few, k, layout, layouts[(few + k) % 3]}));
      }
    }
  }
  ASSERT_NO_FATAL_FAILURE(this->check({2, 5000, 5}));
  ASSERT_NO_FATAL_FAILURE(this->check({1, 3, 9001, Layout::rows, Layout::columns}));
}

TYPED_TEST(WideGemm, empty) {
  this->check({0, 4, 5});
  this->check({4, 0, 5});
  this->check({4, 5, 0});
}

TYPED_TEST(WideGemm, same_bits_for_any_thread_count) {
  const int before = num_threads();
  for (const Case& spec :
       {Case{190, 150, 700}, Case{3, 1500, 700}, Case{1, 1500, 700, Layout::rows, Layout::columns}}) {
    Problem<TypeParam> problem(spec);
    std::vector<TypeParam> first;
    for (int threads : {1, 2, 5, 16}) {
      set_num_threads(threads);
      gemm(problem.call);
      if (first.empty()) first = problem.c;
      EXPECT_EQ(std::memcmp(first.data(), problem.c.data(), first.size() * sizeof first[0]), 0)
          << threads << " threads " << spec;
    }
  }
  set_num_threads(before);
}

// A NaN of A spoils its row, an infinity of B its column; zero times it is NaN.
TEST(WideGemmF64, nan_and_infinity_propagate) {
  Problem<double> p({20, 19, 18});
  p.a.at(3, 2) = std::numeric_limits<double>::quiet_NaN();
  p.b.at(5, 7) = std::numeric_limits<double>::infinity();
  p.a.at(4, 5) = 0;
  for (int isa = 0; isa <= int(best_isa()); ++isa) {
    gemm_with(Isa(isa), p.call);
    for (int64_t i = 0; i < 20; ++i) {
      for (int64_t j = 0; j < 19; ++j) {
        const double x = p.c[size_t(i * p.ldc + j)];
        EXPECT_EQ(std::isnan(x), i == 3 || (i == 4 && j == 7)) << isa_name(Isa(isa)) << " " << i << "," << j;
        EXPECT_EQ(std::isinf(x), i != 3 && i != 4 && j == 7) << isa_name(Isa(isa)) << " " << i << "," << j;
      }
    }
  }
}

}  // namespace
}  // namespace hearth
