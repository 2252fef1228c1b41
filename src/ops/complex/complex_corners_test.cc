// SPDX-License-Identifier: Apache-2.0
// Complex numbers at the ends of the range, and derivatives in JAX's convention, on every device.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

using C = std::complex<double>;
using Build = std::function<Value(const std::vector<Value>&)>;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

std::vector<C> run(DType dtype, const std::vector<C>& in, const Build& build, const char* device) {
  Graph graph;
  std::vector<Value> values;
  std::vector<Bytes> bytes;
  for (const C z : in) {
    values.push_back(graph.input("x" + std::to_string(values.size()), {dtype, {}}));
    bytes.push_back(to_bytes(dtype, {z.real(), z.imag()}));
  }
  const Value y = build(values);
  graph.output("y", y);
  CompileOptions options;
  if (device == std::string("reference")) options.devices = {"reference"};
  const std::vector<double> got = to_doubles(y.dtype(), run_graph(graph, bytes, options)[0]);
  std::vector<C> result;
  const size_t step = is_complex(y.dtype()) ? 2 : 1;
  for (size_t i = 0; i < got.size(); i += step) result.push_back({got[i], step == 2 ? got[i + 1] : 0});
  return result;
}

bool close(double got, double wanted, double tolerance) {
  if (std::isnan(wanted)) return std::isnan(got);
  return got == wanted || std::fabs(got - wanted) <= tolerance * std::fmax(1, std::fabs(wanted));
}

void expect_number(DType dtype, const std::vector<C>& in, const Build& build, C wanted, const std::string& what) {
  for (const char* device : {"cpu", "reference"}) {
    const C got = run(dtype, in, build, device)[0];
    const double tolerance = dtype == DType::complex64 ? 1e-6 : 1e-14;
    EXPECT_TRUE(close(got.real(), wanted.real(), tolerance) && close(got.imag(), wanted.imag(), tolerance))
        << what << " of " << in[0] << (in.size() > 1 ? " and " + cat(in[1].real(), " + i ", in[1].imag()) : "") << ' '
        << dtype << " on " << device << ": " << got << " instead of " << wanted;
  }
}
Build f1(const char* op) {
  return [op](const std::vector<Value>& in) { return unary(op, in[0]); };
}
Build f2(const char* op) {
  return [op](const std::vector<Value>& in) { return binary(op, in[0], in[1]); };
}

constexpr DType kSmall = DType::complex64, kBig = DType::complex128;

TEST(ComplexCorners, magnitude_does_not_overflow) {
  expect_number(kSmall, {{2e38, 2e38}}, f1("abs"), std::hypot(2e38, 2e38), "abs");
  expect_number(
      kSmall, {{3e-30, 4e-30}}, [](const std::vector<Value>& in) { return abs(in[0]) * 1e30; }, 5, "abs");
  expect_number(kBig, {{1e308, 1e308}}, f1("abs"), std::hypot(1e308, 1e308), "abs");
  expect_number(kSmall, {{kNan, -kInf}}, f1("abs"), kInf, "abs");
  expect_number(kSmall, {{0, 0}}, f1("abs"), 0, "abs");
}

TEST(ComplexCorners, division) {
  const Build divide = f2("divide");
  expect_number(kSmall, {{2e38, 2e38}, {2e38, 2e38}}, divide, 1, "divide");
  expect_number(kSmall, {{1e-30, 1e-30}, {1e-30, 1e-30}}, divide, 1, "divide");
  expect_number(kSmall, {{1e-40, 0}, {1e-40, 1e-40}}, divide, {0.5, -0.5}, "divide");
  expect_number(kSmall, {{1, 1}, {1, 1e-40}}, divide, {1, 1}, "divide");
  expect_number(kBig, {{1e300, 1e300}, {1e300, -1e300}}, divide, {0, 1}, "divide");
  expect_number(kBig, {{1, 1}, {1e-320, 1e300}}, divide, {1e-300, -1e-300}, "divide");
  expect_number(kSmall, {{1, 0}, {kInf, 1}}, divide, 0, "divide");
  expect_number(kSmall, {{1, 0}, {0, 0}}, divide, {kInf, kNan}, "divide");
  expect_number(kSmall, {{kInf, 1}, {2, 0}}, divide, {kInf, kNan}, "divide");
}

TEST(ComplexCorners, roots_and_logarithms_on_the_cut) {
  expect_number(kSmall, {{-4, 0}}, f1("sqrt"), {0, 2}, "sqrt");
  expect_number(kSmall, {{-4, -0.0}}, f1("sqrt"), {0, -2}, "sqrt");
  expect_number(
      kSmall, {{3e38, 3e38}}, [](const std::vector<Value>& in) { return sqrt(in[0]) * 1e-19; },
      std::sqrt(C(3e38, 3e38)) * 1e-19, "sqrt");
  expect_number(kSmall, {{-kInf, 1}}, f1("sqrt"), {0, kInf}, "sqrt");
  expect_number(kSmall, {{1, kInf}}, f1("sqrt"), {kInf, kInf}, "sqrt");
  expect_number(kSmall, {{-1, 0}}, f1("log"), {0, M_PI}, "log");
  expect_number(kSmall, {{-1, -0.0}}, f1("log"), {0, -M_PI}, "log");
  expect_number(kSmall, {{0, 0}}, f1("log"), {-kInf, 0}, "log");
  expect_number(
      kSmall, {{1e-10, 1e-10}}, [](const std::vector<Value>& in) { return log1p(in[0]) * 1e10; }, {1, 1}, "log1p");
  expect_number(kBig, {{0.6, 0.8}}, f1("log"), std::log(C(0.6, 0.8)), "log");
}

TEST(ComplexCorners, exponentials) {
  expect_number(kSmall, {{-kInf, kInf}}, f1("exponential"), 0, "exp");
  expect_number(kSmall, {{kInf, 0}}, f1("exponential"), {kInf, 0}, "exp");
  expect_number(
      kSmall, {{89, 1.57}}, [](const std::vector<Value>& in) { return real(exp(in[0])) * 1e-36; },
      1e-36 * std::exp(89.0) * std::cos(double(1.57f)), "exp");
  expect_number(kSmall, {{1000, 2}}, f1("tanh"), 1, "tanh");
  expect_number(kSmall, {{-1000, 2}}, f1("tanh"), -1, "tanh");
  expect_number(kSmall, {{0, 200}}, f1("sine"), {0, kInf}, "sine");
  expect_number(kSmall, {{-1000, 1}}, f1("logistic"), 0, "logistic");
}

TEST(ComplexCorners, powers_of_zero) {
  expect_number(kSmall, {{0, 0}, {2, 0}}, f2("power"), 0, "power");
  expect_number(kSmall, {{0, 0}, {0, 0}}, f2("power"), 1, "power");
  expect_number(kSmall, {{2, 0}, {0, 0}}, f2("power"), 1, "power");
}

// ct f'(z) without conjugation. Values by jax.vjp (JAX 0.10) at z = 0.7 - 1.3i for the cotangent 0.5 + 0.25i.
TEST(ComplexDerivatives, as_in_jax) {
  const C z(0.7, -1.3), ct(0.5, 0.25), w(-0.4, 0.9);
  const auto expect = [&](const char* what, const Build& f, C wanted) {
    expect_number(
        kBig, {z, ct, w},
        [f](const std::vector<Value>& in) {
          const Value y = f(in), cotangent = is_complex(y.dtype()) ? in[1] : real(in[1]);
          return vjp({y}, {cotangent}, {in[0]})[0];
        },
        wanted, what);
  };
  expect("exp", f1("exponential"), {0.7544302213662749, -0.83551482974762});
  expect("log", f1("log"), {0.011467889908256873, 0.378440366972477});
  expect("sqrt", f1("sqrt"), {0.1238827873047092, 0.19381945642177292});
  expect("rsqrt", f1("rsqrt"), {0.07580153313532494, -0.13611066192264354});
  expect("sine", f1("sine"), {0.48018717398713084, 0.9239235906171666});
  expect("tan", f1("tan"), {0.11317224654680053, -0.11468624775848935});
  expect("tanh", f1("tanh"), {-0.7966238780232426, 0.33451339801061447});
  expect("logistic", f1("logistic"), {0.10462359468987895, 0.1508310542259595});
  expect("sign", f1("sign"), 0);
  expect("abs", f1("abs"), {0.2370499115175087, 0.44023554996108766});
  expect("real", f1("real"), 0.5);
  expect("imag", f1("imag"), {0, -0.5});
  expect("conj", [](const std::vector<Value>& in) { return conj(in[0]); }, {0.5, -0.25});
  expect("z conj z", [](const std::vector<Value>& in) { return in[0] * conj(in[0]); }, {0.7, 1.3});
  expect("expm1", f1("exponential_minus_one"), {0.754430221366275, -0.83551482974762});
  expect("log1p", f1("log_plus_one"), {0.11462882096069868, 0.23471615720524014});
  expect("asin", f1("asin"), {0.3285256793795598, 0.03897101221508363});
  expect("acosh", f1("acosh"), {-0.03897101221508367, 0.32852567937955984});
  expect("z^w", [](const std::vector<Value>& in) { return power(in[0], in[2]); },
         {-0.32860652881076513, -0.7741444832735845});
  expect("w^z", [](const std::vector<Value>& in) { return power(in[2], in[0]); },
         {-13.894306711517407, -4.49091480377126});
  expect("w/z", [](const std::vector<Value>& in) { return in[2] / in[0]; }, {0.02672333978621327, 0.2511362679909099});
}

// A chain of complex operations is one row program between the kernels that take pairs apart and join them.
TEST(ComplexParts, matrix_product_and_chain) {
  Graph graph;
  const Value a = graph.input("a", {kSmall, {2, 3}}), b = graph.input("b", {kSmall, {3, 2}});
  graph.output("y", dot_general(a, b, {.a_contract = {1}, .b_contract = {0}}) * constant(graph, C(0, 1), kSmall));
  std::vector<double> x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, y;
  std::vector<double> wanted;
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) {
      C sum = 0;
      for (int k = 0; k < 3; ++k) {
        const size_t p = size_t(2 * (3 * i + k)), q = size_t(2 * (2 * k + j));
        sum += C(x[p], x[p + 1]) * C(x[q], x[q + 1]);
      }
      sum *= C(0, 1);
      wanted.push_back(sum.real()), wanted.push_back(sum.imag());
    }
  }
  for (const CompileOptions& options : {CompileOptions{}, CompileOptions{.devices = {"reference"}}}) {
    const std::vector<Bytes> out = run_graph(graph, {to_bytes(kSmall, x), to_bytes(kSmall, x)}, options);
    EXPECT_EQ(to_doubles(kSmall, out[0]), wanted) << options.devices[0];
  }
}

}  // namespace
}  // namespace hearth
