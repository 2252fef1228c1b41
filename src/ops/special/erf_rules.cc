// SPDX-License-Identifier: Apache-2.0
// The error function and its relatives. All polynomials are Chebyshev interpolations made for this file with 40 digits;
// their own error is below half an ulp.
#include <cmath>
#include <limits>

#include "ops/special/special.h"
#include "ops/special/special_rules.h"

namespace hearth {

static const double kTwoOverRootPi = 2 / std::sqrt(std::acos(-1.0));

// erfc(a) for a >= 0: exp(-a^2) / (1 + 2 a) times a polynomial in t = (a - k) / (a + k), which maps 0..infinity to
// -1..1. The square is taken as hi^2 + (a - hi)(a + hi) with an exact hi^2: its rounding error would be multiplied by
// a^2. Source: Shepherd & Laframboise 1981, Math. Comp. 36.
static Value erfc_positive(const Value& x) {
  const bool f64 = is_f64(x);
  const Value a = minimum(x, scalar_like(x, f64 ? 28 : 10.3));  // beyond it 0
  const double k = f64 ? 3.75 : 2;
  const Value t = (a - k) / (a + k);
  const Value p =
      f64 ? polynomial(
                t, {3.0932265838308378e-10, -6.2557664395180753e-11, -5.1561861565166395e-09, -2.5519935040580549e-09,
                    3.9418383050109591e-08, 2.1662472672416679e-08,  -2.6021705136960196e-07, -5.6062239458215459e-08,
                    1.7531716883552848e-06, -9.7402447440135551e-07, -1.1445047946585976e-05, 2.238432573107579e-05,
                    5.1649434712789542e-05, -0.00029015407577452802, 0.00029371358546110594,  0.0017556258470225511,
                    -0.0097465795460827519, 0.028362277420151644,    -0.058693398590679784,   0.092304321160269862,
                    -0.10880393014170199,   0.08227673849014927,     0.0035854154854636057,   -0.14024059858554699,
                    1.2375126308378275})
          : polynomial(t, {2.43036321e-05, -0.000367562037, -0.00125057867, 0.00127791164, 0.00863755773,
                           -0.00804677546, -0.0542051172, 0.164053538, -0.166031351, -0.0927639144, 1.27697839});
  const Value hi = convert(convert(a, f64 ? DType::f32 : DType::bf16), a.dtype());
  return exp(-(hi * hi)) * exp((hi - a) * (hi + a)) * (p / (a * 2.0 + 1.0));
}

static Value erfc_value(const Value& x) {
  const Value y = erfc_positive(abs(x));
  return select(below(x, 0), 2.0 - y, y);
}

// x P(x^2) near 0; beyond it 1 minus what is small: erfc, or in f32 exp(L(|x|)).
static Value erf_value(const Value& x) {
  const double limit = is_f64(x) ? 1 : 0.9;
  const Value near = below(abs(x), limit), small = select(near, x, scalar_like(x, 0)), z = small * small;
  const Value a = select(near, scalar_like(x, limit), minimum(abs(x), scalar_like(x, is_f64(x) ? 8 : 4)));
  Value p, rest;
  if (is_f64(x)) {
    p = polynomial(z, {-4.2309458242953377e-12, 8.7090451290531062e-11, -1.216456005728345e-09, 1.4792401209404813e-08,
                       -1.6364642158167616e-07, 1.6462045441468418e-06, -1.4925647567519332e-05, 0.00012055332902888736,
                       -0.00085483270219348297, 0.0052239776254232985, -0.02686617064512984, 0.11283791670955121,
                       -0.37612638903183754, 1.1283791670955126});
    rest = erfc_positive(a);
  } else {
    p = polynomial(z, {-0.0005954904, 0.00498647731, -0.0267623504, 0.112817093, -0.376124849, 1.12837915});
    rest = exp(polynomial(a, {1.64306366e-06, -4.61638586e-05, 0.00059758577, -0.00476262583, 0.0264276372,
                              -0.110087166, -0.631823918, -1.13023106, 0.000318539662}));
  }
  const Value far = 1.0 - rest;
  return select(near, small * p, select(below(x, 0), -far, far));
}

// x times a polynomial in w = -log(1 - x^2), or in its root where w is large.
// Source: the variable is that of Giles 2010, "Approximating the erfinv function".
static Value erf_inv_value(const Value& x) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Value edge = equals(abs(x), 1), inside = select(edge, scalar_like(x, 0), x);
  const Value w = -log((1.0 - inside) * (inside + 1.0));
  Value p;
  if (is_f64(x)) {
    const Value middle = sqrt(maximum(w, scalar_like(w, 6.25))), low = minimum(w, scalar_like(w, 6.25)) - 3.125;
    const Value p_low = polynomial(
        low, {3.240704459379902e-21,   -1.113483769832702e-21,  -3.4996044354754177e-19, 1.150022252066253e-18,
              1.5574320246233251e-17,  -1.3016928016796445e-16, -4.0282154327661744e-17, 6.5964077124208341e-15,
              -4.0012377350918961e-14, -8.1183994430743526e-14, 2.6304834740560442e-12,  -1.2976885526532075e-11,
              -5.414287198084716e-11,  1.0512181539804126e-09,  -4.1126608200232397e-09, -2.9070382262927266e-08,
              4.2347881737823391e-07,  -1.3654691850603575e-06, -1.3882523394405316e-05, 0.00018673420802464837,
              -0.00074070253415447704, -0.0060336708714278497,  0.24015818242558831,     1.6536545626831027});
    const Value p_middle =
        polynomial(minimum(middle, scalar_like(w, 4)) - 3.25,
                   {-3.8310399460724111e-10, 9.0719505710299223e-08, -2.6860975725571463e-07, 1.8323999881328579e-08,
                    1.4958263152984917e-06, -4.0139463981902916e-06, 2.9273722115986924e-06, 1.2475343474376931e-05,
                    -4.7319529183371892e-05, 6.8284840522929237e-05, 2.4031363245440546e-05, -0.00035503751863069763,
                    0.00095328935211181774, -0.0016882755561681802, 0.0024914420976198813, -0.0037512085075638536,
                    0.0053709145535581985, 1.0052589676941592, 3.0838856104922208});
    const Value p_high = polynomial(
        middle - 5.0, {-1.1544864042294875e-11, 3.9454671895000729e-11, 2.8815702668002057e-11, -4.2299972402239592e-10,
                       1.3945379651829243e-09, -3.4968365270303415e-09, 7.7394234641462782e-09, -1.5231461534848146e-08,
                       2.9068807206964131e-08, -6.7568558930200716e-08, 2.2903470185325982e-07, -9.9302574653027107e-07,
                       4.5260562219413908e-06, -1.9681771260613101e-05, 7.5995277716948512e-05, -0.00021503011978976833,
                       -0.00013871931836503598, 1.0103004648645446, 4.8499064014085844});
    p = select(below(w, 6.25), p_low, select(below(w, 16), p_middle, p_high));
  } else {
    const Value p_low =
        polynomial(minimum(w, scalar_like(w, 5)) - 2.5,
                   {4.67193251e-10, -8.7390107e-09, 1.59843061e-08, 4.65417411e-07, -3.42341427e-06, -4.95969179e-06,
                    0.000218257724, -0.0012527485, -0.00417732004, 0.246640289, 1.50140935});
    const Value p_high =
        polynomial(sqrt(maximum(w, scalar_like(w, 5))) - 3.0,
                   {-3.41860053e-05, 0.000168461926, -0.000273270068, -0.000131294199, 0.00147475766, -0.00356165308,
                    0.0056872723, -0.00764376085, 0.00944538085, 1.00167529, 2.8329768});
    p = select(below(w, 5), p_low, p_high);
  }
  return select(edge, x * infinity, inside * p);
}

std::vector<SpecialFunction> erf_functions() {
  return {{"erf", "error function", erf_value, nullptr,
           [](const Value& x, const Value&) { return kTwoOverRootPi * exp(-(x * x)); }},
          {"erfc", "1 - erf", erfc_value, nullptr,
           [](const Value& x, const Value&) { return -kTwoOverRootPi * exp(-(x * x)); }},
          {"erf_inv", "inverse of erf", erf_inv_value, nullptr,
           [](const Value&, const Value& y) { return 1 / kTwoOverRootPi * exp(y * y); }}};
}

}  // namespace hearth
