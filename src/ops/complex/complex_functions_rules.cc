// SPDX-License-Identifier: Apache-2.0
// Elementary functions of complex numbers as real formulas, and the table of what expands how.
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "ops/complex/complex_parts.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

static Value is(const Value& x, double value) { return compare("EQ", x, scalar_like(x, value)); }
static double largest_exponent(const Value& x) { return x.dtype() == DType::f64 ? 709 : 88; }  // exp does not overflow

// --- exponentials and logarithms ------------------------------------------------------------------------------------

// scale * exp(x) * y, where exp(x) may overflow although the product does not; 0 stays 0.
static Value exp_times(const Value& x, const Value& y, double scale) {
  const Value half = exp(0.5 * x), high = compare("GT", x, scalar_like(x, largest_exponent(x)));
  const Value product = select(high, scale * half * y * half, scale * exp(x) * y);
  return select(is(y, 0), y, product);
}

Parts parts_of_exp(const Parts& z) {
  const Value infinite = is(z.re, -std::numeric_limits<double>::infinity());  // then 0 in any direction
  const Value zero = scalar_like(z.re, 0);
  return {select(infinite, zero, select(is(z.im, 0), exp(z.re), exp_times(z.re, cos(z.im), 1))),
          select(infinite, zero, exp_times(z.re, select(is(z.im, 0), z.im, sin(z.im)), 1))};
}

// cos y - 1 = -2 sin(y/2)^2 keeps what is small.
static Parts parts_of_expm1(const Parts& z) {
  const Value half = sin(0.5 * z.im);
  const Value re = select(is(z.im, 0), expm1(z.re), expm1(z.re) * cos(z.im) - 2.0 * (half * half));
  return {re, parts_of_exp(z).im};
}

Parts parts_of_log(const Parts& z) { return {log_magnitude(z), atan2(z.im, z.re)}; }

static Parts parts_of_log1p(const Parts& z) {
  const auto small = [](const Value& x) { return compare("LT", abs(x), scalar_like(x, 0.5)); };
  const Value near_one = 0.5 * log1p(z.re * (z.re + 2.0) + z.im * z.im);
  const Parts moved = plus(z, 1);
  return {select(small(z.re) & small(z.im), near_one, log_magnitude(moved)), atan2(z.im, moved.re)};
}

// z^w = |z|^c exp(-d arg z) at the angle c arg z + d log |z|, for w = c + i d. 0 to a power is 1 for 0, and 0 where
// c > 0.
static Parts parts_of_power(const Parts& z, const Parts& w) {
  const Value size = magnitude(z), angle = atan2(z.im, z.re), zero = scalar_like(size, 0), one = scalar_like(size, 1);
  const Value scale = power(size, w.re) * exp(-(w.im * angle));
  const Value turn = w.re * angle + select(is(w.im, 0), zero, w.im * log(size));
  const Value to_zero = is(w.re, 0) & is(w.im, 0);
  const Value vanishes = is(size, 0) & compare("GT", w.re, zero);
  return {select(to_zero, one, select(vanishes, zero, scale * cos(turn))),
          select(to_zero | vanishes, zero, scale * sin(turn))};
}

static Parts parts_of_cbrt(const Parts& z) {
  const Value size = cbrt(magnitude(z)), angle = atan2(z.im, z.re) / 3.0;
  return {size * cos(angle), size * sin(angle)};
}

// --- trigonometric and hyperbolic -----------------------------------------------------------------------------------

// With E = exp(|x|) - 1: (E + E / (E + 1)) / 2. Near overflow exp(x / 2) is taken twice.
Value real_sinh(const Value& x) {
  const Value a = abs(x), e = expm1(a), half = exp(0.5 * a);
  const Value high = compare("GT", a, scalar_like(a, largest_exponent(a)));
  const Value y = select(high, 0.5 * half * half, 0.5 * (e + e / (e + 1.0)));
  return with_sign_of(y, x);
}
Value real_cosh(const Value& x) {
  const Value a = abs(x), e = exp(a), half = exp(0.5 * a);
  const Value high = compare("GT", a, scalar_like(a, largest_exponent(a)));
  return select(high, 0.5 * half * half, 0.5 * e + 0.5 / e);
}

// a b, and 0 where b is 0 even if a is infinite.
static Value times_exactly_zero(const Value& a, const Value& b) { return select(is(b, 0), b, a * b); }

static Parts parts_of_sine(const Parts& z) {
  return {times_exactly_zero(real_cosh(z.im), select(is(z.re, 0), z.re, sin(z.re))),
          times_exactly_zero(cos(z.re), real_sinh(z.im))};
}
static Parts parts_of_cosine(const Parts& z) {
  return {times_exactly_zero(cos(z.re), real_cosh(z.im)),
          -times_exactly_zero(select(is(z.re, 0), z.re, sin(z.re)), real_sinh(z.im))};
}

// Source: Kahan 1987, "Branch cuts for complex elementary functions", procedure CTANH.
static Parts parts_of_tanh(const Parts& z) {
  const double limit = z.re.dtype() == DType::f64 ? 22 : 11;  // beyond it tanh x is 1 to the last bit
  const Value far = compare("GT", abs(z.re), scalar_like(z.re, limit));
  const Value x = select(far, scalar_like(z.re, 1), z.re);
  const Value t = tan(z.im), s = real_sinh(x), beta = t * t + 1.0, rho = sqrt(s * s + 1.0);
  const Value below = beta * (s * s) + 1.0, bounded = is_finite(z.im);
  const Value one = with_sign_of(scalar_like(z.re, 1), z.re);
  const Value tail = 4.0 * sin(z.im) * cos(z.im) * exp(-2.0 * abs(z.re));
  const Value far_im = select(bounded, tail, scalar_like(z.re, 0));
  return {select(far, one, beta * rho * s / below), select(far, far_im, select(is(z.im, 0), z.im, t / below))};
}
static Parts parts_of_tan(const Parts& z) {  // -i tanh(i z)
  const Parts y = parts_of_tanh(times_i(z));
  return {y.im, -y.re};
}

static Parts parts_of_logistic(const Parts& z) {
  const Value one = scalar_like(z.re, 1), zero = scalar_like(z.re, 0);
  return Parts{one, zero} / plus(parts_of_exp(-z), 1);
}
static Parts parts_of_rsqrt(const Parts& z) {
  return Parts{scalar_like(z.re, 1), scalar_like(z.re, 0)} / parts_of_sqrt(z);
}

static Parts parts_of_sign(const Parts& z) {
  const Value size = magnitude(z), divisor = select(is(size, 0), scalar_like(size, 1), size);
  return {z.re / divisor, z.im / divisor};
}

// -i log((b + i a) / sqrt(a^2 + b^2))
static Parts parts_of_atan2(const Parts& a, const Parts& b) {
  const Parts y = parts_of_log((b + times_i(a)) / parts_of_sqrt(a * a + b * b));
  return {y.im, -y.re};
}

// --- the table ------------------------------------------------------------------------------------------------------

using Unary = Parts (*)(const Parts&);
using Binary = Parts (*)(const Parts&, const Parts&);

static Unary unary_formula(const std::string& op) {
  static const std::map<std::string, Unary> formulas = {
      {"negate", [](const Parts& z) { return -z; }},
      {"sign", parts_of_sign},
      {"exponential", parts_of_exp},
      {"exponential_minus_one", parts_of_expm1},
      {"log", parts_of_log},
      {"log_plus_one", parts_of_log1p},
      {"sqrt", parts_of_sqrt},
      {"rsqrt", parts_of_rsqrt},
      {"cbrt", parts_of_cbrt},
      {"logistic", parts_of_logistic},
      {"tanh", parts_of_tanh},
      {"tan", parts_of_tan},
      {"sine", parts_of_sine},
      {"cosine", parts_of_cosine},
  };
  const auto found = formulas.find(op);
  return found == formulas.end() ? nullptr : found->second;
}

static Binary binary_formula(const std::string& op) {
  static const std::map<std::string, Binary> formulas = {
      {"add", [](const Parts& a, const Parts& b) { return a + b; }},
      {"subtract", [](const Parts& a, const Parts& b) { return a - b; }},
      {"multiply", [](const Parts& a, const Parts& b) { return a * b; }},
      {"divide", [](const Parts& a, const Parts& b) { return a / b; }},
      {"power", parts_of_power},
      {"atan2", parts_of_atan2},
  };
  const auto found = formulas.find(op);
  return found == formulas.end() ? nullptr : found->second;
}

static Value expand_compare(const std::string& direction, const Parts& a, const Parts& b) {
  const Value re = compare(direction.c_str(), a.re, b.re), im = compare(direction.c_str(), a.im, b.im);
  return direction == "EQ" ? re & im : re | im;
}

static Value expand_convert(const Value& x, DType to) {
  if (!is_complex(x.dtype())) {
    const Value re = convert(x, real_part(to));
    return complex(re, scalar_like(re, 0));
  }
  const Parts z = parts_of(x);
  if (is_complex(to)) return complex(convert(z.re, real_part(to)), convert(z.im, real_part(to)));
  return to == DType::boolean ? convert(z.re, to) | convert(z.im, to) : convert(z.re, to);
}

static Value expand_constant(Graph& graph, const Node& node) {
  const Dims& dims = node.types[0].dims;
  const DType part = real_part(node.types[0].dtype);
  if (!node.attrs.has("values")) {
    const double im = node.attrs.has("imaginary") ? node.attrs.real("imaginary") : 0;
    return complex(constant(graph, node.attrs.real("value"), part, dims), constant(graph, im, part, dims));
  }
  std::vector<double> parts[2];
  const std::vector<double>& all = node.attrs.reals("values");
  for (size_t i = 0; i < all.size(); ++i) parts[i % 2].push_back(all[i]);
  return complex(constant_list(graph, parts[0], part, dims), constant_list(graph, parts[1], part, dims));
}

static bool has_complex(const Node& node) {
  bool any = is_complex(node.types[0].dtype);
  for (const Value& in : node.inputs) any = any || is_complex(in.dtype());
  return any;
}

std::vector<Value> expand_complex(Graph& graph, const Node& node, const std::vector<Value>& in) {
  if (!has_complex(node)) return {};
  const std::string& op = node.op->name;
  if (op == "constant") return {expand_constant(graph, node)};
  if (op == "convert") return {expand_convert(in[0], node.types[0].dtype)};
  if (op == "abs") return {magnitude(parts_of(in[0]))};
  if (op == "compare") return {expand_compare(node.attrs.text("direction"), parts_of(in[0]), parts_of(in[1]))};
  if (op == "select") {
    const Parts a = parts_of(in[1]), b = parts_of(in[2]);
    return {complex(select(in[0], a.re, b.re), select(in[0], a.im, b.im))};
  }
  if (const Unary f = unary_formula(op)) return {joined(f(parts_of(in[0])))};
  if (const Binary f = binary_formula(op)) return {joined(f(parts_of(in[0]), parts_of(in[1])))};
  return {};
}

std::vector<Value> expand_by_parts(Graph& graph, const Node& node, const std::vector<Value>& in) {
  if (!has_complex(node)) return {};
  std::vector<Value> re, im;
  for (const Value& value : in) {
    const bool pair = is_complex(value.dtype());  // indices stay what they are
    re.push_back(pair ? real(value) : value);
    im.push_back(pair ? imag(value) : value);
  }
  Attrs attrs = node.attrs;
  return {complex(graph.add(node.op->name, re, attrs), graph.add(node.op->name, im, attrs))};
}

}  // namespace hearth
