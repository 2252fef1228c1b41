// SPDX-License-Identifier: Apache-2.0
// poisson and binomial.
// Source: JAX 0.10, jax/_src/random/core.py: Knuth's method (and its like for binomial) for small means, transformed
// rejection for large ones (Hoermann 1993, doi:10.1016/0167-6687(93)90997-4; 1993, doi:10.1080/00949659308811496).
// Differs: gives up after kMostTries rounds, where parameters are such that nothing is ever accepted.
#include <limits>

#include "array/random.h"
#include "array/random_values.h"
#include "ops/control/control.h"
#include "ops/gather/gather.h"
#include "ops/reduce/reduce.h"

namespace hearth::random {
namespace {

constexpr double kMostTries = 100000;

Value any(const Value& x) {
  Dims axes;
  for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  return reduce_or(x, axes);
}
Value is(const char* direction, const Value& x, double y) { return compare(direction, x, scalar_like(x, y)); }

// Repeats body(key, state) while some of pending(state), with a new key each time.
template <class Pending, class Body>
Values repeat(const Value& key, Values state, Pending&& pending, Body&& body) {
  state.insert(state.begin(), {constant(*key.graph, 0, DType::i32), key});
  const auto rest = [](const Values& s) { return Values(s.begin() + 2, s.end()); };
  Values end = while_loop([&](const Values& s) { return any(pending(rest(s))) & is("LT", s[0], kMostTries); },
                          [&](const Values& s) {
                            Values next = body(s[1], rest(s));
                            next.insert(next.begin(), s[0] + 1.0);
                            return next;
                          },
                          state);
  return rest(end);
}

// How many uniform numbers it takes until their product is below exp(-lam), less one.
Value poisson_knuth(const Value& key, const Value& lam, DType dtype) {
  const Dims& shape = lam.dims();
  const Values end = repeat(
      key, {constant(*key.graph, 0, dtype, shape), scalar_like(lam, 0)},
      [&](const Values& s) { return compare("GT", s[1], -lam); },
      [&](const Value& k, const Values& s) -> Values {
        const Values keys = split_keys(k, 2);
        const Value count = select(compare("GT", s[1], -lam), s[0] + 1.0, s[0]);
        return {keys[0], count, s[1] + log(unit_floats(keys[1], shape, DType::f32))};
      });
  return end[0] - 1.0;
}

// log gamma(x), x >= 1/2, as XLA computes it: at large means its rounding decides what is accepted.
// Source: Lanczos 1964, "A precision approximation of the gamma function", as in xla/hlo/builder/lib/math.cc.
Value xla_lgamma(const Value& x) {
  constexpr double terms[] = {676.520368121885098567009190444019, -1259.13921672240287047156078755283,
                              771.3234287776530788486528258894,   -176.61502916214059906584551354,
                              12.507343278686904814458936853,     -0.13857109526572011689554707,
                              9.984369578019570859563e-6,         1.50563273514931155834e-7};
  const Value z = x - 1.0;
  Value sum = scalar_like(z, 0.99999999999980993227684700473478);
  for (int i = 0; i < 8; ++i) sum = sum + terms[i] / (z + double(i + 1));
  const Value t = z + 7.5, log_t = log1p(z / 7.5) + 2.0149030205422647;
  return (z + 0.5 - t / log_t) * log_t + 0.91893853320467267 + log(sum);
}

Value poisson_rejection(const Value& key, const Value& lam, DType dtype) {
  const Dims& shape = lam.dims();
  const Value log_lam = log(lam), b = sqrt(lam) * 2.53 + 0.931, a = b * 0.02483 + -0.059;
  const Value inverse_alpha = 1.1328 / (b - 3.4) + 1.1239, v_r = 0.9277 - 3.6224 / (b - 2.0);
  const Values end = repeat(
      key, {scalar_like(lam, -1), constant(*key.graph, 0, DType::boolean, shape)},
      [](const Values& s) { return ~s[1]; },
      [&](const Value& k, const Values& s) -> Values {
        const Values keys = split_keys(k, 3);
        const Value u = unit_floats(keys[1], shape, DType::f32) - 0.5, v = unit_floats(keys[2], shape, DType::f32);
        const Value us = 0.5 - abs(u);
        const Value count = floor((a * 2.0 / us + b) * u + lam + 0.43);
        const Value bound = -lam + count * log_lam - xla_lgamma(count + 1.0);
        const Value inner = is("GE", us, 0.07) & compare("LE", v, v_r);
        const Value reject = is("LT", count, 0) | (is("LT", us, 0.013) & compare("GT", v, us));
        const Value outer = compare("LE", log(v * inverse_alpha / (a / (us * us) + b)), bound);
        const Value accept = inner | (~reject & outer);
        return {keys[0], select(accept, count, s[0]), s[1] | accept};
      });
  return convert(end[0], dtype);
}

Value poisson_value(const Value& key, const Value& lam, DType dtype) {
  const Value small = compare("NE", lam, lam) | is("LT", lam, 10);
  const Value count = select(small, poisson_knuth(key, select(small, lam, scalar_like(lam, 0)), dtype),
                             poisson_rejection(key, select(small, scalar_like(lam, 1e5), lam), dtype));
  return select(is("EQ", lam, 0), scalar_like(count, 0), count);
}

// --- binomial(n, p) for p <= 1/2 -------------------------------------------------------------------------------------

// How many geometric numbers fit into n.
Value binomial_inversion(const Value& key, const Value& n, const Value& p) {
  const Value log_rest = log1p(-p), zero = scalar_like(n, 0);
  const Values end = repeat(
      key, {zero, zero}, [&](const Values& s) { return compare("LE", s[1], n); },
      [&](const Value& k, const Values& s) -> Values {
        const Values keys = split_keys(k, 2);  // the first is used, the second carried on
        const Value tries = ceil(log(unit_floats(keys[0], n.dims(), p.dtype())) / log_rest);
        return {keys[1], select(compare("LE", s[1], n), s[0] + 1.0, s[0]), s[1] + tries};
      });
  return end[0] - 1.0;
}

// log k! less Stirling's formula.
Value stirling_tail(const Value& k) {
  const Value table = constant_list(
      *k.graph,
      {0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
       0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287},
      k.dtype(), {10});
  const Value low = clamp(scalar_like(k, 0), k, scalar_like(k, 9));
  // As in JAX the formula too is read at the clamped k; it is selected only where k > 9.
  const Value square = (low + 1.0) * (low + 1.0);
  const Value formula = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (low + 1.0);
  return select(is("LE", k, 9), take(table, convert(floor(low), DType::i32), 0), formula);
}

Value binomial_rejection(const Value& key, const Value& n, const Value& p) {
  const Dims& shape = n.dims();
  const Value deviation = sqrt(n * p * (1.0 - p)), b = deviation * 2.53 + 1.15;
  const Value a = b * 0.0248 + -0.0873 + p * 0.01, c = n * p + 0.5, v_r = 0.92 - 4.2 / b, r = p / (1.0 - p);
  const Value alpha = (5.1 / b + 2.83) * deviation, m = floor((n + 1.0) * p);
  return repeat(
      key, {scalar_like(p, -1), constant(*key.graph, 0, DType::boolean, shape)}, [](const Values& s) { return ~s[1]; },
      [&](const Value& key_now, const Values& s) -> Values {
        const Values keys = split_keys(key_now, 3);
        const Value u = unit_floats(keys[1], shape, p.dtype()) - 0.5, v = unit_floats(keys[2], shape, p.dtype());
        const Value us = 0.5 - abs(u), k = floor((a * 2.0 / us + b) * u + c);
        const Value inner = is("GE", us, 0.07) & compare("LE", v, v_r);
        const Value reject = is("LT", k, 0) | compare("GT", k, n);
        const Value left = log(v * alpha / (a / (us * us) + b));
        const Value bound = (m + 0.5) * log((m + 1.0) / (r * (n - m + 1.0))) +
                            (n + 1.0) * log((n - m + 1.0) / (n - k + 1.0)) +
                            (k + 0.5) * log(r * (n - k + 1.0) / (k + 1.0)) + stirling_tail(m) + stirling_tail(n - m) -
                            stirling_tail(k) - stirling_tail(n - k);
        const Value accept = inner | (~reject & compare("LE", left, bound));
        return {keys[0], select(accept, k, s[0]), s[1] | accept};
      })[0];
}

// Of p > 1/2 the failures are counted. NaN for what has no meaning, infinity of infinitely many.
Value binomial_value(const Value& key, const Value& n, const Value& p) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Value few = is("LT", p, 0.5);
  Value q = select(few, p, 1.0 - p);
  const Value bad_n = compare("NE", n, n) | is("LT", n, 0), endless = is("EQ", abs(n), infinity);
  const Value nan_q = compare("NE", q, q), bad_q = is("LT", q, 0) | nan_q;
  q = select(bad_q, scalar_like(q, 0.01), q);
  const Value small = bad_n | is("LE", n * q, 10);
  const Value whole = floor(n);
  const Value by_inversion = binomial_inversion(key, select(small, whole, scalar_like(n, 0)), q);
  const Value by_rejection =
      binomial_rejection(key, select(small, scalar_like(n, 1e4), whole), select(small, scalar_like(q, 0.5), q));
  Value y = select(small, by_inversion, by_rejection);
  const Value invalid = bad_q | bad_n;
  y = select(invalid, scalar_like(y, std::numeric_limits<double>::quiet_NaN()), y);
  y = select(endless & ~invalid, scalar_like(y, infinity), y);
  return select(few | bad_n | nan_q | endless, y, whole - y);
}

}  // namespace

Array poisson(const Array& key, const Array& lam, const Shape& shape, DType dtype) {
  HEARTH_CHECK(is_int(dtype), dtype, "poisson: dtype must be an integer; it is ", dtype);
  const Dims dims = result_shape("poisson", shape, {lam});
  return sample("poisson", key,
                [&](const Value& k) { return poisson_value(k, parameter(lam, DType::f32, dims), dtype); });
}

// Computed in p's dtype, as in JAX.
Array binomial(const Array& key, const Array& n, const Array& p, const Shape& shape, DType dtype) {
  check_float("binomial", dtype);
  HEARTH_CHECK(!is_complex(p.dtype()), dtype, "binomial: p must be real; it is ", p.type());
  const Dims dims = result_shape("binomial", shape, {n, p});
  const DType inner = is_float(p.dtype()) ? p.dtype() : DType::f32;
  return sample("binomial", key, [&](const Value& k) {
    return convert(binomial_value(k, parameter(n, inner, dims), parameter(p, inner, dims)), dtype);
  });
}

}  // namespace hearth::random
