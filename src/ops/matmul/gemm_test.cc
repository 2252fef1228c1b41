// SPDX-License-Identifier: Apache-2.0
#include "ops/matmul/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/threads.h"

namespace hearth {
namespace {

std::vector<Isa> all_isas() {
  std::vector<Isa> isas;
  for (int i = 0; i <= static_cast<int>(best_isa()); ++i) isas.push_back(static_cast<Isa>(i));
  return isas;
}

double read(const void* p, DType dtype, int64_t i) {
  if (dtype == DType::f32) {
    float x;
    std::memcpy(&x, static_cast<const char*>(p) + i * 4, 4);
    return x;
  }
  uint16_t bits;
  std::memcpy(&bits, static_cast<const char*>(p) + i * 2, 2);
  if (dtype == DType::f16) return f16_to_f32(bits);
  bf16 x;
  x.bits = bits;
  return static_cast<float>(x);
}

void write(void* p, DType dtype, int64_t i, float x) {
  if (dtype == DType::f32) {
    std::memcpy(static_cast<char*>(p) + i * 4, &x, 4);
    return;
  }
  const uint16_t bits = dtype == DType::f16 ? f32_to_f16(x) : bf16(x).bits;
  std::memcpy(static_cast<char*>(p) + i * 2, &bits, 2);
}

// Largest relative error of one rounding; f16 denormals are not met here.
double eps(DType dtype) { return std::ldexp(1.0, dtype == DType::f32 ? -24 : dtype == DType::f16 ? -11 : -8); }

enum class Layout { rows, columns, general };  // which stride is 1

// A matrix in memory of its own, 2 bytes off any larger alignment, ending where its last element ends.
struct Matrix {
  std::vector<char> bytes;
  MatrixRef ref;
  int64_t rows, cols;

  Matrix(int64_t m, int64_t n, DType dtype, Layout layout, std::mt19937& random) : rows(m), cols(n) {
    const int64_t pad = 3;
    ref.dtype = dtype;
    ref.row_stride = layout == Layout::rows ? n + pad : layout == Layout::columns ? 1 : 2 * n + pad;
    ref.col_stride = layout == Layout::rows ? 1 : layout == Layout::columns ? m + pad : 2;
    const int64_t last = m > 0 && n > 0 ? (m - 1) * ref.row_stride + (n - 1) * ref.col_stride + 1 : 0;
    bytes.assign(2 + last * size_bytes(dtype), char(0x7f));  // gaps hold NaN: reading them shows
    ref.data = bytes.data() + 2;
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) set(i, j, normal(random));
    }
  }
  double at(int64_t i, int64_t j) const { return read(ref.data, ref.dtype, i * ref.row_stride + j * ref.col_stride); }
  void set(int64_t i, int64_t j, float x) {
    write(bytes.data() + 2, ref.dtype, i * ref.row_stride + j * ref.col_stride, x);
  }
};

struct Case {
  int64_t m, n, k;
  DType a = DType::f32, b = DType::f32, c = DType::f32;
  Layout a_layout = Layout::rows, b_layout = Layout::columns;
  int64_t k2 = -1;  // second term, when not negative
  DType a2 = DType::f32, b2 = DType::f32;
  int addend = 0;  // 0 none, 1 other memory, 2 C itself
  DType addend_dtype = DType::f32;
  float scale = 1;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.m << "x" << c.n << "x" << c.k << " " << c.a << "*" << c.b << "->" << c.c << " layouts "
             << static_cast<int>(c.a_layout) << static_cast<int>(c.b_layout) << " k2 " << c.k2 << " addend " << c.addend
             << " " << c.addend_dtype;
}

// A call with its operands and the f64 result: three loops, the definition.
struct Problem {
  Case spec;
  std::mt19937 random{7};
  Matrix a, b, a2, b2;
  int64_t ldc;
  std::vector<char> c, addend;
  std::vector<double> expected, scale;  // scale: root of the sum of squares of all summands
  GemmCall call;

  explicit Problem(const Case& s)
      : spec(s),
        a(s.m, s.k, s.a, s.a_layout, random),
        b(s.k, s.n, s.b, s.b_layout, random),
        a2(s.m, std::max<int64_t>(s.k2, 0), s.a2, s.a_layout, random),
        b2(std::max<int64_t>(s.k2, 0), s.n, s.b2, s.b_layout, random),
        ldc(s.n + 5) {
    call.m = s.m;
    call.n = s.n;
    call.terms[0] = {a.ref, b.ref, s.k, s.scale};
    call.terms[1] = {a2.ref, b2.ref, s.k2, 0.75f};
    call.term_count = s.k2 >= 0 ? 2 : 1;
    c.assign(s.m * ldc * size_bytes(s.c), 0);
    for (int64_t i = 0; i < s.m * ldc; ++i) write(c.data(), s.c, i, std::numeric_limits<float>::quiet_NaN());
    call.c = c.data();
    call.c_dtype = s.c;
    call.ldc = ldc;
    if (s.addend) fill_addend();
  }

  void fill_addend() {
    const DType dtype = spec.addend == 2 ? spec.c : spec.addend_dtype;
    addend.assign(spec.m * ldc * size_bytes(dtype), 0);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < spec.m * ldc; ++i) write(addend.data(), dtype, i, normal(random));
    if (spec.addend == 2) c = addend;
    call.c = c.data();
    call.addend = spec.addend == 2 ? static_cast<void*>(c.data()) : addend.data();
    call.addend_dtype = dtype;
    call.ld_addend = ldc;
  }

  void define() {
    expected.assign(spec.m * spec.n, 0);
    scale.assign(spec.m * spec.n, 0);
    for (int64_t i = 0; i < spec.m; ++i) {
      for (int64_t j = 0; j < spec.n; ++j) {
        double sum = 0, squares = 0;
        for (int64_t k = 0; k < spec.k; ++k) {
          const double product = spec.scale * a.at(i, k) * b.at(k, j);
          sum += product;
          squares += product * product;
        }
        for (int64_t k = 0; k < spec.k2; ++k) {
          const double product = 0.75 * a2.at(i, k) * b2.at(k, j);
          sum += product;
          squares += product * product;
        }
        const double extra = spec.addend ? read(addend.data(), call.addend_dtype, i * ldc + j) : 0;
        sum += extra;
        expected[i * spec.n + j] = sum;
        scale[i * spec.n + j] = std::sqrt(squares + extra * extra);
      }
    }
  }

  // Each of K additions rounds a partial sum that is at most about as large as scale: 4 eps sqrt(K) scale for their
  // random walk, and one rounding to the output's dtype.
  void check(const char* where) {
    const double k = static_cast<double>(1 + spec.k + std::max<int64_t>(spec.k2, 0));
    for (int64_t i = 0; i < spec.m; ++i) {
      for (int64_t j = 0; j < ldc; ++j) {
        const double got = read(c.data(), spec.c, i * ldc + j);
        if (j >= spec.n) {
          const bool untouched = spec.addend == 2 ? got == read(addend.data(), spec.c, i * ldc + j) : std::isnan(got);
          ASSERT_TRUE(untouched) << where << " " << spec << " wrote beyond the row at " << i << "," << j;
          continue;
        }
        const double want = expected[i * spec.n + j];
        const double tolerance =
            4 * eps(DType::f32) * std::sqrt(k) * scale[i * spec.n + j] + eps(spec.c) * std::abs(want);
        ASSERT_NEAR(got, want, tolerance) << where << " " << spec << " at " << i << "," << j;
      }
    }
  }

  void run(Isa isa) {
    if (spec.addend == 2) std::copy(addend.begin(), addend.end(), c.begin());
    gemm_with(isa, call);
  }
};

void check_all_isas(const Case& spec) {
  Problem problem(spec);
  problem.define();
  for (Isa isa : all_isas()) {
    problem.run(isa);
    problem.check(isa_name(isa));
    if (testing::Test::HasFatalFailure()) return;
  }
}

struct Threads {
  int before = num_threads();
  explicit Threads(int n) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
};

constexpr DType kFloats[] = {DType::f32, DType::bf16, DType::f16};
constexpr Layout kLayouts[] = {Layout::rows, Layout::columns, Layout::general};

TEST(Gemm, every_dtype_and_layout) {
  for (DType a : kFloats) {
    for (DType b : kFloats) {
      for (DType c : kFloats) {
        for (Layout la : kLayouts) {
          for (Layout lb : kLayouts) {
            check_all_isas({.m = 37, .n = 45, .k = 51, .a = a, .b = b, .c = c, .a_layout = la, .b_layout = lb});
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TEST(Gemm, sizes_around_tiles) {
  const int64_t sizes[] = {1, 2, 5, 6, 7, 13, 14, 15, 16, 17, 31, 32, 33, 65};
  for (int64_t m : sizes) {
    for (int64_t n : sizes) {
      for (int64_t k : {1, 2, 31, 33, 64}) {
        for (DType dtype : {DType::f32, DType::bf16}) {
          const Layout la = (m + k) % 2 ? Layout::rows : Layout::columns,
                       lb = (n + k) % 3 ? Layout::columns : Layout::rows;
          check_all_isas({.m = m, .n = n, .k = k, .a = dtype, .b = dtype, .a_layout = la, .b_layout = lb});
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(Gemm, few_rows_or_columns_all_layouts) {
  for (int64_t few : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 32}) {
    for (DType a : kFloats) {
      for (DType b : kFloats) {
        for (Layout la : kLayouts) {
          for (Layout lb : kLayouts) {
            check_all_isas({.m = few, .n = 131, .k = 77, .a = a, .b = b, .c = a, .a_layout = la, .b_layout = lb});
            check_all_isas(
                {.m = 131, .n = few, .k = 77, .a = a, .b = b, .c = b, .a_layout = la, .b_layout = lb, .addend = 1});
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TEST(Gemm, several_stages_and_macro_blocks) {
  for (DType c : {DType::f32, DType::bf16}) {
    check_all_isas({.m = 50, .n = 70, .k = 5000, .c = c, .addend = 2});
    check_all_isas({.m = 50, .n = 70, .k = 5001, .a = DType::bf16, .b = DType::bf16, .c = c, .b_layout = Layout::rows});
    check_all_isas({.m = 150, .n = 70, .k = 1024, .c = c});  // rows of A a page apart
    check_all_isas({.m = 33, .n = 4500, .k = 1030, .b = DType::bf16, .c = c, .k2 = 8});
    check_all_isas({.m = 2300, .n = 40, .k = 1100, .c = c, .a_layout = Layout::columns, .k2 = 8});
    if (HasFatalFailure()) return;
  }
}

// Few tasks in a row or column of C pack their operands themselves, many share what all threads packed.
TEST(Gemm, tasks_that_pack_their_own_and_tasks_that_share) {
  for (int threads : {1, 5, 16}) {
    const Threads set(threads);
    for (DType dtype : {DType::f32, DType::bf16}) {
      check_all_isas({.m = 700, .n = 90, .k = 800, .a = dtype, .b = dtype, .c = dtype, .k2 = 8});
      check_all_isas({.m = 90, .n = 700, .k = 800, .a = dtype, .b = dtype, .c = dtype, .b_layout = Layout::rows});
      check_all_isas({.m = 330, .n = 350, .k = 420, .a = dtype, .b = dtype, .c = dtype, .addend = 1});
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Gemm, few_rows_and_a_long_k) {
  for (int64_t few : {1, 2, 9, 16, 17, 31, 32}) {
    for (DType b : {DType::f32, DType::bf16}) {
      check_all_isas({.m = few, .n = 100, .k = 2077, .a = DType::bf16, .b = b, .c = b, .b_layout = Layout::columns});
      check_all_isas({.m = 100, .n = few, .k = 2077, .a = b, .b = DType::bf16, .c = b, .b_layout = Layout::rows});
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Gemm, split_k_of_small_results) {
  Threads five(5);
  check_all_isas({.m = 8, .n = 40, .k = 9000, .a_layout = Layout::columns, .b_layout = Layout::rows});
  check_all_isas({.m = 40, .n = 8, .k = 9001, .a_layout = Layout::columns, .b_layout = Layout::rows, .addend = 2});
  for (DType dtype : {DType::f32, DType::bf16}) {
    for (int64_t few : {3, 8, 13, 30})
      check_all_isas({.m = few, .n = 33, .k = 9003, .a = dtype, .b = dtype, .b_layout = Layout::columns});
  }
  check_all_isas({.m = 3, .n = 5, .k = 12000, .a = DType::bf16, .b = DType::bf16, .c = DType::bf16});
}

TEST(Gemm, two_terms) {
  for (int64_t k2 : {0, 1, 8, 64}) {
    for (DType a : kFloats) {
      for (DType a2 : {DType::f32, DType::bf16}) {
        for (int64_t m : {1, 4, 70}) {
          for (int addend : {0, 1, 2}) {
            check_all_isas({.m = m,
                            .n = 90,
                            .k = 96,
                            .a = a,
                            .b = DType::bf16,
                            .c = DType::bf16,
                            .k2 = k2,
                            .a2 = a2,
                            .b2 = a2,
                            .addend = addend,
                            .scale = 0.5f});
            check_all_isas({.m = m, .n = 90, .k = 0, .a = a, .b = DType::bf16, .k2 = k2, .a2 = a2, .addend = addend});
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
  check_all_isas({.m = 40, .n = 40, .k = 8, .k2 = 3000, .a2 = DType::bf16, .b2 = DType::bf16});
}

TEST(Gemm, addend_of_every_dtype) {
  for (DType c : kFloats) {
    for (DType d : kFloats) {
      for (int64_t m : {2, 37}) {
        for (int64_t k : {0, 20}) check_all_isas({.m = m, .n = 45, .k = k, .c = c, .addend = 1, .addend_dtype = d});
        check_all_isas({.m = m, .n = 45, .k = 20, .c = c, .addend = 2});
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(Gemm, empty_sizes) {
  for (Isa isa : all_isas()) {
    Problem none({.m = 3, .n = 4, .k = 0});
    none.run(isa);
    for (int64_t i = 0; i < 3; ++i) {
      for (int64_t j = 0; j < 4; ++j) EXPECT_EQ(read(none.c.data(), DType::f32, i * none.ldc + j), 0.0);
    }
    Problem rows({.m = 0, .n = 4, .k = 5}), cols({.m = 4, .n = 0, .k = 5});
    rows.run(isa);
    cols.run(isa);
    for (int64_t i = 0; i < 4 * cols.ldc; ++i) EXPECT_TRUE(std::isnan(read(cols.c.data(), DType::f32, i)));
  }
}

// One infinity in B times a zero in A is NaN in that row only; other rows see infinity in that column.
TEST(Gemm, nan_and_infinity_propagate) {
  for (Isa isa : all_isas()) {
    for (DType dtype : kFloats) {
      for (int64_t m : {2, 15, 40}) {
        Problem p(
            {.m = m, .n = 35, .k = 33, .a = dtype, .b = dtype, .b_layout = m == 15 ? Layout::rows : Layout::columns});
        for (int64_t i = 0; i < m; ++i) p.a.set(i, 32, i == 1 ? 0.0f : 1.0f);
        p.b.set(32, 34, std::numeric_limits<float>::infinity());
        p.a.set(0, 5, std::numeric_limits<float>::quiet_NaN());
        p.run(isa);
        for (int64_t i = 0; i < m; ++i) {
          for (int64_t j = 0; j < 35; ++j) {
            const double x = read(p.c.data(), DType::f32, i * p.ldc + j);
            if (i == 0 || (i == 1 && j == 34))
              EXPECT_TRUE(std::isnan(x)) << isa_name(isa) << " " << i << "," << j;
            else if (j == 34)
              EXPECT_EQ(x, std::numeric_limits<double>::infinity()) << isa_name(isa) << " " << i;
            else
              EXPECT_TRUE(std::isfinite(x)) << isa_name(isa) << " " << i << "," << j;
          }
        }
      }
    }
  }
}

TEST(Gemm, bf16_sums_keep_growing) {  // a bf16 sum would stop at 256
  for (Isa isa : all_isas()) {
    for (int64_t m : {1, 20}) {
      Problem p({.m = m, .n = 20, .k = 4096, .a = DType::bf16, .b = DType::bf16});
      for (int64_t i = 0; i < 4096; ++i) {
        for (int64_t j = 0; j < 20; ++j) p.b.set(i, j, 1);
        for (int64_t r = 0; r < m; ++r) p.a.set(r, i, 1);
      }
      p.run(isa);
      EXPECT_EQ(read(p.c.data(), DType::f32, 0), 4096) << isa_name(isa);
    }
  }
}

TEST(Gemm, same_bits_again_and_right_for_any_thread_count) {
  for (int threads : {1, 2, 5}) {
    Threads scope(threads);
    for (const Case& spec : {Case{.m = 150, .n = 190, .k = 700, .k2 = 8}, Case{.m = 8, .n = 384, .k = 2048},
                             Case{.m = 1, .n = 300, .k = 900, .a = DType::bf16, .b = DType::bf16, .c = DType::bf16},
                             Case{.m = 200, .n = 130, .k = 90, .a = DType::bf16, .b = DType::bf16, .c = DType::bf16}}) {
      Problem p(spec);
      p.define();
      for (Isa isa : all_isas()) {
        p.run(isa);
        p.check(isa_name(isa));
        const std::vector<char> first = p.c;
        for (int again = 0; again < 5; ++again) {
          p.run(isa);
          ASSERT_EQ(std::memcmp(first.data(), p.c.data(), first.size()), 0)
              << isa_name(isa) << " " << threads << " threads";
        }
      }
    }
  }
}

TEST(Gemm, inside_parallel_for) {
  Threads scope(3);
  std::vector<Problem> problems;
  problems.reserve(6);
  for (int i = 0; i < 6; ++i)
    problems.emplace_back(Case{.m = 20 + 7 * i, .n = 60, .k = 64, .a = DType::bf16, .b = DType::bf16});
  for (Problem& p : problems) p.define();
  parallel_for(6, [&](int64_t i, int) { gemm_on_this_thread(problems[i].call); });
  for (Problem& p : problems) p.check("gemm_on_this_thread");
  for (Problem& p : problems) std::fill(p.c.begin(), p.c.end(), char(0xff));
  parallel_for(6, [&](int64_t i, int) { gemm(problems[i].call); });
  for (Problem& p : problems) p.check("gemm inside a body");
  gemm_release_scratch();
  gemm(problems[0].call);
  problems[0].check("after the scratch was freed");
}

}  // namespace
}  // namespace hearth
