// SPDX-License-Identifier: Apache-2.0
// How a gamma sample x moves with its shape a while its place in the distribution stays: dx/da = -(dP/da) / (dP/dx), P
// the distribution function. Source: Figurnov, Mohamed, Mnih 2018, "Implicit reparameterization gradients",
// arXiv:1805.08498, as in JAX. Differs: JAX takes a continued fraction where x > a; here it is one series for all x,
//   P = x^a e^-x / Gamma(a+1) S,  S = sum_n c_n,  c_n = x^n / ((a+1) ... (a+n)),
// in f64, where its cancellation in the upper tail does not matter: dx/da = -(x/a) (S (log x - psi(a+1)) + dS/da).
#include "array/random_values.h"
#include "ops/control/control.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/special/special.h"

namespace hearth::random {

namespace {

constexpr double kLarge = 1e5;  // shapes above it take the expansion: its error there is 3e-8

// The state: n, c_n, sum of 1 / (a + k), S, dS/da. Terms rise while n < x - a and then fall; about sqrt(70 x) in all.
Value series(const Value& log_x, const Value& x, const Value& a) {
  const Value one = scalar_like(a, 1), zero = scalar_like(a, 0);
  const auto unfinished = [&](const Values& s) {
    const Value rising = compare("LT", a + s[0], x), open = compare("GT", s[1], s[3] * 1e-17);
    Dims axes;
    for (int64_t i = 0; i < a.rank(); ++i) axes.push_back(i);
    return reduce_or(rising | open, axes);
  };
  const auto next = [&](const Values& s) -> Values {
    const Value n = s[0] + 1.0, c = s[1] * x / (a + n), harmonic = s[2] + 1.0 / (a + n);
    return {n, c, harmonic, s[3] + c, s[4] - c * harmonic};
  };
  const Values sums = while_loop(unfinished, next, {zero, one, zero, one, zero});
  return -(sums[3] * (log_x - digamma(a + 1.0)) + sums[4]) / a;
}

// Cornish and Fisher's: x = a + z sqrt a + (z^2 - 1) / 3 + (z^3 - 7 z) / (36 sqrt a), z normal and fixed.
Value expansion(const Value& x, const Value& a) {
  const Value root = sqrt(a), w = (x - a) / root, z = w - (w * w - 1.0) / (root * 3.0);
  return (1.0 + z / (root * 2.0) - (z * z * z - z * 7.0) / (a * root * 72.0)) / x;
}

}  // namespace

Value gamma_log_slope(const Value& log_x_in, const Value& a_in) {
  const Value log_x = convert(log_x_in, DType::f64), a = convert(a_in, DType::f64), x = exp(log_x);
  const Value large = compare("GT", a, scalar_like(a, kLarge)), one = scalar_like(a, 1);
  const Value near = series(select(large, scalar_like(a, 0), log_x), select(large, one, x), select(large, one, a));
  return select(large, expansion(x, a), near);
}

}  // namespace hearth::random
