// SPDX-License-Identifier: Apache-2.0
// gamma by rejection, and what is made of it.
// Source: Marsaglia, Tsang 2000, "A simple method for generating gamma variables", as in JAX 0.10
// (jax/_src/random/core.py). Differs: all elements are tried together until each is accepted.
#include "array/random.h"
#include "array/random_values.h"
#include "array/transforms.h"
#include "ops/control/control.h"
#include "ops/custom_derivative/custom_derivative.h"
#include "ops/reduce/reduce.h"

namespace hearth::random {
namespace {

// A normal number x whose v = 1 + c x is positive: {x, v}.
std::pair<Value, Value> try_normal(const Value& key, const Value& c) {
  const Value zero = scalar_like(c, 0);
  const Values found = while_loop([&](const Values& s) { return compare("LE", s[2], scalar_like(s[2], 0)); },
                                  [&](const Values& s) -> Values {
                                    const Values keys = split_keys(s[0], 2);
                                    const Value x = normal_value(keys[1], {}, s[1].dtype());
                                    return {keys[0], x, x * c + 1.0};
                                  },
                                  {key, zero, scalar_like(c, -1)});
  return {found[1], found[2]};
}

// One sample: gamma(a) = gamma(a + 1) * u^(1/a) for a < 1, in logarithms where asked since that power underflows.
Value gamma_one(const Value& key_in, const Value& a_in, bool log_space) {
  const double third = 1. / 3.;
  const Value plain = compare("GE", a_in, one_like(a_in));
  const Value a = select(plain, a_in, a_in + 1.0);
  const Value d = a - third, c = scalar_like(d, third) / sqrt(d);
  const auto rejected = [&](const Values& s) {
    const Value &x = s[1], &v = s[2], &u = s[3];
    return compare("GE", u, 1.0 - x * x * 0.0331) & compare("GE", log(u), x * 0.5 + d * ((1.0 - v) + log(v)));
  };
  const auto next = [&](const Values& s) -> Values {
    const Values keys = split_keys(s[0], 3);
    const auto [x, v] = try_normal(keys[1], c);
    return {keys[0], x * x, v * v * v, unit_floats(keys[2], {}, s[1].dtype())};
  };
  const Values keys = split_keys(key_in, 2);
  // The first state is one that is rejected.
  const Value v = while_loop(rejected, next, {keys[0], scalar_like(d, 0), one_like(d), scalar_like(d, 2)})[2];
  const Value one = one_like(d), zero = scalar_like(d, 0);
  if (log_space) {
    const Value sample = -exponential_value(keys[1], {}, d.dtype());
    const Value boost = select(plain | compare("EQ", sample, zero), zero, sample * (one / a_in));
    return log(d) + log(v) + boost;
  }
  const Value sample = 1.0 - unit_floats(keys[1], {}, d.dtype());
  return d * v * select(plain, one, power(sample, one / a_in));
}

Value gamma_samples(const Value& key, const Value& a, bool log_space) {
  const int64_t count = a.type().elements();
  const Function each = vmap([&](const Values& in) -> Values { return {gamma_one(in[0], in[1], log_space)}; });
  return reshape(each({threefry_words(key, {count}), reshape(a, {count})})[0], a.dims());
}

// A sample that underflowed to 0 stays there.
Value gamma_slope(const Value& sample, const Value& a, bool log_space, int orders) {
  if (log_space) return convert(gamma_log_slope(sample, a, orders), a.dtype());
  const Value none = compare("EQ", sample, scalar_like(sample, 0)), some = select(none, one_like(sample), sample);
  const Value slope = convert(gamma_log_slope(log(convert(some, DType::f64)), a, orders), a.dtype()) * some;
  return select(none, scalar_like(slope, 0), slope);
}

// Samples that have so many derivatives by a. The slope depends on the sample, which moves with a in its turn.
Value moving_samples(const Value& key, const Value& a, bool log_space, int orders) {
  if (orders == 0)
    return without_derivative(
        a, [&] { return Values{gamma_samples(key, a, log_space)}; }, kGammaRefusal)[0];
  const auto samples = [=](const Values& in) -> Values { return {gamma_samples(in[0], in[1], log_space)}; };
  const auto rule = [=](const Values& in, const Values& tangents) -> Values {
    const Value sample = moving_samples(in[0], in[1], log_space, orders - 1);
    return {tangents[1] * gamma_slope(sample, in[1], log_space, orders - 1)};
  };
  return custom_jvp({key, a}, samples, rule)[0];
}

Array gamma_array(const char* name, const Array& key, const Array& a, const Shape& shape, DType dtype, bool log_space) {
  check_float(name, dtype);
  const Dims dims = result_shape(name, shape, {a});
  return sample(name, key, [&](const Value& k) { return gamma_value(k, parameter(a, dtype, dims), log_space); });
}

}  // namespace

Value gamma_value(const Value& key, const Value& a, bool log_space) {
  if (a.type().elements() == 0) return a;
  return moving_samples(key, a, log_space, 2);
}

Array gamma(const Array& key, const Array& a, const Shape& shape, DType dtype) {
  return gamma_array("gamma", key, a, shape, dtype, false);
}

Array loggamma(const Array& key, const Array& a, const Shape& shape, DType dtype) {
  return gamma_array("loggamma", key, a, shape, dtype, true);
}

Array beta(const Array& key, const Array& a, const Array& b, const Shape& shape, DType dtype) {
  check_float("beta", dtype);
  const Dims dims = result_shape("beta", shape, {a, b});
  return sample("beta", key, [&](const Value& k) {
    const Values keys = split_keys(k, 2);
    const Value log_a = gamma_value(keys[0], parameter(a, dtype, dims), true);
    const Value log_b = gamma_value(keys[1], parameter(b, dtype, dims), true);
    const Value most = maximum(log_a, log_b);
    const Value x = exp(log_a - most), y = exp(log_b - most);
    return x / (x + y);
  });
}

Array dirichlet(const Array& key, const Array& alpha, const Shape& shape, DType dtype) {
  check_float("dirichlet", dtype);
  HEARTH_CHECK(alpha.ndim() >= 1, shape, "dirichlet: alpha needs an axis; it is ", alpha.type());
  Dims dims = shape.value_or(Dims(alpha.shape().begin(), alpha.shape().end() - 1));
  dims.push_back(alpha.dim(-1));
  result_shape("dirichlet", dims, {alpha});
  return sample("dirichlet", key, [&](const Value& k) {
    const Value x = gamma_value(k, parameter(alpha, dtype, dims), true);
    const Value e = exp(x - max_last(x));
    return e / sum_last(e);
  });
}

static Value chisquare_value(const Value& key, const Value& df) { return exp(gamma_value(key, df / 2.0, true)) * 2.0; }

Array chisquare(const Array& key, const Array& df, const Shape& shape, DType dtype) {
  check_float("chisquare", dtype);
  const Dims dims = result_shape("chisquare", shape, {df});
  return sample("chisquare", key, [&](const Value& k) { return chisquare_value(k, parameter(df, dtype, dims)); });
}

Array f(const Array& key, const Array& dfnum, const Array& dfden, const Shape& shape, DType dtype) {
  check_float("f", dtype);
  const Dims dims = result_shape("f", shape, {dfnum, dfden});
  return sample("f", key, [&](const Value& k) {
    const Values keys = split_keys(k, 2);  // the denominator's first
    const Value numerator = parameter(dfnum, dtype, dims), denominator = parameter(dfden, dtype, dims);
    return chisquare_value(keys[1], numerator) / numerator / (chisquare_value(keys[0], denominator) / denominator);
  });
}

Array t(const Array& key, const Array& df, const Shape& shape, DType dtype) {
  check_float("t", dtype);
  const Dims dims = result_shape("t", shape, {df});
  return sample("t", key, [&](const Value& k) {
    const Values keys = split_keys(k, 2);
    const Value half = parameter(df, dtype, dims) / 2.0;
    return normal_value(keys[0], dims, dtype) * sqrt(half / gamma_value(keys[1], half, false));
  });
}

Value generalized_normal_value(const Value& key, double p, const Dims& shape, DType dtype) {
  const Values keys = split_keys(key, 2);
  const Value g = gamma_value(keys[0], constant(*key.graph, 1 / p, dtype, shape), false);
  const Value heads = bernoulli_value(keys[1], constant(*key.graph, 0.5), shape, "low");
  return (convert(heads, dtype) * 2.0 - 1.0) * power(g, scalar_like(g, 1 / p));
}

Array generalized_normal(const Array& key, double p, const Dims& shape, DType dtype) {
  check_float("generalized_normal", dtype);
  return sample("generalized_normal", key,
                [&](const Value& k) { return generalized_normal_value(k, p, shape, dtype); });
}

Array ball(const Array& key, int64_t d, double p, const Dims& shape, DType dtype) {
  check_float("ball", dtype);
  HEARTH_CHECK(d >= 0, value, "ball: of ", d, " dimensions");
  return sample("ball", key, [&](const Value& k) {
    const Values keys = split_keys(k, 2);
    Dims dims = shape;
    dims.push_back(d);
    const Value g = generalized_normal_value(keys[0], p, dims, dtype), size = abs(g);
    dims.back() = 1;
    const Value e = reshape(exponential_value(keys[1], shape, dtype), dims);
    const Value sum = sum_last(power(size, scalar_like(size, p))) + e;
    return g / power(sum, scalar_like(sum, 1 / p));
  });
}

}  // namespace hearth::random
