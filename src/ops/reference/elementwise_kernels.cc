// SPDX-License-Identifier: Apache-2.0
// Element-wise operations: tables of what each does to reals (f64) and to integers (64 bits, kept by the low bits).

#include <cmath>
#include <limits>

#include "ops/reference/elements.h"
#include "ops/reference/reference.h"

namespace hearth {
namespace {

using namespace reference;

// --- unary ----------------------------------------------------------------------------------------------------------

using UnaryReal = double (*)(double);
using UnaryInteger = int64_t (*)(int64_t, DType);

int64_t negate(int64_t n, DType) { return int64_t(0 - uint64_t(n)); }
int64_t absolute(int64_t n, DType t) { return is_signed_int(t) && n < 0 ? negate(n, t) : n; }
int64_t sign(int64_t n, DType t) { return n == 0 ? 0 : is_signed_int(t) && n < 0 ? -1 : 1; }
int64_t invert(int64_t n, DType t) { return t == DType::boolean ? !n : ~n; }

// Functions of this file even where std has them: "is there one" must be a constant in templates, which the address of
// a library function is not in every build.
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
double floor(double x) { return std::floor(x); }
double ceil(double x) { return std::ceil(x); }
double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }  // keeps -0 and NaN
double rsqrt(double x) { return 1 / std::sqrt(x); }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

template <UnaryReal real, UnaryInteger integer>
void run_unary(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  for (int64_t i = 0; i < x.type->elements(); ++i) {
    if constexpr (real != nullptr) {
      if (is_float(x.dtype())) {
        store_real(y, i, real(load_real(x, i)));
        continue;
      }
    }
    if constexpr (integer != nullptr) store_integer(y, i, integer(load_integer(x, i), x.dtype()));
  }
}

template <bool reals, bool integers, bool booleans>
void check_unary(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 1, 1);
  const DType t = in[0].dtype;
  const bool known = is_float(t) ? reals : is_int(t) ? integers : booleans;
  HEARTH_CHECK(known, format, "has no meaning for ", t);
  expect_type("output", out[0], in[0]);
}

template <UnaryReal real, UnaryInteger integer = nullptr>
KernelInfo unary(const char* name) {
  constexpr bool is_not = integer == &invert;
  return {name, run_unary<real, integer>, check_unary<real != nullptr, integer != nullptr, is_not>};
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

template <BinaryReal real, BinaryInteger integer>
void run_binary(const KernelArgs& args) {
  const TensorArg &a = args.in[0], &b = args.in[1], &y = args.out[0];
  for (int64_t i = 0; i < a.type->elements(); ++i) {
    if constexpr (real != nullptr) {
      if (is_float(a.dtype())) {
        store_real(y, i, real(load_real(a, i), load_real(b, i)));
        continue;
      }
    }
    if constexpr (integer != nullptr) store_integer(y, i, integer(load_integer(a, i), load_integer(b, i), a.dtype()));
  }
}

template <bool reals, bool integers, bool booleans>
void check_binary(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 2, 1);
  const DType t = in[0].dtype;
  const bool known = is_float(t) ? reals : is_int(t) ? integers : booleans;
  HEARTH_CHECK(known, format, "has no meaning for ", t);
  expect_type("input 1", in[1], in[0]);
  expect_type("output", out[0], in[0]);
}

template <BinaryReal real, BinaryInteger integer, bool booleans = false>
KernelInfo binary(const char* name) {
  return {name, run_binary<real, integer>, check_binary<real != nullptr, integer != nullptr, booleans>};
}

// --- compare, select, convert ---------------------------------------------------------------------------------------

template <class T>
bool holds(const std::string& direction, T a, T b) {
  if (direction == "EQ") return a == b;
  if (direction == "NE") return a != b;
  if (direction == "LT") return a < b;
  if (direction == "LE") return a <= b;
  return direction == "GT" ? a > b : a >= b;
}

void run_compare(const KernelArgs& args) {
  const TensorArg &a = args.in[0], &b = args.in[1];
  const std::string& direction = args.attrs.text("direction");
  for (int64_t i = 0; i < a.type->elements(); ++i) {
    bool result;
    if (is_float(a.dtype()))
      result = holds(direction, load_real(a, i), load_real(b, i));
    else if (is_signed_int(a.dtype()))
      result = holds(direction, load_integer(a, i), load_integer(b, i));
    else
      result = holds(direction, uint64_t(load_integer(a, i)), uint64_t(load_integer(b, i)));
    store_integer(args.out[0], i, result);
  }
}
void check_compare(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 2, 1);
  expect_type("input 1", in[1], in[0]);
  expect_type("output", out[0], {DType::boolean, in[0].dims});
  const std::string& d = attrs.text("direction");
  HEARTH_CHECK(d == "EQ" || d == "NE" || d == "LT" || d == "LE" || d == "GT" || d == "GE", format, "direction='", d,
               "' is none of EQ NE LT LE GT GE");
}

void run_select(const KernelArgs& args) {
  const TensorArg &pred = args.in[0], &y = args.out[0];
  for (int64_t i = 0; i < y.type->elements(); ++i) {
    const bool take = load_integer(pred, pred.type->rank() == 0 ? 0 : i);
    copy_element(y, i, args.in[take ? 1 : 2], i);
  }
}
void check_select(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 3, 1);
  expect_type("input 0", in[0], {DType::boolean, in[0].rank() == 0 ? Dims{} : in[1].dims});
  expect_type("input 2", in[2], in[1]);
  expect_type("output", out[0], in[1]);
}

void run_convert(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  for (int64_t i = 0; i < x.type->elements(); ++i) {
    if (is_float(x.dtype())) {
      store_converted(y, i, load_real(x, i));
    } else if (is_float(y.dtype())) {  // 64-bit integers do not fit in f64, and must be rounded once
      const int64_t n = load_integer(x, i);
      store_real(y, i, x.dtype() == DType::u64 ? static_cast<long double>(uint64_t(n)) : static_cast<long double>(n));
    } else {
      store_integer(y, i, load_integer(x, i));
    }
  }
}
void check_convert(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 1, 1);
  expect_type("output", out[0], {out[0].dtype, in[0].dims});
}

}  // namespace

std::vector<KernelInfo> reference_elementwise() {
  return {
      unary<negate, negate>("negate"),
      unary<absolute, absolute>("abs"),
      unary<sign, sign>("sign"),
      unary<nullptr, invert>("not"),
      unary<exponential>("exponential"),
      unary<exponential_minus_one>("exponential_minus_one"),
      unary<log>("log"),
      unary<log_plus_one>("log_plus_one"),
      unary<sqrt>("sqrt"),
      unary<rsqrt>("rsqrt"),
      unary<logistic>("logistic"),
      unary<tanh>("tanh"),
      unary<sine>("sine"),
      unary<cosine>("cosine"),
      unary<floor>("floor"),
      unary<ceil>("ceil"),
      {"is_finite", run_is_finite, check_is_finite},
      binary<add, add, true>("add"),  // of bool: or
      binary<subtract, subtract>("subtract"),
      binary<multiply, multiply, true>("multiply"),  // of bool: and
      binary<divide, divide>("divide"),
      binary<remainder, remainder>("remainder"),
      binary<maximum, maximum, true>("maximum"),
      binary<minimum, minimum, true>("minimum"),
      binary<power, power>("power"),
      binary<atan2, nullptr>("atan2"),
      binary<nullptr, bit_and, true>("and"),
      binary<nullptr, bit_or, true>("or"),
      binary<nullptr, bit_xor, true>("xor"),
      binary<nullptr, shift_left>("shift_left"),
      binary<nullptr, shift_right_logical>("shift_right_logical"),
      binary<nullptr, shift_right_arithmetic>("shift_right_arithmetic"),
      {"compare", run_compare, check_compare},
      {"select", run_select, check_select},
      {"convert", run_convert, check_convert},
  };
}

}  // namespace hearth
