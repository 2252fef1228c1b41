// SPDX-License-Identifier: Apache-2.0
// Rows build complex numbers from two real inputs and return real and imaginary parts, so that values and derivatives
// are checked like those of real operations.
#include "ops/complex/complex.h"

#include <cmath>
#include <complex>

#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

using C = std::complex<double>;
using Function1 = C (*)(C);
using Function2 = C (*)(C, C);

const std::vector<DType> kParts = {DType::f32, DType::f64};

std::vector<Reals> split(const std::vector<C>& values, const Dims& dims) {
  Reals re(dims), im(dims);
  for (size_t i = 0; i < values.size(); ++i) re.at[i] = values[i].real(), im.at[i] = values[i].imag();
  return {re, im};
}
std::vector<Value> both(const Value& z) { return {real(z), imag(z)}; }

std::vector<OpCase> cases(const std::string& name, const std::vector<std::pair<double, double>>& ranges) {
  std::vector<OpCase> all;
  for (const Dims& dims : std::vector<Dims>{{}, {1}, {0, 2}, {3, 5}, {129}}) {
    OpCase one{cat(name, "_", ShowDims{dims}), {}};
    for (const auto& [low, high] : ranges) one.in.push_back({dims, low, high});
    all.push_back(one);
  }
  return all;
}

OpTest unary_row(const char* op, Function1 f, std::pair<double, double> re, std::pair<double, double> im) {
  return {.op = op,
          .cases = cases("complex", {re, im}),
          .build = [op](Graph&, const std::vector<Value>& in) { return both(unary(op, complex(in[0], in[1]))); },
          .definition =
              [f](const std::vector<Reals>& in) {
                std::vector<C> y;
                for (size_t i = 0; i < in[0].at.size(); ++i) y.push_back(f({in[0].at[i], in[1].at[i]}));
                return split(y, in[0].dims);
              },
          .dtypes = kParts,
          .c = 8,
          .grad_c = 64};
}

OpTest binary_row(const char* op, Function2 f, std::pair<double, double> a, std::pair<double, double> b) {
  return {.op = op,
          .cases = cases("complex", {a, a, b, b}),
          .build =
              [op](Graph&, const std::vector<Value>& in) {
                return both(binary(op, complex(in[0], in[1]), complex(in[2], in[3])));
              },
          .definition =
              [f](const std::vector<Reals>& in) {
                std::vector<C> y;
                for (size_t i = 0; i < in[0].at.size(); ++i)
                  y.push_back(f({in[0].at[i], in[1].at[i]}, {in[2].at[i], in[3].at[i]}));
                return split(y, in[0].dims);
              },
          .dtypes = kParts,
          .c = 8,
          .grad_c = 64};
}

std::vector<OpTest> unary_rows() {
  const std::pair<double, double> all = {-3, 3}, off = {0.3, 3};
  std::vector<OpTest> rows = {
      unary_row(
          "negate", [](C z) { return -z; }, all, all),
      unary_row(
          "exponential", [](C z) { return std::exp(z); }, all, all),
      unary_row(
          "exponential_minus_one", [](C z) { return std::exp(z) - 1.0; }, all, all),
      unary_row(
          "log", [](C z) { return std::log(z); }, all, off),
      unary_row(
          "log_plus_one", [](C z) { return std::log(1.0 + z); }, all, off),
      unary_row(
          "sqrt", [](C z) { return std::sqrt(z); }, all, off),
      unary_row(
          "rsqrt", [](C z) { return 1.0 / std::sqrt(z); }, all, off),
      unary_row(
          "cbrt", [](C z) { return std::pow(z, 1.0 / 3); }, all, off),
      unary_row("logistic", [](C z) { return 1.0 / (1.0 + std::exp(-z)); }, all, {-2, 2}),
      unary_row("tanh", [](C z) { return std::tanh(z); }, all, {-1.2, 1.2}),
      unary_row(
          "tan", [](C z) { return std::tan(z); }, {-1.2, 1.2}, all),
      unary_row(
          "sine", [](C z) { return std::sin(z); }, all, all),
      unary_row(
          "cosine", [](C z) { return std::cos(z); }, all, all),
      unary_row(
          "asin", [](C z) { return std::asin(z); }, all, off),
      unary_row(
          "acos", [](C z) { return std::acos(z); }, all, off),
      unary_row(
          "atan", [](C z) { return std::atan(z); }, off, all),
      unary_row(
          "sinh", [](C z) { return std::sinh(z); }, all, all),
      unary_row(
          "cosh", [](C z) { return std::cosh(z); }, all, all),
      unary_row(
          "asinh", [](C z) { return std::asinh(z); }, off, all),
      unary_row(
          "acosh", [](C z) { return std::acosh(z); }, all, off),
      unary_row(
          "atanh", [](C z) { return std::atanh(z); }, all, off),
  };
  OpTest sign = unary_row(
      "sign", [](C z) { return z / std::abs(z); }, all, off);
  sign.grad = false;  // 0, as in JAX, although the unit circle moves
  rows.push_back(sign);
  OpTest absolute = unary_row(
      "abs", [](C z) { return C(std::abs(z)); }, all, off);
  absolute.build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
    const Value size = abs(complex(in[0], in[1]));
    return {size, scalar_like(size, 0)};
  };
  rows.push_back(absolute);
  return rows;
}

std::vector<OpTest> binary_rows() {
  const std::pair<double, double> all = {-3, 3}, off = {0.4, 3};
  OpTest power = binary_row("power", [](C a, C b) { return std::pow(a, b); }, off, {-1, 2});
  power.c = 64;  // the definition itself, exp(b log a), loses |b log a| ulp
  return {
      power,
      binary_row(
          "add", [](C a, C b) { return a + b; }, all, all),
      binary_row(
          "subtract", [](C a, C b) { return a - b; }, all, all),
      binary_row(
          "multiply", [](C a, C b) { return a * b; }, all, all),
      binary_row(
          "divide", [](C a, C b) { return a / b; }, all, off),
      binary_row("atan2", [](C a, C b) { return -C(0, 1) * std::log((b + C(0, 1) * a) / std::sqrt(a * a + b * b)); },
                 {0.1, 0.7}, {1, 3})};
}

// --- complex, real, imag and what moves or adds up ------------------------------------------------------------------

OpTest parts_row(const char* op) {
  OpTest row = binary_row(op, [](C a, C b) { return a.real() + C(0, 1) * b.imag(); }, {-3, 3}, {-3, 3});
  row.build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
    const Value moved = reverse(complex(in[0], in[1]), Dims{}), other = complex(in[2], in[3]);
    return both(complex(real(moved * 1.0), imag(other + 0.0)));
  };
  return row;
}

OpTest moved_row() {
  OpTest row = unary_row("transpose", [](C z) { return z; }, {-3, 3}, {-3, 3});
  row.cases = {{"complex", {{{3, 5}, -3, 3}, {{3, 5}, -3, 3}}}};
  row.build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
    const Value turned = transpose(complex(in[0], in[1]), {1, 0});
    const Value again = concatenate({slice(turned, {0, 0}, {2, 3}), slice(turned, {2, 0}, {5, 3})}, 0);
    return both(transpose(reverse(reverse(reshape(reshape(again, {15}), {5, 3}), {0}), {0}), {1, 0}));
  };
  return row;
}

OpTest sum_row() {
  OpTest row = unary_row("reduce", [](C z) { return z; }, {-3, 3}, {-3, 3});
  row.cases = {{"complex_sum", {{{4, 5}, -3, 3}, {{4, 5}, -3, 3}}, 5}};
  row.build = [](Graph&, const std::vector<Value>& in) { return both(reduce_sum(complex(in[0], in[1]), {1})); };
  row.definition = [](const std::vector<Reals>& in) {
    std::vector<C> sums(4);
    for (size_t i = 0; i < 20; ++i) sums[i / 5] += C(in[0].at[i], in[1].at[i]);
    return split(sums, {4});
  };
  return row;
}

OpTest choice_row() {
  OpTest row = binary_row("select", [](C a, C b) { return a.real() > b.real() ? a : b; }, {-3, 3}, {-3, 3});
  row.build = [](Graph&, const std::vector<Value>& in) {
    return both(select(compare("GT", in[0], in[2]), complex(in[0], in[1]), complex(in[2], in[3])));
  };
  return row;
}

// To the other width and back, from a real number, to a real number.
OpTest convert_row() {
  OpTest row = unary_row("convert", [](C z) { return C(z.real() * 2, z.imag()); }, {-3, 3}, {-3, 3});
  row.build = [](Graph&, const std::vector<Value>& in) {
    const Value z = complex(in[0], in[1]), wide = convert(convert(z, DType::complex128), z.dtype());
    return both(wide + convert(convert(z, in[0].dtype()), z.dtype()));
  };
  return row;
}

OpTest equal_row(const char* direction) {
  const bool equal = direction == std::string("EQ");
  OpTest row{.op = "compare",
             .build = [direction](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
               return {compare(direction, complex(in[0], in[1]), complex(in[2], in[3]))};
             },
             .definition = [equal](const std::vector<Reals>& in) -> std::vector<Reals> {
               Reals y(in[0].dims);
               for (size_t i = 0; i < y.at.size(); ++i)
                 y.at[i] = (in[0].at[i] == in[2].at[i] && in[1].at[i] == in[3].at[i]) == equal;
               return {y};
             },
             .dtypes = kParts,
             .grad = false};
  const double nan = std::nan("");
  row.cases = {{cat("complex_", direction),
                {{{5}, 0, 0, {}, {1, 1, 2, nan, 0}},
                 {{5}, 0, 0, {}, {1, 2, 1, 1, -0.0}},
                 {{5}, 0, 0, {}, {1, 1, 1, nan, -0.0}},
                 {{5}, 0, 0, {}, {1, 1, 1, 1, 0}}}}};
  return row;
}

OpTest constant_row(const char* name, const std::function<Value(Graph&, DType)>& make, const std::vector<C>& values) {
  OpTest row{.op = "constant",
             .cases = {{name, {{{3}, -3, 3}}}},
             .build =
                 [make](Graph& graph, const std::vector<Value>& in) {
                   const DType dtype = in[0].dtype() == DType::f32 ? DType::complex64 : DType::complex128;
                   return both(make(graph, dtype) * convert(in[0], dtype));
                 },
             .definition =
                 [values](const std::vector<Reals>& in) {
                   std::vector<C> y;
                   for (size_t i = 0; i < 3; ++i) y.push_back(values[i % values.size()] * in[0].at[i]);
                   return split(y, {3});
                 },
             .dtypes = kParts};
  return row;
}

std::vector<OpTest> rows() {
  std::vector<OpTest> all = unary_rows();
  for (const OpTest& row : binary_rows()) all.push_back(row);
  for (const char* op : {"complex", "real", "imag"}) all.push_back(parts_row(op));
  for (const OpTest& row : {moved_row(), sum_row(), choice_row(), convert_row(), equal_row("EQ"), equal_row("NE")})
    all.push_back(row);
  all.push_back(constant_row("complex_splat", [](Graph& graph, DType t) { return constant(graph, C(2, -1), t, {3}); },
                             {C(2, -1)}));
  all.push_back(constant_row("complex_list",
                             [](Graph& graph, DType t) {
                               return constant_list(graph, {1, 2, 3, 4, 5, 6}, t, {3});
                             },
                             {C(1, 2), C(3, 4), C(5, 6)}));
  return all;
}

HEARTH_OP_TESTS(complex, rows)

}  // namespace
}  // namespace hearth
