// SPDX-License-Identifier: Apache-2.0
// Element-wise operations on numbers: tables of what each does to reals (f64), to integers (64 bits, kept by the low
// bits) and to complex numbers (of two f64).

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "ops/reference/complex_functions.h"
#include "ops/reference/elements.h"
#include "ops/reference/reference.h"

namespace hearth {
namespace {

using namespace reference;

// --- unary ----------------------------------------------------------------------------------------------------------

using UnaryReal = double (*)(double);
using UnaryInteger = int64_t (*)(int64_t, DType);
using UnaryComplex = Complex (*)(Complex);

int64_t negate(int64_t n, DType) { return int64_t(0 - uint64_t(n)); }
int64_t absolute(int64_t n, DType t) { return is_signed_int(t) && n < 0 ? negate(n, t) : n; }
int64_t sign(int64_t n, DType t) { return n == 0 ? 0 : is_signed_int(t) && n < 0 ? -1 : 1; }
int64_t invert(int64_t n, DType t) { return t == DType::boolean ? !n : ~n; }
// The number's own bits, zero above them.
uint64_t own_bits(int64_t n, DType t) { return uint64_t(n) & (~uint64_t(0) >> (64 - 8 * int(size_bytes(t)))); }
int64_t count_leading_zeros(int64_t n, DType t) {
  return std::countl_zero(own_bits(n, t)) - (64 - 8 * int(size_bytes(t)));
}
int64_t popcnt(int64_t n, DType t) { return std::popcount(own_bits(n, t)); }

// Whether two functions are one, and whether there is one. Types are compared: where -fsanitize=undefined watches, g++
// 12 does not take the comparison of addresses for a constant.
template <auto f, decltype(f) g>
constexpr bool is_same_function =
    std::is_same_v<std::integral_constant<decltype(f), f>, std::integral_constant<decltype(f), g>>;
template <auto f>
constexpr bool is_given = !is_same_function<f, nullptr>;

// Functions of this file even where std has them: the address of a library function is no constant in every build.
double negate(double x) { return -x; }
double absolute(double x) { return std::fabs(x); }
double exponential(double x) { return std::exp(x); }
double exponential_minus_one(double x) { return std::expm1(x); }
double log(double x) { return std::log(x); }
double log_plus_one(double x) { return std::log1p(x); }
double sqrt(double x) { return std::sqrt(x); }
double tanh(double x) { return std::tanh(x); }
double sine(double x) { return std::sin(x); }
double cosine(double x) { return std::cos(x); }
double tan(double x) { return std::tan(x); }
double cbrt(double x) { return std::cbrt(x); }
double round_nearest_afz(double x) { return std::round(x); }
double round_nearest_even(double x) { return std::nearbyint(x); }
double floor(double x) { return std::floor(x); }
double ceil(double x) { return std::ceil(x); }
double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }  // keeps -0 and NaN
double rsqrt(double x) { return 1 / std::sqrt(x); }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

template <UnaryReal real, UnaryInteger integer, UnaryComplex complex>
void run_unary(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  for (int64_t i = 0; i < x.type->elements(); ++i) {
    if constexpr (is_given<complex>) {
      if (is_complex(x.dtype())) {
        store_complex(y, i, complex(load_complex(x, i)));
        continue;
      }
    }
    if constexpr (is_given<real>) {
      if (is_float(x.dtype())) {
        store_real(y, i, real(load_real(x, i)));
        continue;
      }
    }
    if constexpr (is_given<integer>) store_integer(y, i, integer(load_integer(x, i), x.dtype()));
  }
}

template <bool reals, bool integers, bool complexes, bool booleans>
void expect_meaning(DType t) {
  const bool known = is_float(t) ? reals : is_int(t) ? integers : is_complex(t) ? complexes : booleans;
  HEARTH_CHECK(known, format, "has no meaning for ", t);
}

template <bool reals, bool integers, bool complexes, bool booleans>
void check_unary(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 1, 1);
  expect_meaning<reals, integers, complexes, booleans>(in[0].dtype);
  expect_type("output", out[0], in[0]);
}

template <UnaryReal real, UnaryInteger integer = nullptr, UnaryComplex complex = nullptr>
KernelInfo unary(const char* name) {
  constexpr bool is_not = is_same_function<integer, invert>;
  return {name, run_unary<real, integer, complex>,
          check_unary<is_given<real>, is_given<integer>, is_given<complex>, is_not>};
}

// The magnitude of a complex number is real.
void run_abs(const KernelArgs& args) {
  if (!is_complex(args.in[0].dtype())) return run_unary<absolute, absolute, nullptr>(args);
  for (int64_t i = 0; i < args.in[0].type->elements(); ++i) {
    store_real(args.out[0], i, std::abs(load_complex(args.in[0], i)));
  }
}
void check_abs(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 1, 1);
  expect_meaning<true, true, true, false>(in[0].dtype);
  expect_type("output", out[0], {real_part(in[0].dtype), in[0].dims});
}

void run_is_finite(const KernelArgs& args) {
  for (int64_t i = 0; i < args.in[0].type->elements(); ++i) {
    store_integer(args.out[0], i, std::isfinite(load_real(args.in[0], i)));
  }
}
void check_is_finite(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 1, 1);
  HEARTH_CHECK(is_float(in[0].dtype), format, "has no meaning for ", in[0].dtype);
  expect_type("output", out[0], {DType::boolean, in[0].dims});
}

// --- binary ---------------------------------------------------------------------------------------------------------

using BinaryReal = double (*)(double, double);
using BinaryInteger = int64_t (*)(int64_t, int64_t, DType);
using BinaryComplex = Complex (*)(Complex, Complex);

double add(double a, double b) { return a + b; }
double subtract(double a, double b) { return a - b; }
double multiply(double a, double b) { return a * b; }
double divide(double a, double b) { return a / b; }
double remainder(double a, double b) { return std::fmod(a, b); }  // sign of the dividend
double power(double a, double b) { return std::pow(a, b); }
double atan2(double a, double b) { return std::atan2(a, b); }
// IEEE 754-2019 maximum and minimum: NaN wins, and -0 is less than +0.
double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
double minimum(double a, double b) { return -maximum(-a, -b); }

bool less(int64_t a, int64_t b, DType t) { return is_signed_int(t) ? a < b : uint64_t(a) < uint64_t(b); }
int64_t add(int64_t a, int64_t b, DType t) { return t == DType::boolean ? a | b : int64_t(uint64_t(a) + uint64_t(b)); }
int64_t subtract(int64_t a, int64_t b, DType) { return int64_t(uint64_t(a) - uint64_t(b)); }
int64_t multiply(int64_t a, int64_t b, DType) { return int64_t(uint64_t(a) * uint64_t(b)); }
int64_t divide(int64_t a, int64_t b, DType t) {
  if (b == 0) return -1;
  if (!is_signed_int(t)) return int64_t(uint64_t(a) / uint64_t(b));
  return b == -1 ? negate(a, t) : a / b;
}
int64_t remainder(int64_t a, int64_t b, DType t) {
  if (b == 0) return a;
  if (!is_signed_int(t)) return int64_t(uint64_t(a) % uint64_t(b));
  return b == -1 ? 0 : a % b;
}
int64_t maximum(int64_t a, int64_t b, DType t) { return less(a, b, t) ? b : a; }
int64_t minimum(int64_t a, int64_t b, DType t) { return less(b, a, t) ? b : a; }
int64_t power(int64_t base, int64_t exponent, DType t) {
  if (is_signed_int(t) && exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
  int64_t result = 1;
  for (uint64_t left = uint64_t(exponent); left; left >>= 1) {
    if (left & 1) result = multiply(result, base, t);
    base = multiply(base, base, t);
  }
  return result;
}
int64_t bit_and(int64_t a, int64_t b, DType) { return a & b; }
int64_t bit_or(int64_t a, int64_t b, DType) { return a | b; }
int64_t bit_xor(int64_t a, int64_t b, DType) { return a ^ b; }
// Amounts are unsigned: a negative one is at least the width.
bool within_width(int64_t amount, DType t) { return uint64_t(amount) < uint64_t(size_bytes(t)) * 8; }
int64_t shift_left(int64_t a, int64_t b, DType t) { return within_width(b, t) ? int64_t(uint64_t(a) << b) : 0; }
int64_t shift_right_logical(int64_t a, int64_t b, DType t) {
  if (!within_width(b, t)) return 0;
  const int unused =
      64 - 8 * int(size_bytes(t));  // bits above the dtype's: extension of the sign, not part of the number
  return int64_t(((uint64_t(a) << unused) >> unused) >> b);
}
int64_t shift_right_arithmetic(int64_t a, int64_t b, DType t) {
  const int unused = 64 - 8 * int(size_bytes(t));
  const int64_t extended = int64_t(uint64_t(a) << unused) >> unused;  // the top bit counts as sign for unsigned too
  return extended >> (within_width(b, t) ? b : 63);
}

template <BinaryReal real, BinaryInteger integer, BinaryComplex complex>
void run_binary(const KernelArgs& args) {
  const TensorArg &a = args.in[0], &b = args.in[1], &y = args.out[0];
  for (int64_t i = 0; i < a.type->elements(); ++i) {
    if constexpr (is_given<complex>) {
      if (is_complex(a.dtype())) {
        store_complex(y, i, complex(load_complex(a, i), load_complex(b, i)));
        continue;
      }
    }
    if constexpr (is_given<real>) {
      if (is_float(a.dtype())) {
        store_real(y, i, real(load_real(a, i), load_real(b, i)));
        continue;
      }
    }
    if constexpr (is_given<integer>) store_integer(y, i, integer(load_integer(a, i), load_integer(b, i), a.dtype()));
  }
}

template <bool reals, bool integers, bool complexes, bool booleans>
void check_binary(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 2, 1);
  expect_meaning<reals, integers, complexes, booleans>(in[0].dtype);
  expect_type("input 1", in[1], in[0]);
  expect_type("output", out[0], in[0]);
}

template <BinaryReal real, BinaryInteger integer, BinaryComplex complex = nullptr, bool booleans = false>
KernelInfo binary(const char* name) {
  return {name, run_binary<real, integer, complex>,
          check_binary<is_given<real>, is_given<integer>, is_given<complex>, booleans>};
}

}  // namespace

std::vector<KernelInfo> reference_elementwise() {
  return {
      unary<negate, negate, complex::negate>("negate"),
      {"abs", run_abs, check_abs},
      unary<sign, sign, complex::sign>("sign"),
      unary<nullptr, invert>("not"),
      unary<nullptr, count_leading_zeros>("count_leading_zeros"),
      unary<nullptr, popcnt>("popcnt"),
      unary<exponential, nullptr, complex::exponential>("exponential"),
      unary<exponential_minus_one, nullptr, complex::exponential_minus_one>("exponential_minus_one"),
      unary<log, nullptr, complex::log>("log"),
      unary<log_plus_one, nullptr, complex::log_plus_one>("log_plus_one"),
      unary<sqrt, nullptr, complex::sqrt>("sqrt"),
      unary<rsqrt, nullptr, complex::rsqrt>("rsqrt"),
      unary<cbrt, nullptr, complex::cbrt>("cbrt"),
      unary<logistic, nullptr, complex::logistic>("logistic"),
      unary<tanh, nullptr, complex::tanh>("tanh"),
      unary<sine, nullptr, complex::sine>("sine"),
      unary<cosine, nullptr, complex::cosine>("cosine"),
      unary<tan, nullptr, complex::tan>("tan"),
      unary<floor>("floor"),
      unary<ceil>("ceil"),
      unary<round_nearest_afz>("round_nearest_afz"),
      unary<round_nearest_even>("round_nearest_even"),
      {"is_finite", run_is_finite, check_is_finite},
      binary<add, add, complex::add, true>("add"),  // of bool: or
      binary<subtract, subtract, complex::subtract>("subtract"),
      binary<multiply, multiply, complex::multiply, true>("multiply"),  // of bool: and
      binary<divide, divide, complex::divide>("divide"),
      binary<remainder, remainder>("remainder"),
      binary<maximum, maximum, nullptr, true>("maximum"),
      binary<minimum, minimum, nullptr, true>("minimum"),
      binary<power, power, complex::power>("power"),
      binary<atan2, nullptr, complex::atan2>("atan2"),
      binary<nullptr, bit_and, nullptr, true>("and"),
      binary<nullptr, bit_or, nullptr, true>("or"),
      binary<nullptr, bit_xor, nullptr, true>("xor"),
      binary<nullptr, shift_left>("shift_left"),
      binary<nullptr, shift_right_logical>("shift_right_logical"),
      binary<nullptr, shift_right_arithmetic>("shift_right_arithmetic"),
  };
}

}  // namespace hearth
