// SPDX-License-Identifier: Apache-2.0
#include "ops/sort/sort.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "array/transforms.h"
#include "base/file_test_folder.h"
#include "base/threads.h"
#include "compiler/passes.h"
#include "ir/count_test.h"
#include "ops/along_axis/batch_rule_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

const double kNan = std::nan(""), kInf = INFINITY;
const std::vector<DType> kFloats = {DType::f32, DType::bf16, DType::f16, DType::f64},
                         kIntegers = {DType::i32, DType::boolean, DType::i8,  DType::u8, DType::i16,
                                      DType::u16, DType::u32,     DType::i64, DType::u64};

// a before b: NaN is the largest number.
bool less(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

struct Order {
  size_t axis = 0, keys = 1;
  bool descending = false;
};

// All operands in the order of the first keys, then the numbers.
std::vector<Reals> sorted(const std::vector<Reals>& in, const Order& how) {
  std::vector<Reals> out = in;
  out.emplace_back(in[0].dims);
  const int64_t n = in[0].dims[how.axis];
  Dims lanes = in[0].dims;
  lanes[how.axis] = std::min<int64_t>(1, n);
  for_each_index(lanes, [&](const Dims& first, int64_t) {
    const auto at = [&](size_t k, int64_t i) {
      Dims place = first;
      place[how.axis] = i;
      return in[k](place);
    };
    std::vector<int64_t> order(size_t(n), 0);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
      for (size_t k = 0; k < how.keys; ++k) {
        const double a = at(k, how.descending ? j : i), b = at(k, how.descending ? i : j);
        if (less(a, b)) return true;
        if (less(b, a)) return false;
      }
      return false;
    });
    Dims place = first;
    for (int64_t i = 0; i < n; ++i) {
      place[how.axis] = i;
      for (size_t k = 0; k < in.size(); ++k) out[k](place) = at(k, order[size_t(i)]);
      out.back()(place) = double(order[size_t(i)]);
    }
  });
  return out;
}

// Sorts one operand: its values alone, then values and numbers.
std::vector<OpTest> sort_tests(const std::string& name, const Dims& dims, Order how,
                               const std::vector<double>& values = {}) {
  const SortOptions options{.descending = how.descending};
  const OpCase one{name + (how.descending ? "_descending" : ""), {{dims, 0, 9, {}, values}}, 1, values.empty()};
  OpTest alone{.op = "sort_keys",
               .cases = {one},
               .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                 return {sort(in[0], int64_t(how.axis), options)};
               },
               .definition = [=](const std::vector<Reals>& in) { return std::vector<Reals>{sorted(in, how)[0]}; }};
  OpTest numbered = alone;
  numbered.op = "sort_keys_indices";
  numbered.build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
    const Sorted y = sort_with_indices(in[0], int64_t(how.axis), options);
    return {y.values, y.indices};
  };
  numbered.definition = [=](const std::vector<Reals>& in) { return sorted(in, how); };
  return {alone, numbered};
}

OpTest lexicographic_test(const std::string& name, const Dims& dims, int64_t keys, bool descending) {
  const Order how{dims.size() - 1, size_t(keys), descending};
  return {.op = "sort_keys",
          .cases = {{name,
                     {{dims, 0, 3, DType::i8}, {dims, 0, 2, DType::f64}, {dims, -2, 2}, {dims, 0, 2, DType::boolean}}}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return sort_by_keys(in, -1, keys, {.descending = descending});
          },
          .definition =
              [=](const std::vector<Reals>& in) {
                std::vector<Reals> out = sorted(in, how);
                out.pop_back();
                return out;
              }};
}

OpTest top_k_test(const std::string& name, const Dims& dims, int64_t k, size_t axis,
                  const std::vector<double>& values = {}) {
  return {.op = "top_k",
          .cases = {{name, {{dims, -9, 9, {}, values}}, 1, values.empty()}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            const Sorted y = top_k(in[0], k, int64_t(axis));
            return {y.values, y.indices};
          },
          .definition =
              [=](const std::vector<Reals>& in) {
                const std::vector<Reals> all = sorted(in, {axis, 1, true});
                Dims dims_k = dims;
                dims_k[axis] = k;
                std::vector<Reals> out = {Reals(dims_k), Reals(dims_k)};
                for_each_index(dims_k, [&](const Dims& at, int64_t i) {
                  for (size_t o = 0; o < 2; ++o) out[o][i] = all[o](at);
                });
                return out;
              }};
}

void add(std::vector<OpTest>& tests, std::vector<OpTest> more, const std::vector<DType>& dtypes = {}) {
  for (OpTest& test : more) {
    if (!dtypes.empty()) test.dtypes = dtypes;
    tests.push_back(test);
  }
}

std::vector<OpTest> rows() {
  const std::vector<double> specials = {1,  kNan, -0.0, 3,  0.0,  -kInf, kInf, 2,    kNan, 0.0,  -0.0,
                                        -3, kInf, 2,    -2, 1e-9, 0.0,   kNan, -0.0, 7,    -kInf};
  std::vector<OpTest> tests;
  for (const bool descending : {false, true}) {
    add(tests, sort_tests("one", {1}, {0, 1, descending}));
    add(tests, sort_tests("rows", {3, 7}, {1, 1, descending}));
    add(tests, sort_tests("insertion_limit", {2, 40}, {1, 1, descending}));
    for (const std::vector<DType>& dtypes : {kFloats, kIntegers}) {
      add(tests, sort_tests("insertion_limit_plus_one", {2, 41}, {1, 1, descending}), dtypes);
      add(tests, sort_tests("columns", {41, 17}, {0, 1, descending}), dtypes);
    }
    add(tests, sort_tests("middle_axis", {2, 50, 3}, {1, 1, descending}));
    add(tests, sort_tests("specials", {3, 21}, {1, 1, descending}, specials));
    add(tests, sort_tests("specials_radix", {2, 63}, {1, 1, descending}, specials));
    add(tests, sort_tests("all_nan", {50}, {0, 1, descending}, {kNan}));
    add(tests, sort_tests("ties", {60, 2}, {0, 1, descending}, {3, 1, 2, 2, 1, 3, 3}), kIntegers);
    add(tests, sort_tests("integers", {2, 300}, {1, 1, descending}), kIntegers);
    add(tests, sort_tests("no_elements", {3, 0}, {1, 1, descending}));
    add(tests, sort_tests("no_rows", {0, 3}, {1, 1, descending}));
    tests.push_back(lexicographic_test(descending ? "two_keys_descending" : "two_keys", {3, 60}, 2, descending));
    tests.push_back(lexicographic_test(descending ? "all_keys_descending" : "all_keys", {2, 60}, 4, descending));
  }
  add(tests, sort_tests("negative_integers", {50}, {0, 1, false}, {-128, 127, 0, -1, 1, -127, 5}),
      {DType::i8, DType::i16, DType::i32, DType::i64});
  tests.push_back(lexicographic_test("one_key", {3, 60}, 1, false));
  tests.push_back(top_k_test("some", {3, 100}, 5, 1));
  tests.push_back(top_k_test("one", {3, 7}, 1, 1));
  tests.push_back(top_k_test("all", {2, 65}, 65, 1));
  tests.push_back(top_k_test("none", {2, 5}, 0, 1));
  tests.push_back(top_k_test("of_none", {2, 0}, 0, 1));
  tests.push_back(top_k_test("first_axis", {70, 5}, 3, 0));
  tests.push_back(top_k_test("long_rows", {2, 5000}, 7, 1));
  tests.push_back(top_k_test("specials", {2, 21}, 20, 1, specials));
  add(tests, {top_k_test("f64", {2, 300}, 40, 1)}, {DType::f64});
  tests.push_back(top_k_test("ties", {2, 400}, 9, 1, {3, 1, 2, 2, 1, 3, 3}));
  for (const OpTest& test : {top_k_test("integers", {2, 300}, 4, 1), top_k_test("integers_all", {2, 50}, 50, 1)})
    add(tests, {test}, {DType::i32, DType::i8, DType::i64});
  OpTest unsigned_top = top_k_test("unsigned", {2, 300}, 40, 1, {0, 1, 1, 0, 1});
  unsigned_top.dtypes = {DType::boolean, DType::u8, DType::u16, DType::u32, DType::u64};
  tests.push_back(unsigned_top);
  return tests;
}

HEARTH_OP_TESTS(sort, rows)

// Zeros of both signs are equal, so they keep their places; the bits of NaNs too.
TEST(Sort, keeps_the_bits_of_zeros_and_nans) {
  std::vector<float> x;
  for (int i = 0; i < 200; ++i) x.push_back(i % 3 == 0 ? 0.0f : i % 3 == 1 ? -0.0f : i % 2 ? NAN : -NAN);
  const auto at = [&](int i) { return std::bit_cast<uint32_t>(x[size_t(i)]); };
  for (const bool descending : {false, true}) {
    Graph g;
    g.output("y", sort(g.input("x", {DType::f32, {200}}), 0, {.descending = descending}));
    Bytes bytes(800);
    std::memcpy(bytes.data(), x.data(), 800);
    const std::vector<Bytes> y = run_graph(g, {bytes});
    std::vector<uint32_t> wanted, got(200);
    std::memcpy(got.data(), y[0].data(), 800);
    for (const bool nan : {descending, !descending}) {
      for (int i = 0; i < 200; ++i) {
        if ((i % 3 == 2) == nan) wanted.push_back(at(i));
      }
    }
    EXPECT_EQ(got, wanted);
  }
}

// Rows long enough that all threads sort one: as many as they are, the same bits; and what one thread gives.
TEST(Sort, long_rows_on_all_threads) {
  constexpr int64_t kLength = 100001;
  for (const DType dtype : {DType::f32, DType::i64, DType::bf16, DType::f64, DType::u8}) {
    std::vector<double> values;
    for (int64_t i = 0; i < kLength; ++i) values.push_back(std::floor(random_unit(3, uint64_t(i)) * 200));
    const Bytes bytes = to_bytes(dtype, values);
    Graph g;
    const Value x = g.input("x", {dtype, {kLength}});
    const Sorted numbered = sort_with_indices(x, 0, {.descending = true});
    g.output("sorted", sort(x));
    g.output("values", numbered.values);
    g.output("indices", numbered.indices);
    const int threads = num_threads();
    set_num_threads(3);
    const std::vector<Bytes> several = run_graph(g, {bytes});
    set_num_threads(1);
    const std::vector<Bytes> alone = run_graph(g, {bytes});
    set_num_threads(threads);
    EXPECT_EQ(several, alone) << dtype;
    const std::vector<Reals> wanted = sorted({[&] {
                                               Reals r({kLength});
                                               r.at = to_doubles(dtype, bytes);
                                               return r;
                                             }()},
                                             {0, 1, true});
    EXPECT_EQ(to_doubles(dtype, several[1]), wanted[0].at) << dtype;
    EXPECT_EQ(to_doubles(DType::i32, several[2]), wanted[1].at) << dtype;
    std::vector<double> rising = wanted[0].at;
    std::reverse(rising.begin(), rising.end());
    EXPECT_EQ(to_doubles(dtype, several[0]), rising) << dtype;
  }
}

TEST(Sort, complex_numbers_by_real_then_imaginary_part) {
  for (const DType dtype : {DType::complex64, DType::complex128}) {
    Graph g;
    g.output("y", sort(g.input("x", {dtype, {6}}), 0));
    const Bytes x = to_bytes(dtype, {2, 1, 1, kNan, 1, -5, -0.0, 3, 0, 1, kNan, 0});
    const std::vector<double> y = to_doubles(dtype, run_graph(g, {x})[0]);
    const std::vector<double> wanted = {0, 1, -0.0, 3, 1, -5, 1, kNan, 2, 1, kNan, 0};
    for (size_t i = 0; i < wanted.size(); ++i)
      EXPECT_TRUE(y[i] == wanted[i] || (std::isnan(y[i]) && std::isnan(wanted[i])));
  }
}

// The derivative needs the order: one sort gives both, unless it goes the other way.
TEST(Sort, derivative_shares_the_sort) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {50}}), y = sort(x);
  g.output("y", y);
  g.output("dx", vjp({y}, {y * y}, {x})[0]);
  g.output("other", sort(x, 0, {.descending = true}));
  const std::unique_ptr<Graph> s = simplify(g);
  EXPECT_EQ(count(*s, "sort_keys_indices"), 1);
  EXPECT_EQ(count(*s, "sort_keys"), 1);
}

// d2/dx2 of sum w_j sort(x)_j^3 is diagonal: 6 w_j x at the place that x went to.
TEST(Sort, second_derivatives) {
  const std::vector<double> x = {3, -1, 2, 5}, w = {1, 2, 3, 4}, v = {1, -2, 4, 3};
  for (const std::string op : {"sort", "top_k"}) {
    Graph g;
    const Value in = g.input("x", {DType::f64, {4}}), weights = constant_list(g, w, DType::f64, {4});
    const Value y = op == "sort" ? sort(in) : top_k(in, 4).values;
    const Value first = gradients(reduce_sum(weights * y * y * y, {0}), {in})[0];
    g.output("h", vjp({first}, {constant_list(g, v, DType::f64, {4})}, {in})[0]);
    const std::vector<double> got = to_doubles(DType::f64, run_graph(g, {to_bytes(DType::f64, x)})[0]);
    const std::vector<double> place = op == "sort" ? std::vector<double>{3, 1, 2, 4} : std::vector<double>{2, 4, 3, 1};
    for (size_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(got[i], 6 * place[i] * x[i] * v[i]) << op;
  }
}

TEST(Sort, batches) {
  const BatchedInput x{{DType::f32, {5, 4}}}, same{{DType::i32, {5, 4}}, false};
  expect_batch_rule({x, same}, [](const auto& in) { return sort_by_keys(in, 0, 1); });
  expect_batch_rule({same, x}, [](const auto& in) { return sort_by_keys(in, 1, 2); });
  expect_batch_rule({x}, [](const auto& in) {
    const Sorted y = sort_with_indices(in[0], 0);
    return std::vector{y.values, y.indices};
  });
  expect_batch_rule({x}, [](const auto& in) {
    const Sorted y = top_k(in[0], 3);
    return std::vector{y.values, y.indices};
  });
}

TEST(Sort, errors_name_operands_and_numbers) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {3, 4}}), y = g.input("y", {DType::i32, {3, 5}}),
              c = g.input("c", {DType::complex64, {4}}), s = g.input("s", {DType::f32, {}}),
              big = g.input("big", {DType::u8, {int64_t(1) << 32}});
  EXPECT_EQ(message_of([&] { sort(x, 2); }), "sort: axis 2 does not exist in x x f32[3,4]");
  EXPECT_EQ(message_of([&] { argsort(x, -3); }), "argsort: axis -3 does not exist in x x f32[3,4]");
  EXPECT_EQ(message_of([&] { sort(s); }), "sort: axis -1 does not exist in x s f32[]");
  EXPECT_EQ(message_of([&] { sort_by_keys({}); }), "sort_by_keys: no operands given");
  EXPECT_EQ(message_of([&] {
              sort_by_keys({x, y});
            }),
            "sort_keys: shapes differ\n  operand 0 is x f32[3,4]\n  operand 1 is y i32[3,5]");
  EXPECT_EQ(message_of([&] {
              sort_by_keys({x, x}, -1, 3);
            }),
            "sort_keys: 3 keys among 2 operands; operand 0 is x f32[3,4]");
  EXPECT_EQ(message_of([&] { sort(big); }),
            "sort_keys: at most 4294967295 elements can be sorted, axis 0 has 4294967296; x is big u8[4294967296]");
  EXPECT_EQ(message_of([&] { top_k(x, 5); }), "top_k: k is 5, the axis has 4 elements; x is x f32[3,4]");
  EXPECT_EQ(message_of([&] { top_k(x, -1); }), "top_k: k is -1, the axis has 4 elements; x is x f32[3,4]");
  EXPECT_EQ(message_of([&] { top_k(c, 1); }), "top_k: needs real numbers; x is c complex64[4]");
  EXPECT_EQ(message_of([&] { top_k(s, 1); }), "top_k: axis -1 does not exist in x s f32[]");
}

}  // namespace
}  // namespace hearth
