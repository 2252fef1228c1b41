// SPDX-License-Identifier: Apache-2.0
// How a gamma sample x moves with its shape a while its place in the distribution stays: dx/da = -(dP/da) / (dP/dx), P
// the distribution function. Source: Figurnov, Mohamed, Mnih 2018, "Implicit reparameterization gradients",
// arXiv:1805.08498, as in JAX. Differs: JAX takes a continued fraction where x > a; here it is one series for all x,
//   P = x^a e^-x / Gamma(a+1) S,  S = sum_n c_n,  c_n = x^n / ((a+1) ... (a+n)),
// in f64, where its cancellation in the upper tail does not matter: dx/da = -(x/a) (S (log x - psi(a+1)) + dS/da).
#include "array/random_values.h"
#include "ops/control/control.h"
#include "ops/custom_derivative/custom_derivative.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/special/special.h"

namespace hearth::random {

namespace {

constexpr double kLarge = 1e5;  // shapes above it take the expansion: its error there is 3e-8

// S and its first `last` derivatives by a, each with a rule: no derivative of a loop is needed, nor is one of whether
// to go on. Per term, with D_j the j-th derivative of c_n: c_n (a + n) = c_{n-1} x gives D_j(c_n) (a + n) + j
// D_{j-1}(c_n) = D_j(c_{n-1}) x, where nothing cancels. Terms rise while n < x - a and then fall; about sqrt(70 x) in
// all.
Values summed(const Value& log_x, const Value& a, size_t last) {
  const Value one = scalar_like(a, 1), zero = scalar_like(a, 0), x = exp(log_x);
  const auto unfinished = [&](const Values& s) {  // s: n, the D_j, the sums
    const Value rising = compare("LT", a + s[0], x), open = compare("GT", s[1], s[last + 2] * 1e-17);
    Dims axes;
    for (int64_t i = 0; i < a.rank(); ++i) axes.push_back(i);
    return reduce_or(rising | open, axes);
  };
  const auto next = [&](const Values& s) -> Values {
    Values to = {s[0] + 1.0};
    const Value step = a + to[0];
    for (size_t j = 0; j <= last; ++j)
      to.push_back(j == 0 ? s[1] * x / step : (s[1 + j] * x - to[j] * double(j)) / step);
    for (size_t j = 0; j <= last; ++j) to.push_back(s[last + 2 + j] + to[1 + j]);
    return to;
  };
  Values first(2 * last + 3, zero);
  first[1] = first[last + 2] = one;
  const Values sums = while_loop(unfinished, next, first);
  return {sums.begin() + long(last) + 2, sums.end()};
}

// The same with derivatives up to the order asked for: x dS/dx = (x - a) S + a, which is differentiated by a as well.
Values series_sums(const Value& log_x, const Value& a, size_t last, int orders) {
  const auto sums = [=](const Values& in) { return summed(in[0], in[1], last); };
  const auto rule = [=](const Values& in, const Values& tangents) {
    const Value &at = in[1], distance = exp(in[0]) - at;
    const Values s = series_sums(in[0], at, last + 1, orders - 1);
    Values out;
    for (size_t k = 0; k <= last; ++k) {
      Value by_log_x = distance * s[k];
      if (k == 0) by_log_x = by_log_x + at;
      if (k > 0) by_log_x = by_log_x - s[k - 1] * double(k);
      if (k == 1) by_log_x = by_log_x + 1.0;
      out.push_back(by_log_x * tangents[0] + s[k + 1] * tangents[1]);
    }
    return out;
  };
  if (orders > 0) return custom_jvp({log_x, a}, sums, rule);
  return without_derivative(
      a,
      [&] {
        return sums({log_x, a});
      },
      kGammaRefusal);
}

Value series(const Value& log_x, const Value& a, int orders) {
  const Values s = series_sums(log_x, a, 1, orders);
  return -(s[0] * (log_x - digamma(a + 1.0)) + s[1]) / a;
}

// Cornish and Fisher's: x = a + z sqrt a + (z^2 - 1) / 3 + (z^3 - 7 z) / (36 sqrt a), z normal and fixed.
Value expansion(const Value& x, const Value& a) {
  const Value root = sqrt(a), w = (x - a) / root, z = w - (w * w - 1.0) / (root * 3.0);
  return (1.0 + z / (root * 2.0) - (z * z * z - z * 7.0) / (a * root * 72.0)) / x;
}

}  // namespace

Value gamma_log_slope(const Value& log_x_in, const Value& a_in, int orders) {
  const Value log_x = convert(log_x_in, DType::f64), a = convert(a_in, DType::f64);
  const Value large = compare("GT", a, scalar_like(a, kLarge)), one = scalar_like(a, 1);
  const Value near = series(select(large, scalar_like(a, 0), log_x), select(large, one, a), orders);
  return select(large, expansion(exp(log_x), a), near);
}

}  // namespace hearth::random
