// SPDX-License-Identifier: Apache-2.0
#pragma once
// The element-wise operations as tables: registry, derivatives, documentation and tests come from a row (their
// row-program instructions: row_instructions_rules.cc). In the formulas x (a, b) are the inputs and y the result:
// doubles in the value column, graph values in the derivative column, where {} is zero. The last but one column of the
// unary table says which dtypes an operation takes (elementwise_rules.h). Derivatives of complex numbers are those of
// the complex variable, f'(z).

// clang-format off
//    name                    y = f(x), f64                  dy/dx                         takes        tested on
#define HEARTH_UNARY_FLOAT_OPS(ROW)                                                                                \
  ROW(exponential,            std::exp(x),                   y,                            kInexact,       -4, 4)  \
  ROW(exponential_minus_one,  std::expm1(x),                 y + 1.0,                      kInexact,       -4, 4)  \
  ROW(log,                    std::log(x),                   1.0 / x,                      kInexact,      0.1, 9)  \
  ROW(log_plus_one,           std::log1p(x),                 1.0 / (x + 1.0),              kInexact,     -0.9, 9)  \
  ROW(sqrt,                   std::sqrt(x),                  0.5 / y,                      kInexact,      0.1, 9)  \
  ROW(rsqrt,                  1 / std::sqrt(x),              -0.5 * (y * y * y),           kInexact,      0.1, 9)  \
  ROW(cbrt,                   std::cbrt(x),                  1.0 / (3.0 * (y * y)),        kInexact,      0.1, 9)  \
  ROW(logistic,               1 / (1 + std::exp(-x)),        y * (1.0 - y),                kInexact,       -6, 6)  \
  ROW(tanh,                   std::tanh(x),                  1.0 - y * y,                  kInexact,       -3, 3)  \
  ROW(sine,                   std::sin(x),                   cos(x),                       kInexact,       -9, 9)  \
  ROW(cosine,                 std::cos(x),                   -sin(x),                      kInexact,       -9, 9)  \
  ROW(tan,                    std::tan(x),                   1.0 + y * y,                  kInexact,   -1.4, 1.4)
// Steps: zero derivative.
#define HEARTH_UNARY_STEP_OPS(ROW)                                                                                 \
  ROW(floor,                  std::floor(x),                 {},                           kFloat,         -9, 9)  \
  ROW(ceil,                   std::ceil(x),                  {},                           kFloat,         -9, 9)  \
  ROW(round_nearest_afz,      std::round(x),                 {},                           kFloat,         -9, 9)  \
  ROW(round_nearest_even,     std::nearbyint(x),             {},                           kFloat,         -9, 9)
// Floats and integers; the negative of an unsigned number wraps around.
#define HEARTH_UNARY_SIGNED_OPS(ROW)                                                                               \
  ROW(negate,                 -x,                            scalar_like(x, -1),           kNumbers,       -9, 9)  \
  ROW(abs,                    std::fabs(x),                  unary("sign", x),             kSigned,        -9, 9)  \
  ROW(sign,                   x > 0 ? 1 : x < 0 ? -1 : x,    {},                           kSigned,        -9, 9)
#define HEARTH_UNARY_OPS(ROW) HEARTH_UNARY_FLOAT_OPS(ROW) HEARTH_UNARY_STEP_OPS(ROW) HEARTH_UNARY_SIGNED_OPS(ROW)

//    name       y = f(a, b)                     dy/da                       dy/db                       takes
#define HEARTH_BINARY_OPS(ROW)                                                                                         \
  ROW(add,       a + b,                          scalar_like(y, 1),          scalar_like(y, 1),          kAnything)    \
  ROW(subtract,  a - b,                          scalar_like(y, 1),          scalar_like(y, -1),         kNumbers)     \
  ROW(multiply,  a * b,                          b,                          a,                          kAnything)    \
  ROW(divide,    a / b,                          1.0 / b,                    -(y / b),                   kNumbers)     \
  ROW(maximum,   hearth_max(a, b),               winner("GT", a, b),         winner("GT", b, a),         kOrdered)     \
  ROW(minimum,   hearth_min(a, b),               winner("LT", a, b),         winner("LT", b, a),         kOrdered)     \
  ROW(power,     std::pow(a, b),                 power_slope(a, b),          y * log_or_zero(a),         kNumbers)     \
  ROW(remainder, std::fmod(a, b),                scalar_like(y, 1),          -truncated_quotient(a, b),  kRealNumbers) \
  ROW(atan2,     std::atan2(a, b),               b / (a * a + b * b),        -a / (a * a + b * b),       kInexact)
// clang-format on
