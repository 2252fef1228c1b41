// SPDX-License-Identifier: Apache-2.0
#pragma once
// The functions of complex numbers in f64, by the C library where it has them.

#include <cmath>
#include <complex>

namespace hearth::reference {

using Complex = std::complex<double>;

namespace complex {

inline Complex negate(Complex z) { return -z; }
inline Complex add(Complex a, Complex b) { return a + b; }
inline Complex subtract(Complex a, Complex b) { return a - b; }
// As written: the compiler's own product turns some NaN into infinities, which StableHLO does not ask for.
inline Complex multiply(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}
inline Complex divide(Complex a, Complex b) { return a / b; }
inline Complex sign(Complex z) {
  const double magnitude = std::abs(z);
  return magnitude == 0 ? z : z / magnitude;
}
inline Complex exponential(Complex z) { return std::exp(z); }
// exp(x) (cos y + i sin y) - 1, where cos y - 1 = -2 sin(y/2)^2 keeps what is small.
inline Complex exponential_minus_one(Complex z) {
  const double half = std::sin(z.imag() / 2), y = std::exp(z).imag();
  return {std::expm1(z.real()) * std::cos(z.imag()) - 2 * half * half, y};
}
inline Complex log(Complex z) { return std::log(z); }
inline Complex log_plus_one(Complex z) {
  const double x = z.real(), y = z.imag();
  const bool small = std::fabs(x) < 0.5 && std::fabs(y) < 0.5;
  return {small ? std::log1p(x * (2 + x) + y * y) / 2 : std::log(std::abs(1.0 + z)), std::atan2(y, 1 + x)};
}
inline Complex sqrt(Complex z) { return std::sqrt(z); }
inline Complex rsqrt(Complex z) { return 1.0 / std::sqrt(z); }
inline Complex cbrt(Complex z) { return std::polar(std::cbrt(std::abs(z)), std::arg(z) / 3); }
inline Complex logistic(Complex z) { return 1.0 / (1.0 + std::exp(-z)); }
inline Complex tanh(Complex z) { return std::tanh(z); }
inline Complex sine(Complex z) { return std::sin(z); }
inline Complex cosine(Complex z) { return std::cos(z); }
inline Complex tan(Complex z) { return std::tan(z); }
// 0 to a power: 1 for 0, 0 where the real part is above 0.
inline Complex power(Complex z, Complex w) {
  if (w == 0.0) return 1;
  if (z == 0.0 && w.real() > 0) return 0;
  const double angle = std::arg(z), magnitude = std::abs(z);
  const double scale = std::pow(magnitude, w.real()) * std::exp(-w.imag() * angle);
  const double turn = w.real() * angle + (w.imag() == 0 ? 0 : w.imag() * std::log(magnitude));
  return {scale * std::cos(turn), scale * std::sin(turn)};
}
// -i log((b + i a) / sqrt(a^2 + b^2))
inline Complex atan2(Complex a, Complex b) {
  const Complex i(0, 1);
  return -i * std::log((b + i * a) / std::sqrt(a * a + b * b));
}

}  // namespace complex
}  // namespace hearth::reference
