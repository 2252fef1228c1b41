// SPDX-License-Identifier: Apache-2.0
#pragma once
// The element-wise operations as tables: registry, derivatives, documentation and tests come from a row (their
// row-program instructions: row_instructions_rules.cc). In the formulas x (a, b) are the inputs and y the result:
// doubles in the value column, graph values in the derivative column. `none`: not differentiable (a derivative that is
// zero almost everywhere).

// clang-format off
//    name                    y = f(x), f64                        dy/dx                        tested on
#define HEARTH_UNARY_FLOAT_OPS(ROW)                                                                       \
  ROW(exponential,            std::exp(x),                         y,                             -4, 4)  \
  ROW(exponential_minus_one,  std::expm1(x),                       y + 1.0,                       -4, 4)  \
  ROW(log,                    std::log(x),                         1.0 / x,                      0.1, 9)  \
  ROW(log_plus_one,           std::log1p(x),                       1.0 / (x + 1.0),             -0.9, 9)  \
  ROW(sqrt,                   std::sqrt(x),                        0.5 / y,                      0.1, 9)  \
  ROW(rsqrt,                  1 / std::sqrt(x),                    -0.5 * (y * y * y),           0.1, 9)  \
  ROW(logistic,               1 / (1 + std::exp(-x)),              y * (1.0 - y),                 -6, 6)  \
  ROW(tanh,                   std::tanh(x),                        1.0 - y * y,                   -3, 3)  \
  ROW(sine,                   std::sin(x),                         cos(x),                        -9, 9)  \
  ROW(cosine,                 std::cos(x),                         -sin(x),                       -9, 9)
// Signed numbers, floats and integers.
#define HEARTH_UNARY_SIGNED_OPS(ROW)                                                                      \
  ROW(negate,                 -x,                                  scalar_like(x, -1),            -9, 9)  \
  ROW(abs,                    std::fabs(x),                        unary("sign", x),              -9, 9)  \
  ROW(sign,                   x > 0 ? 1 : x < 0 ? -1 : x,          scalar_like(x, 0),             -9, 9)
// Steps: zero derivative.
#define HEARTH_UNARY_STEP_OPS(ROW)                                                                        \
  ROW(floor,                  std::floor(x),                       scalar_like(x, 0),             -9, 9)  \
  ROW(ceil,                   std::ceil(x),                        scalar_like(x, 0),             -9, 9)

//    name       y = f(a, b)                     dy/da                                 dy/db
#define HEARTH_BINARY_OPS(ROW)                                                                                          \
  ROW(add,       a + b,                          scalar_like(y, 1),                    scalar_like(y, 1))               \
  ROW(subtract,  a - b,                          scalar_like(y, 1),                    scalar_like(y, -1))              \
  ROW(multiply,  a * b,                          b,                                    a)                               \
  ROW(divide,    a / b,                          1.0 / b,                              -(y / b))                        \
  ROW(maximum,   hearth_max(a, b),               winner("GT", a, b),                   winner("GT", b, a))              \
  ROW(minimum,   hearth_min(a, b),               winner("LT", a, b),                   winner("LT", b, a))              \
  ROW(power,     std::pow(a, b),                 b * binary("power", a, b - 1.0),      y * log_or_zero(a))              \
  ROW(remainder, std::fmod(a, b),                scalar_like(y, 1),                    -truncated_quotient(a, b))
// clang-format on
