// SPDX-License-Identifier: Apache-2.0
// Every element-wise operation, conversion and reduction at every dtype: the cpu alone, by row programs, against the
// reference.
#include "ops/elementwise/row_instructions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "array/run_graph.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

const std::vector<DType> kReal = {DType::boolean, DType::i8,  DType::i16, DType::i32, DType::i64,
                                  DType::u8,      DType::u16, DType::u32, DType::u64, DType::f16,
                                  DType::bf16,    DType::f32, DType::f64};

// Random bits for integers, with zeros, ones and the ends of the range among them; floats of both signs and many sizes.
Bytes some(DType t, int64_t count, uint64_t seed, bool small = false) {
  std::mt19937_64 random(seed);
  if (is_inexact(t)) {
    std::vector<double> values;
    std::normal_distribution<double> normal(0, 3);
    for (int64_t i = 0; i < count * (is_complex(t) ? 2 : 1); ++i)
      values.push_back(small        ? std::fabs(normal(random)) + 0.1
                       : i % 7 == 3 ? std::trunc(normal(random))
                                    : normal(random));
    return to_bytes(t, values);
  }
  const size_t size = size_t(size_bytes(t));
  Bytes bytes(size_t(count) * size);
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t top = uint64_t(1) << (8 * size - 1);
    const uint64_t edges[] = {0, 1, ~uint64_t(0), top, top - 1, 2, 7, 8 * size, 8 * size - 1};
    uint64_t value = random() % 3 ? edges[random() % std::size(edges)] : random();
    if (t == DType::boolean) value &= 1;
    std::memcpy(bytes.data() + size_t(i) * size, &value, size);
  }
  return bytes;
}

// Floats may differ by what one rounding to their dtype and the functions' own errors make.
void expect_close(DType t, const Bytes& got, const Bytes& want, double ulps, const std::string& what) {
  if (!is_float(t) || ulps == 0) {
    const std::vector<double> a = to_doubles(t, got), b = to_doubles(t, want);
    for (size_t i = 0; i < a.size(); ++i) {
      if (is_inexact(t) && std::isnan(a[i]) && std::isnan(b[i])) continue;
      const size_t size = got.size() / a.size();
      ASSERT_EQ(std::memcmp(got.data() + i * size, want.data() + i * size, size), 0)
          << what << " element " << i << ": " << a[i] << " instead of " << b[i];
    }
    return;
  }
  const double eps = t == DType::f64 ? 0x1p-52 : t == DType::f32 ? 0x1p-23 : t == DType::f16 ? 0x1p-10 : 0x1p-7;
  const std::vector<double> a = to_doubles(t, got), b = to_doubles(t, want);
  for (size_t i = 0; i < a.size(); ++i) {
    if ((std::isnan(a[i]) && std::isnan(b[i])) || a[i] == b[i]) continue;
    const double least = t == DType::f16 ? 0x1p-14 : 0;  // below, digits are fewer
    ASSERT_LE(std::fabs(a[i] - b[i]), ulps * eps * std::max(std::fabs(b[i]), least))
        << what << " element " << i << ": " << a[i] << " instead of " << b[i];
  }
}

// Runs on the cpu only: whatever has no row program is an error.
void expect_same(const Graph& graph, const std::vector<Bytes>& inputs, double ulps, const std::string& what) {
  const std::vector<Bytes> got = run_graph(graph, inputs, {.devices = {"cpu"}}),
                           want = run_graph(graph, inputs, {.devices = {"reference"}});
  for (size_t o = 0; o < got.size(); ++o)
    expect_close(graph.outputs()[o].value.dtype(), got[o], want[o], ulps, cat(what, ' ', graph.outputs()[o].name));
}

struct Op {
  const char* name;
  bool floats, integers, booleans;
  bool is_signed = false;
};

constexpr int64_t kRows = 7, kWidth = 213;

TEST(RowInstructions, unary_operations_of_every_dtype) {
  const Op ops[] = {{"exponential", true, false, false}, {"exponential_minus_one", true, false, false},
                    {"log", true, false, false},         {"log_plus_one", true, false, false},
                    {"sqrt", true, false, false},        {"rsqrt", true, false, false},
                    {"logistic", true, false, false},    {"tanh", true, false, false},
                    {"sine", true, false, false},        {"cosine", true, false, false},
                    {"floor", true, false, false},       {"ceil", true, false, false},
                    {"is_finite", true, false, false},   {"negate", true, true, false, true},
                    {"abs", true, true, false, true},    {"sign", true, true, false, true},
                    {"not", false, true, true}};
  for (const Op& op : ops) {
    for (const DType t : kReal) {
      if (!(is_float(t) ? op.floats : is_int(t) ? op.integers : op.booleans)) continue;
      if (op.is_signed && is_unsigned_int(t)) continue;
      Graph g;
      g.output("y", unary(op.name, g.input("x", {t, {kRows, kWidth}})));
      const std::string name = op.name;
      const bool positive = name == "log" || name == "log_plus_one" || name == "sqrt" || name == "rsqrt";
      expect_same(g, {some(t, kRows * kWidth, 1, positive)}, name == "sine" || name == "cosine" ? 40 : 4,
                  cat(op.name, ' ', t));
    }
  }
}

TEST(RowInstructions, binary_operations_of_every_dtype) {
  const Op ops[] = {{"add", true, true, true},
                    {"subtract", true, true, false},
                    {"multiply", true, true, true},
                    {"divide", true, true, false},
                    {"maximum", true, true, true},
                    {"minimum", true, true, true},
                    {"power", true, true, false},
                    {"remainder", true, true, false},
                    {"and", false, true, true},
                    {"or", false, true, true},
                    {"xor", false, true, true},
                    {"shift_left", false, true, false},
                    {"shift_right_logical", false, true, false},
                    {"shift_right_arithmetic", false, true, false}};
  for (const Op& op : ops) {
    for (const DType t : kReal) {
      if (!(is_float(t) ? op.floats : is_int(t) ? op.integers : op.booleans)) continue;
      Graph g;
      const TensorType type{t, {kRows, kWidth}};
      const Value a = g.input("a", type), b = g.input("b", type);
      g.output("y", binary(op.name, a, b));
      // Another operation after it sees what the register holds, not what a store makes of it.
      if (is_int(t)) g.output("small", compare("LT", binary(op.name, a, b), a));
      const bool power = std::string(op.name) == "power";
      expect_same(g, {some(t, kRows * kWidth, 2, power), some(t, kRows * kWidth, 3, power)}, 4, cat(op.name, ' ', t));
    }
  }
}

TEST(RowInstructions, comparisons_and_select_of_every_dtype) {
  for (const DType t : kReal) {
    Graph g;
    const TensorType type{t, {kRows, kWidth}};
    const Value a = g.input("a", type), b = g.input("b", type);
    for (const char* direction : {"EQ", "NE", "LT", "LE", "GT", "GE"}) g.output(direction, compare(direction, a, b));
    g.output("smaller", select(compare("LT", a, b), a, b));
    expect_same(g, {some(t, kRows * kWidth, 4), some(t, kRows * kWidth, 5)}, 0, cat("compare ", t));
  }
}

TEST(RowInstructions, conversions_between_all_dtypes_round_once_and_saturate) {
  for (const DType from : kReal) {
    const int64_t n = 1500;
    std::vector<Bytes> inputs = {some(from, n, 6), some(from, n, 7, true)};
    if (is_float(from)) {
      std::vector<double> large;
      for (int64_t i = 0; i < n; ++i) large.push_back(std::ldexp(std::sin(double(i) * 1.3), int(i % 90) - 20));
      for (const double x : {1e30, -1e30, double(INFINITY), -double(INFINITY), double(NAN), 0x1p63, -0x1p63, 0x1p64,
                             127.9, 128.0, -128.9, -129.0, 255.5, 65535.9, 0x1.01p0 + 0x1p-40, 0x1.0080000001p0})
        large[size_t(x == x ? std::fmod(std::fabs(std::isinf(x) ? 77 : x), 1499) : 5)] = x;
      inputs[1] = to_bytes(from, large);
    }
    for (const DType to : kReal) {
      if (from == to) continue;
      Graph g;
      const Value a = g.input("a", {from, {n}}), b = g.input("b", {from, {n}});
      g.output("bits", convert(a, to));
      g.output("large", convert(b, to));
      expect_same(g, inputs, 0, cat(from, " to ", to));
    }
  }
}

TEST(RowInstructions, iota_and_constants_of_every_dtype) {
  for (const DType t : kReal) {
    Graph g;
    if (t != DType::boolean) {
      g.output("rows", iota(g, t, {300, 3}, 0));
      g.output("columns", iota(g, t, {3, 300}, 1));
      g.output("turned", transpose(iota(g, t, {5, 70}, 1), {1, 0}));
      const Value x = g.input("x", {t, {3, 300}});
      g.output("sum", x + iota(g, t, {3, 300}, 1));
    } else {
      g.output("same", unary("not", g.input("x", {t, {3, 300}})));
    }
    const double value = t == DType::boolean ? 1 : is_unsigned_int(t) ? 200 : -3;
    g.output("splat", constant(g, value, t, {3, 5}));
    g.output("list", reshape(constant_list(g, {0, 1, 1, 0, value, 1}, t, {2, 3}), {3, 2}));
    if (t != DType::boolean) g.output("added", iota(g, t, {4, 3}, 0) + constant(g, value, t, {4, 3}));
    expect_same(g, {some(t, 900, 8, true)}, is_float(t) ? 1 : 0, cat("iota ", t));
  }
}

TEST(RowInstructions, reductions_of_every_dtype_and_axis) {
  const char* kinds[] = {"sum", "product", "max", "min", "and", "or"};
  const std::vector<Dims> axes = {{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}};
  for (const DType t : kReal) {
    for (const char* kind : kinds) {
      const std::string k = kind;
      const bool numeric = k == "sum" || k == "product", bits = k == "and" || k == "or";
      if ((numeric && t == DType::boolean) || (bits && is_float(t))) continue;
      for (const Dims& size : {Dims{5, 6, 7}, Dims{3, 0, 2}, Dims{2, 130, 40}}) {
        Graph g;
        const Value x = g.input("x", {t, size});
        for (const Dims& a : axes) g.output(cat(ShowDims{a}), g.add("reduce", {x}, {{"dims", a}, {"kind", k}}));
        Bytes bytes = some(t, num_elements(size), 9);
        if (is_float(t)) {  // sums that do not cancel, products that stay in range
          std::vector<double> values = to_doubles(t, some(t, num_elements(size), 9, true));
          if (k == "product") {
            for (double& v : values) v = 1 + (v - 2.5) * 1e-3;
          }
          bytes = to_bytes(t, values);
        }
        // 16-bit products are rounded to 16 bits first.
        expect_same(g, {bytes}, is_float(t) && numeric ? 60 : 0, cat(kind, ' ', t, ' ', ShowDims{size}));
      }
    }
  }
}

// What only moves, of 8 and 16 bytes.
TEST(RowInstructions, complex_numbers_move) {
  for (const DType t : {DType::complex64, DType::complex128}) {
    Graph g;
    const Value x = g.input("x", {t, {6, 35}}), y = g.input("y", {t, {6, 35}}), row = g.input("row", {t, {35}}),
                p = g.input("p", {DType::boolean, {6, 35}}), fill = g.input("fill", {t, {}});
    g.output("transpose", transpose(x, {1, 0}));
    g.output("slice", slice(x, {1, 3}, {6, 30}, {2, 3}));
    g.output("reverse", reverse(x, {0, 1}));
    g.output("reshape", reshape(transpose(x, {1, 0}), {7, 30}));
    g.output("broadcast", broadcast_to(row, {6, 35}));
    g.output("concatenate", concatenate({x, transpose(reshape(y, {35, 6}), {1, 0})}, 1));
    g.output("pad", pad(x, fill, {.low = {1, -1}, .high = {0, 2}, .interior = {1, 0}}));
    g.output("select", select(p, transpose(reshape(x, {35, 6}), {1, 0}), broadcast_to(row, {6, 35})));
    expect_same(g, {some(t, 210, 10), some(t, 210, 11), some(t, 35, 12), some(DType::boolean, 210, 13), some(t, 1, 14)},
                0, cat("views of ", t));
  }
}

// A register holds a narrow integer in its range after every step, also where nothing is stored between.
TEST(RowInstructions, narrow_integers_wrap_between_steps) {
  for (const DType t : {DType::i8, DType::i16, DType::u8, DType::u16}) {
    Graph g;
    const TensorType type{t, {kRows, kWidth}};
    const Value a = g.input("a", type), b = g.input("b", type);
    const Value sum = a + b, product = a * b, shifted = binary("shift_left", a, b);
    g.output("divided", binary("divide", sum, b));
    g.output("remainder", binary("remainder", product, b));
    g.output("logical", binary("shift_right_logical", unary("not", shifted), b));
    g.output("arithmetic", binary("shift_right_arithmetic", product, b));
    g.output("wider", convert(sum - product, DType::i64));
    g.output("float", convert(binary("power", a, b), DType::f32));
    g.output("largest", reduce_max(a - b, {0}));
    g.output("summed", convert(reduce_sum(product, {1}), DType::f64));
    expect_same(g, {some(t, kRows * kWidth, 15), some(t, kRows * kWidth, 16)}, 0, cat("chain of ", t));
  }
}

}  // namespace
}  // namespace hearth
