// SPDX-License-Identifier: Apache-2.0
// lgamma and digamma: for |x| below 3 a polynomial that has their zeros as factors, above it Stirling's series with a
// polynomial in 1 / x^2 for its tail, below 0 the reflection formulas. All polynomials are Chebyshev interpolations
// made for this file with 40 digits.
#include <cmath>
#include <limits>

#include "ops/special/special.h"
#include "ops/special/special_rules.h"

namespace hearth {

static const double kPi = std::acos(-1.0), kHalfLog2Pi = 0.5 * std::log(2 * kPi);

// |x| as the branches see it: each gets a harmless number where another is taken.
struct GammaArgument {
  Value small, middle;       // |x| < 1, |x| < 3
  Value one_less, two_less;  // y - 1 and y - 2 of the polynomial's y: |x|, or |x| + 1 where it is small
  Value large;               // at least 3
};

static GammaArgument gamma_argument(const Value& a) {
  const Value small = below(a, 1), middle = below(a, 3), inside = select(middle, a, scalar_like(a, 2));
  return {small, middle, select(small, inside, inside - 1.0), select(small, inside - 1.0, inside - 2.0),
          select(middle, scalar_like(a, 3), a)};
}

// Distance of |x| to the nearest integer, with sign; 1/4 for x >= 0, which does not use it.
static Value to_nearest_integer(const Value& x, const Value& a) {
  return select(below(x, 0), a - round_nearest_even(a), scalar_like(x, 0.25));
}

static Value lgamma_positive(const Value& a) {
  const GammaArgument g = gamma_argument(a);
  const Value t = g.two_less, u = 1.0 / (g.large * g.large);
  const Value p =
      is_f64(a)
          ? polynomial(
                t, {3.9592899392841773e-10, -8.1528528706249738e-10, -1.1901740908188623e-09, 2.444386936885692e-09,
                    4.3052206107853486e-09, -8.8771160037043708e-09, 3.8215413984109649e-10,  -9.172949166290702e-10,
                    2.4876913129422816e-08, -5.1889381335192836e-08, 8.8588004623147608e-08,  -1.8624721164419038e-07,
                    4.0491176292722286e-07, -8.5541953067520078e-07, 1.8077244952477939e-06,  -3.8465374565754054e-06,
                    8.2222725282493795e-06, -1.7661849545809686e-05, 3.8168877217049974e-05,  -8.3095100947973982e-05,
                    0.00018255264018626728, -0.00040570739983335528, 0.0009153769221939477,   -0.0021081308338353785,
                    0.0049986411646987059,  -0.012384192193374183,   0.032965000621155816,    -0.1003173016743539,
                    0.42278433509846713})
          : polynomial(t, {1.80915131e-05, -3.85804752e-05, 2.38816073e-05, -5.28397356e-05, 0.000191739687,
                           -0.000425154131, 0.000912594484, -0.00210224243, 0.00499899609, -0.0123849432, 0.0329649878,
                           -0.100317275, 0.422784335});
  const Value tail =
      is_f64(a)
          ? polynomial(u,
                       {-1553.2036340892971, 1538.4115217656627, -714.63829730373334, 209.42591875113121,
                        -44.374636100695533, 7.5165177111967276, -1.1292495027476408, 0.17014444588556138,
                        -0.029285558302863966, 0.0064047606145088811, -0.001917445972154397, 0.00084175004305838883,
                        -0.00059523809039684701, 0.00079365079363518179, -0.0027777777777777575, 0.083333333333333329})
          : polynomial(
                u, {-0.000822820061, 0.000734474312, -0.000589712489, 0.000793514882, -0.00277777652, 0.0833333333});
  const Value zero = scalar_like(a, 0), shift = select(g.small, log(select(g.small, a, scalar_like(a, 1))), zero);
  const Value near = g.one_less * g.two_less * p - shift;  // lgamma(x) = lgamma(x + 1) - log x
  const Value far = (g.large - 0.5) * (log(g.large) - 1.0) + (kHalfLog2Pi - 0.5) + tail / g.large;
  return select(g.middle, near, far);
}

// lgamma(-a) = log pi - log a - log |sin(pi a)| - lgamma(a); infinite at whole numbers, which all large ones are
static Value lgamma_value(const Value& x) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Value a = abs(x), positive = lgamma_positive(a);
  const Value nearest = to_nearest_integer(x, a), sine = abs(sin(kPi * nearest));
  const Value negative = std::log(kPi) - log(a) - log(sine) - positive;
  const Value pole = equals(a, infinity) | equals(nearest, 0);
  return select(pole, scalar_like(a, infinity), select(below(x, 0), negative, positive));
}

static Value digamma_positive(const Value& a) {
  // The zero in two parts, so that x - zero keeps its digits.
  const double zero = 1.4616321449683623, zero_lost = 4.1265954232572131e-17;
  const double high = is_f64(a) ? zero : double(float(zero)), low = (zero - high) + zero_lost;
  const GammaArgument g = gamma_argument(a);
  const Value t = g.two_less, u = 1.0 / (g.large * g.large);
  const Value p =
      is_f64(a)
          ? polynomial(
                t, {9.5181717391470286e-09, -1.9036357211058459e-08, -3.0933989485207621e-08, 6.1867954915680256e-08,
                    1.0053608396456935e-07, -2.0107270819670245e-07, -2.9145119207885333e-08, 5.8285994586065274e-08,
                    4.2902532914892519e-07, -8.5808969825781194e-07, 1.238910144497479e-06,   -2.4781719030311023e-06,
                    5.2531728989614693e-06, -1.0509526063726006e-05, 2.089802780670172e-05,   -4.1824928655279409e-05,
                    8.3777876762206722e-05, -0.00016781978030629567, 0.00033643271954655971,  -0.0006753127085218515,
                    0.0013581421476875015,  -0.0027395729429329422,  0.0055522541745261864,   -0.011338432550277753,
                    0.023447309597601391,   -0.049551032917745826,   0.10899991701762815,     -0.26073895468300085,
                    0.78530753860410529})
          : polynomial(t, {-0.00011036304, 0.000220856402, -5.58361144e-05, 0.000112410224, -0.000758197001,
                           0.00152395472, -0.00270920573, 0.00549150369, -0.0113436279, 0.0234577031, -0.0495507039,
                           0.108999259, -0.260738958, 0.785307545});
  const Value tail =
      is_f64(a)
          ? polynomial(u, {-32109.141108512336, 31602.232705163511, -14548.475961527221, 4206.9849894418639,
                           -873.27034448840732, 143.15963016596729, -20.411169487477444, 2.8389843027814674,
                           -0.43732080442636617, 0.083211051326742058, -0.02109100364683595, 0.0075757399487987025,
                           -0.0041666665600679238, 0.0039682539679107261, -0.0083333333333328909, 0.083333333333333329})
          : polynomial(u, {-0.00794050755, 0.00633033663, -0.00410354114, 0.00396671386, -0.00833331912, 0.0833333333});
  const Value distance = (g.one_less - (high - 1)) - low;
  const Value shift = select(g.small, 1.0 / select(g.small, a, scalar_like(a, 1)), scalar_like(a, 0));
  const Value near = distance * p - shift;  // digamma(x) = digamma(x + 1) - 1 / x
  const Value far = log(g.large) - 0.5 / g.large - u * tail;
  return select(g.middle, near, far);
}

// digamma(-a) = digamma(a) + 1 / a + pi / tan(pi a)
static Value digamma_value(const Value& x) {
  const Value a = abs(x), positive = digamma_positive(a), nearest = to_nearest_integer(x, a);
  const Value pole = equals(nearest, 0) | equals(a, 0), not_number = scalar_like(x, std::nan(""));
  const Value quarter = scalar_like(x, 0.25), negative_a = select(below(x, 0), a, scalar_like(a, 1));
  const Value negative = positive + 1.0 / negative_a + kPi / tan(kPi * select(pole, quarter, nearest));
  return select(pole, not_number, select(below(x, 0), negative, positive));
}

std::vector<SpecialFunction> gamma_functions() {
  return {{"lgamma", "log |gamma|", lgamma_value, nullptr, [](const Value& x, const Value&) { return digamma(x); }},
          {"digamma", "derivative of lgamma", digamma_value, nullptr, nullptr}};
}

}  // namespace hearth
