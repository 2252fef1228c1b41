// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_program_test_kit.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace hearth::row_test {

std::vector<Isa> isas() {
  std::vector<Isa> all;
  for (Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (isa <= best_isa()) all.push_back(isa);
  }
  return all;
}

static void run_args(Isa isa, const RowProgram& program, Tensors* in, Tensors* out) {
  std::vector<TensorArg> in_args, out_args;
  std::vector<TensorType> in_types, out_types;
  for (Tensor& t : *in) in_args.push_back({t.bytes.data(), &t.type}), in_types.push_back(t.type);
  for (Tensor& t : *out) out_args.push_back({t.bytes.data(), &t.type}), out_types.push_back(t.type);
  validate(program, in_types, out_types);
  const Attrs none;
  run_row_program_with(isa, {in_args, out_args, none, &program});
}

void run(Isa isa, const RowProgram& program, const Tensors& in, Tensors* out) {
  Tensors copy = in;
  run_args(isa, program, &copy, out);
}
void run_in_place(Isa isa, const RowProgram& program, Tensors* tensors) { run_args(isa, program, tensors, tensors); }

// NaN wins, and +0 is above -0.
static double larger(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return NAN;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

static std::optional<double> define_float(RowOp op, double a, double b) {
  switch (op) {
    case RowOp::add_f32: return a + b;
    case RowOp::sub_f32: return a - b;
    case RowOp::mul_f32: return a * b;
    case RowOp::div_f32: return a / b;
    case RowOp::max_f32: return larger(a, b);
    case RowOp::min_f32: return -larger(-a, -b);
    case RowOp::pow_f32: return std::pow(a, b);
    case RowOp::rem_f32: return std::fmod(a, b);
    case RowOp::atan2_f32: return std::atan2(a, b);
    case RowOp::neg_f32: return -a;
    case RowOp::abs_f32: return std::fabs(a);
    case RowOp::sign_f32: return a > 0 ? 1 : a < 0 ? -1 : a;
    case RowOp::exp_f32: return std::exp(a);
    case RowOp::log_f32: return std::log(a);
    case RowOp::sqrt_f32: return std::sqrt(a);
    case RowOp::rsqrt_f32: return 1 / std::sqrt(a);
    case RowOp::logistic_f32: return 1 / (1 + std::exp(-a));
    case RowOp::tanh_f32: return std::tanh(a);
    case RowOp::sin_f32: return std::sin(a);
    case RowOp::cos_f32: return std::cos(a);
    case RowOp::floor_f32: return std::floor(a);
    case RowOp::ceil_f32: return std::ceil(a);
    case RowOp::expm1_f32: return std::expm1(a);
    case RowOp::log1p_f32: return std::log1p(a);
    case RowOp::cbrt_f32: return std::cbrt(a);
    case RowOp::tan_f32: return std::tan(a);
    case RowOp::erf_f32: return std::erf(a);
    case RowOp::round_even_f32: return std::nearbyint(a);
    case RowOp::round_away_f32: return std::round(a);
    case RowOp::round_bf16: return float(bf16(float(a)));
    case RowOp::round_f16: return float(f16(float(a)));
    default: return std::nullopt;
  }
}

static std::optional<bool> define_test(RowOp op, float a, float b, uint32_t ua, uint32_t ub) {
  const int32_t ia = int32_t(ua), ib = int32_t(ub);
  switch (op) {
    case RowOp::eq_f32: return a == b;
    case RowOp::ne_f32: return a != b;
    case RowOp::lt_f32: return a < b;
    case RowOp::le_f32: return a <= b;
    case RowOp::gt_f32: return a > b;
    case RowOp::ge_f32: return a >= b;
    case RowOp::eq_i32: return ia == ib;
    case RowOp::ne_i32: return ia != ib;
    case RowOp::lt_i32: return ia < ib;
    case RowOp::le_i32: return ia <= ib;
    case RowOp::gt_i32: return ia > ib;
    case RowOp::ge_i32: return ia >= ib;
    case RowOp::lt_u32: return ua < ub;
    case RowOp::le_u32: return ua <= ub;
    case RowOp::gt_u32: return ua > ub;
    case RowOp::ge_u32: return ua >= ub;
    case RowOp::is_finite_f32: return std::isfinite(a);
    case RowOp::not_bool: return ua == 0;
    case RowOp::i32_to_bool: return ua != 0;
    case RowOp::f32_to_bool: return a != 0;
    default: return std::nullopt;
  }
}

// base^exponent mod 2^64, bit by bit of the exponent from its upper end.
static int64_t power_by_hand(uint64_t base, int64_t exponent, bool is_minus_one, int bits) {
  if (exponent < 0) return base == 1 ? 1 : is_minus_one ? (exponent % 2 ? -1 : 1) : 0;
  uint64_t result = 1;
  for (int bit = bits; bit-- > 0;) {
    result *= result;
    if (exponent >> std::min(bit, 63) & 1) result *= base;
  }
  return int64_t(result);
}

// In 64 bits; the caller keeps the low 32.
static std::optional<int64_t> define_integer(RowOp op, uint32_t ua, uint32_t ub, uint32_t uc) {
  const int64_t a = int32_t(ua), b = int32_t(ub), x = ua, y = ub;
  switch (op) {
    case RowOp::add_i32: return a + b;
    case RowOp::sub_i32: return a - b;
    case RowOp::mul_i32: return a * b;
    case RowOp::max_i32: return std::max(a, b);
    case RowOp::min_i32: return std::min(a, b);
    case RowOp::max_u32: return std::max(x, y);
    case RowOp::min_u32: return std::min(x, y);
    case RowOp::neg_i32: return -a;
    case RowOp::abs_i32: return std::abs(a);
    case RowOp::sign_i32: return a > 0 ? 1 : a < 0 ? -1 : 0;
    case RowOp::and_u32: return x & y;
    case RowOp::or_u32: return x | y;
    case RowOp::xor_u32: return x ^ y;
    case RowOp::not_u32: return ~x;
    case RowOp::popcnt_u32: return std::popcount(ua);
    case RowOp::clz_u32: return std::countl_zero(ua);
    case RowOp::clz_u16: return std::countl_zero(uint16_t(ua));
    case RowOp::clz_u8: return std::countl_zero(uint8_t(ua));
    case RowOp::shl_u32: return ub >= 32 ? 0 : x << ub;
    case RowOp::shr_u32: return ub >= 32 ? 0 : x >> ub;
    case RowOp::shr_i32: return a >> std::min<uint32_t>(ub, 31);
    case RowOp::select: return ua != 0 ? y : int64_t(uc);
    case RowOp::copy: return x;
    case RowOp::sign_u32: return x != 0;
    case RowOp::div_i32: return b == 0 ? -1 : a / b;
    case RowOp::div_u32: return y == 0 ? -1 : x / y;
    case RowOp::rem_i32: return b == 0 ? a : a % b;
    case RowOp::rem_u32: return y == 0 ? x : x % y;
    case RowOp::pow_i32: return power_by_hand(uint32_t(a), b, a == -1, 32);
    case RowOp::pow_u32: return power_by_hand(uint32_t(x), y, false, 32);
    case RowOp::wrap_i8: return int8_t(ua);
    case RowOp::wrap_i16: return int16_t(ua);
    case RowOp::wrap_u8: return ua % 256;
    case RowOp::wrap_u16: return ua % 65536;
    case RowOp::clamp_i8: return std::clamp<int64_t>(a, -128, 127);
    case RowOp::clamp_i16: return std::clamp<int64_t>(a, -32768, 32767);
    case RowOp::clamp_u8: return std::clamp<int64_t>(a, 0, 255);
    case RowOp::clamp_u16: return std::clamp<int64_t>(a, 0, 65535);
    default: return std::nullopt;
  }
}

static int64_t saturate(double x, double low, double high) {
  return std::isnan(x) ? 0 : int64_t(std::trunc(std::clamp(x, low, high)));
}

// Truncated to 24 bits, the last one set where that lost anything.
static uint32_t odd_bits(long double x) {
  if (std::isnan(x)) return std::bit_cast<uint32_t>(NAN);
  float towards_zero = float(std::fabs(x));
  if (std::isinf(towards_zero) && !std::isinf(x)) towards_zero = std::numeric_limits<float>::max();
  if ((long double)(towards_zero) > std::fabs(x)) towards_zero = std::nextafter(towards_zero, 0.0f);
  const uint32_t lost = (long double)(towards_zero) != std::fabs(x);
  return (std::bit_cast<uint32_t>(towards_zero) | lost) | (std::signbit(x) ? 0x80000000u : 0);
}

std::optional<uint32_t> define(RowOp op, uint32_t a, uint32_t b, uint32_t c) {
  const float fa = std::bit_cast<float>(a), fb = std::bit_cast<float>(b);
  if (const auto value = define_float(op, fa, fb)) return std::bit_cast<uint32_t>(float(*value));
  if (const auto value = define_test(op, fa, fb, a, b)) return *value ? 1 : 0;
  if (const auto value = define_integer(op, a, b, c)) return uint32_t(*value);
  switch (op) {
    case RowOp::f32_to_i32: return uint32_t(saturate(fa, -0x1p31, 0x1p31 - 1));
    case RowOp::f32_to_u32: return uint32_t(saturate(fa, 0, 0x1p32 - 1));
    case RowOp::i32_to_f32: return std::bit_cast<uint32_t>(float(int32_t(a)));
    case RowOp::u32_to_f32: return std::bit_cast<uint32_t>(float(a));
    case RowOp::i32_to_f32_odd: return odd_bits(int32_t(a));
    case RowOp::u32_to_f32_odd: return odd_bits(a);
    default: return std::nullopt;
  }
}

bool is_float_result(RowOp op) {
  return define_float(op, 1, 1) || op == RowOp::i32_to_f32 || op == RowOp::u32_to_f32 || op == RowOp::f64_to_f32 ||
         op == RowOp::f64_to_f32_odd || op == RowOp::i64_to_f32 || op == RowOp::u64_to_f32 ||
         op == RowOp::i32_to_f32_odd || op == RowOp::u32_to_f32_odd || op == RowOp::i64_to_f32_odd ||
         op == RowOp::u64_to_f32_odd || (op >= RowOp::sum_f32 && op <= RowOp::prod_f32);
}

double ulps_between(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : 1e30;
  const auto order = [](float x) {
    const int32_t i = std::bit_cast<int32_t>(x);
    return i < 0 ? int64_t(std::numeric_limits<int32_t>::min()) - i - 1 : int64_t(i);
  };
  return double(std::abs(order(a) - order(b)));
}

static std::optional<double> define_f64(RowOp op, double a, double b) {
  switch (op) {
    case RowOp::add_f64: return a + b;
    case RowOp::sub_f64: return a - b;
    case RowOp::mul_f64: return a * b;
    case RowOp::div_f64: return a / b;
    case RowOp::max_f64: return larger(a, b);
    case RowOp::min_f64: return -larger(-a, -b);
    case RowOp::pow_f64: return std::pow(a, b);
    case RowOp::rem_f64: return std::fmod(a, b);
    case RowOp::atan2_f64: return std::atan2(a, b);
    case RowOp::neg_f64: return -a;
    case RowOp::abs_f64: return std::fabs(a);
    case RowOp::sign_f64: return a > 0 ? 1 : a < 0 ? -1 : a;
    case RowOp::exp_f64: return std::exp(a);
    case RowOp::log_f64: return std::log(a);
    case RowOp::sqrt_f64: return std::sqrt(a);
    case RowOp::rsqrt_f64: return 1 / std::sqrt(a);
    case RowOp::logistic_f64: return 1 / (1 + std::exp(-a));
    case RowOp::tanh_f64: return std::tanh(a);
    case RowOp::sin_f64: return std::sin(a);
    case RowOp::cos_f64: return std::cos(a);
    case RowOp::floor_f64: return std::floor(a);
    case RowOp::ceil_f64: return std::ceil(a);
    case RowOp::expm1_f64: return std::expm1(a);
    case RowOp::log1p_f64: return std::log1p(a);
    case RowOp::cbrt_f64: return std::cbrt(a);
    case RowOp::tan_f64: return std::tan(a);
    case RowOp::erf_f64: return std::erf(a);
    case RowOp::round_even_f64: return std::nearbyint(a);
    case RowOp::round_away_f64: return std::round(a);
    default: return std::nullopt;
  }
}

static std::optional<bool> define_wide_test(RowOp op, double a, double b, uint64_t x, uint64_t y) {
  const int64_t i = int64_t(x), j = int64_t(y);
  switch (op) {
    case RowOp::eq_f64: return a == b;
    case RowOp::ne_f64: return a != b;
    case RowOp::lt_f64: return a < b;
    case RowOp::le_f64: return a <= b;
    case RowOp::gt_f64: return a > b;
    case RowOp::ge_f64: return a >= b;
    case RowOp::eq_i64: return i == j;
    case RowOp::ne_i64: return i != j;
    case RowOp::lt_i64: return i < j;
    case RowOp::le_i64: return i <= j;
    case RowOp::gt_i64: return i > j;
    case RowOp::ge_i64: return i >= j;
    case RowOp::lt_u64: return x < y;
    case RowOp::le_u64: return x <= y;
    case RowOp::gt_u64: return x > y;
    case RowOp::ge_u64: return x >= y;
    case RowOp::is_finite_f64: return std::isfinite(a);
    case RowOp::f64_to_bool: return a != 0;
    case RowOp::i64_to_bool: return x != 0;
    default: return std::nullopt;
  }
}

static std::optional<uint64_t> define_wide_integer(RowOp op, uint64_t x, uint64_t y, uint64_t z) {
  const int64_t a = int64_t(x), b = int64_t(y);
  switch (op) {
    case RowOp::add_i64: return x + y;
    case RowOp::sub_i64: return x - y;
    case RowOp::mul_i64: return x * y;
    case RowOp::div_i64: return b == 0 ? ~uint64_t(0) : uint64_t(__int128(a) / b);
    case RowOp::div_u64: return y == 0 ? ~uint64_t(0) : x / y;
    case RowOp::rem_i64: return b == 0 ? x : uint64_t(__int128(a) % b);
    case RowOp::rem_u64: return y == 0 ? x : x % y;
    case RowOp::pow_i64: return uint64_t(power_by_hand(x, b, a == -1, 64));
    case RowOp::pow_u64: {  // an exponent above 2^63: the power's square, once more times the base where it is odd
      const uint64_t half = uint64_t(power_by_hand(x, int64_t(y >> 1), false, 64));
      return half * half * (y & 1 ? x : 1);
    }
    case RowOp::max_i64: return uint64_t(std::max(a, b));
    case RowOp::min_i64: return uint64_t(std::min(a, b));
    case RowOp::max_u64: return std::max(x, y);
    case RowOp::min_u64: return std::min(x, y);
    case RowOp::and_u64: return x & y;
    case RowOp::or_u64: return x | y;
    case RowOp::xor_u64: return x ^ y;
    case RowOp::shl_u64: return y >= 64 ? 0 : x << y;
    case RowOp::shr_u64: return y >= 64 ? 0 : x >> y;
    case RowOp::shr_i64: return uint64_t(a >> std::min<uint64_t>(y, 63));
    case RowOp::neg_i64: return 0 - x;
    case RowOp::abs_i64: return a < 0 ? 0 - x : x;
    case RowOp::sign_i64: return uint64_t(a > 0 ? 1 : a < 0 ? -1 : 0);
    case RowOp::sign_u64: return x != 0;
    case RowOp::not_u64: return ~x;
    case RowOp::popcnt_u64: return uint64_t(std::popcount(x));
    case RowOp::clz_u64: return uint64_t(std::countl_zero(x));
    case RowOp::copy_64: return x;
    case RowOp::select_64: return uint32_t(x) != 0 ? y : z;
    default: return std::nullopt;
  }
}

// Towards zero, saturating.
template <class T>
static uint64_t saturated(double x) {
  if (std::isnan(x)) return 0;
  if (x >= std::ldexp(1.0, std::numeric_limits<T>::digits)) return uint64_t(std::numeric_limits<T>::max());
  if (x <= double(std::numeric_limits<T>::min())) return uint64_t(std::numeric_limits<T>::min());
  return uint64_t(T(x));
}

std::optional<uint64_t> define_wide(RowOp op, uint64_t a, uint64_t b, uint64_t c) {
  const double fa = std::bit_cast<double>(a), fb = std::bit_cast<double>(b);
  const float low = std::bit_cast<float>(uint32_t(a));
  const auto f32 = [](float x) { return std::bit_cast<uint32_t>(x); };
  const auto f64 = [](double x) { return std::bit_cast<uint64_t>(x); };
  if (const auto value = define_f64(op, fa, fb)) return f64(*value);
  if (const auto value = define_wide_test(op, fa, fb, a, b)) return *value ? 1 : 0;
  if (const auto value = define_wide_integer(op, a, b, c)) return *value;
  switch (op) {
    case RowOp::f32_to_f64: return f64(low);
    case RowOp::i32_to_f64: return f64(int32_t(a));
    case RowOp::u32_to_f64: return f64(uint32_t(a));
    case RowOp::f32_to_i64: return saturated<int64_t>(low);
    case RowOp::f32_to_u64: return saturated<uint64_t>(low);
    case RowOp::i32_to_i64: return uint64_t(int64_t(int32_t(a)));
    case RowOp::u32_to_u64: return uint32_t(a);
    case RowOp::f64_to_f32: return f32(float(fa));
    case RowOp::f64_to_f32_odd: return odd_bits(fa);
    case RowOp::f64_to_i32: return uint32_t(saturated<int32_t>(fa));
    case RowOp::f64_to_u32: return saturated<uint32_t>(fa);
    case RowOp::f64_to_i64: return saturated<int64_t>(fa);
    case RowOp::f64_to_u64: return saturated<uint64_t>(fa);
    case RowOp::i64_to_i32: return uint32_t(a);
    case RowOp::i64_to_f32: return f32(float(int64_t(a)));
    case RowOp::u64_to_f32: return f32(float(a));
    case RowOp::i64_to_f32_odd: return odd_bits(int64_t(a));
    case RowOp::u64_to_f32_odd: return odd_bits(a);
    case RowOp::i64_to_f64: return f64(double(int64_t(a)));
    case RowOp::u64_to_f64: return f64(double(a));
    default: return std::nullopt;
  }
}

bool is_f64_result(RowOp op) {
  return define_f64(op, 1, 1) || op == RowOp::f32_to_f64 || op == RowOp::i32_to_f64 || op == RowOp::u32_to_f64 ||
         op == RowOp::i64_to_f64 || op == RowOp::u64_to_f64 || (op >= RowOp::sum_f64 && op <= RowOp::prod_f64);
}

namespace {

// Floats are reduced in long double and integers in 64 bits.
struct SlowReduction {
  long double real;
  uint64_t integer;
  explicit SlowReduction(RowOp op) {
    const std::string what = name(op);
    const bool wide = what.size() > 2 && what.substr(what.size() - 2) == "64";
    real = what.rfind("prod", 0) == 0  ? 1
           : what.rfind("max", 0) == 0 ? -INFINITY
           : what.rfind("min", 0) == 0 ? INFINITY
                                       : 0;
    integer = what.rfind("prod", 0) == 0 ? 1 : what.rfind("and", 0) == 0 ? ~uint64_t(0) : 0;
    if (what.find("max_row_i") == 0) integer = wide ? uint64_t(INT64_MIN) : uint64_t(int64_t(INT32_MIN));
    if (what.find("min_row_i") == 0) integer = wide ? uint64_t(INT64_MAX) : uint64_t(INT32_MAX);
    if (what.find("min_row_u") == 0) integer = ~uint64_t(0);
  }
  void take(RowOp op, uint64_t bits) {
    const double f = std::bit_cast<float>(uint32_t(bits)), d = std::bit_cast<double>(bits);
    const int64_t i = int32_t(uint32_t(bits)), n = int64_t(integer);
    switch (op) {
      case RowOp::sum_f32: real += f; break;
      case RowOp::prod_f32: real *= f; break;
      case RowOp::max_row_f32: real = larger(double(real), f); break;
      case RowOp::min_row_f32: real = -larger(-double(real), -f); break;
      case RowOp::sum_f64: real += d; break;
      case RowOp::prod_f64: real *= d; break;
      case RowOp::max_row_f64: real = larger(double(real), d); break;
      case RowOp::min_row_f64: real = -larger(-double(real), -d); break;
      case RowOp::sum_i32:
      case RowOp::sum_i64: integer += bits; break;
      case RowOp::prod_i32:
      case RowOp::prod_i64: integer *= bits; break;
      case RowOp::and_row_u32:
      case RowOp::and_row_u64: integer &= bits; break;
      case RowOp::or_row_u32:
      case RowOp::or_row_u64: integer |= bits; break;
      case RowOp::max_row_i32: integer = uint64_t(std::max(n, i)); break;
      case RowOp::min_row_i32: integer = uint64_t(std::min(n, i)); break;
      case RowOp::max_row_i64: integer = uint64_t(std::max(n, int64_t(bits))); break;
      case RowOp::min_row_i64: integer = uint64_t(std::min(n, int64_t(bits))); break;
      case RowOp::max_row_u32:
      case RowOp::max_row_u64: integer = std::max(integer, bits); break;
      default: integer = std::min(integer, bits);
    }
  }
  uint64_t bits(RowOp op) const {
    if (is_f64_result(op)) return std::bit_cast<uint64_t>(double(real));
    if (is_float_result(op)) return std::bit_cast<uint32_t>(float(real));
    return op < RowOp::sum_f64 ? uint32_t(integer) : integer;
  }
};

int64_t position_of(const RowOperand& operand, int64_t element) {
  int64_t position = operand.offset;
  for (size_t d = operand.dims.size(); d-- > 0; element /= operand.dims[d]) {
    position += element % operand.dims[d] * operand.strides[d];
  }
  return position;
}

uint64_t read(const Tensor& t, int64_t i) {
  switch (t.type.dtype) {
    case DType::boolean: return t.at<uint8_t>(i) != 0;
    case DType::i8: return uint32_t(t.at<int8_t>(i));
    case DType::i64:
    case DType::u64:
    case DType::f64:
    case DType::complex64: return t.at<uint64_t>(i);
    case DType::i16: return uint32_t(t.at<int16_t>(i));
    case DType::u8: return t.at<uint8_t>(i);
    case DType::u16: return t.at<uint16_t>(i);
    case DType::f16: return std::bit_cast<uint32_t>(float(t.at<f16>(i)));
    case DType::bf16: return std::bit_cast<uint32_t>(float(t.at<bf16>(i)));
    default: return t.at<uint32_t>(i);
  }
}

void write(Tensor* t, int64_t i, uint64_t bits) {
  const float f = std::bit_cast<float>(uint32_t(bits));
  uint64_t value = bits;
  if (t->type.dtype == DType::boolean) value = bits != 0;
  if (t->type.dtype == DType::f16) value = f16(f).bits;
  if (t->type.dtype == DType::bf16) value = bf16(f).bits;
  const size_t size = size_t(size_bytes(t->type.dtype));
  std::memcpy(t->bytes.data() + size_t(i) * size, &value, size);  // little-endian: the low bytes
}

struct SlowRunner {
  const RowProgram& program;
  const Tensors& in;
  Tensors* out;
  uint64_t full[256] = {}, row[256] = {};

  void step(const RowInstruction& i, int64_t element, bool per_row) {
    uint64_t* registers = per_row ? row : full;
    const RowOperand* operand = i.operand < program.operands.size() ? &program.operands[i.operand] : nullptr;
    switch (i.op) {
      case RowOp::load:
      case RowOp::load_row:
        registers[i.dst] = read(in[size_t(operand->tensor)], position_of(*operand, element));
        return;
      case RowOp::store:
      case RowOp::store_row:
        write(&(*out)[size_t(operand->tensor)], position_of(*operand, element), registers[i.a]);
        return;
      case RowOp::iota_i32: registers[i.dst] = uint32_t(position_of(*operand, element)); return;
      case RowOp::iota_f32: registers[i.dst] = std::bit_cast<uint32_t>(float(position_of(*operand, element))); return;
      case RowOp::iota_i64: registers[i.dst] = uint64_t(position_of(*operand, element)); return;
      case RowOp::iota_f64: registers[i.dst] = std::bit_cast<uint64_t>(double(position_of(*operand, element))); return;
      case RowOp::iota_f32_odd: registers[i.dst] = odd_bits(position_of(*operand, element)); return;
      case RowOp::constant_64:
      case RowOp::constant: registers[i.dst] = i.immediate; return;
      case RowOp::spread_64:
      case RowOp::spread: full[i.dst] = row[i.a]; return;
      default: registers[i.dst] = value_of(i.op, registers[i.a], registers[i.b], registers[i.c]);
    }
  }

  static uint64_t value_of(RowOp op, uint64_t a, uint64_t b, uint64_t c) {
    if (const auto wide = define_wide(op, a, b, c)) return *wide;
    return define(op, uint32_t(a), uint32_t(b), uint32_t(c)).value();
  }

  void run_row(int64_t r) {
    for (const RowPhase& phase : program.phases) {
      std::vector<SlowReduction> sums;
      for (const RowInstruction& i : phase.tiles) {
        if (i.op == RowOp::load_row || i.op == RowOp::store_row) step(i, r, true);
        sums.emplace_back(i.op);
      }
      for (int64_t c = 0; c < program.width; ++c) {
        for (size_t n = 0; n < phase.tiles.size(); ++n) {
          const RowInstruction& i = phase.tiles[n];
          if (is_reduction(i.op))
            sums[n].take(i.op, full[i.a]);
          else if (i.op != RowOp::load_row && i.op != RowOp::store_row)
            step(i, (r / program.inner * program.width + c) * program.inner + r % program.inner, false);
        }
      }
      for (size_t n = 0; n < phase.tiles.size(); ++n) {
        if (is_reduction(phase.tiles[n].op)) row[phase.tiles[n].dst] = sums[n].bits(phase.tiles[n].op);
      }
      for (const RowInstruction& i : phase.after) step(i, r, true);
    }
  }
};

}  // namespace

void run_slowly(const RowProgram& program, const Tensors& in, Tensors* out) {
  SlowRunner runner{program, in, out};
  for (int64_t r = 0; r < program.rows; ++r) runner.run_row(r);
}

}  // namespace hearth::row_test
