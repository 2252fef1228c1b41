// SPDX-License-Identifier: Apache-2.0
// Continuous distributions that are a function of uniform or normal numbers.
// Source: jax/_src/random/core.py of JAX 0.10, operation by operation.
#include <cmath>
#include <limits>

#include "array/random.h"
#include "array/random_values.h"
#include "ops/reduce/reduce.h"

namespace hearth::random {
namespace {

constexpr double kRootOfTwo = 1.4142135623730951;

// A sampler without parameters, of float dtypes.
template <class F>
Array plain(const char* name, const Array& key, DType dtype, F&& f) {
  check_float(name, dtype);
  return sample(name, key, f);
}

Value complex_normal(const Value& key, const Dims& shape, DType dtype) {
  const Values keys = split_keys(key, 2);
  const Value re = normal_value(keys[0], shape, real_part(dtype)), im = normal_value(keys[1], shape, real_part(dtype));
  return complex(re / kRootOfTwo, im / kRootOfTwo);
}

Value maxwell_value(const Value& key, Dims shape, DType dtype) {
  shape.push_back(3);
  const Value x = normal_value(key, shape, dtype);
  return sqrt(reduce_sum(x * x, {x.rank() - 1}));
}

}  // namespace

Array normal(const Array& key, const Dims& shape, DType dtype) {
  HEARTH_CHECK(is_inexact(dtype), dtype, "normal: dtype must be a float or complex; it is ", dtype);
  return sample("normal", key, [&](const Value& k) {
    return is_complex(dtype) ? complex_normal(k, shape, dtype) : normal_value(k, shape, dtype);
  });
}

// Between erf of the limits, and clamped to the floats strictly inside.
Array truncated_normal(const Array& key, const Array& lower, const Array& upper, const Shape& shape, DType dtype) {
  const Dims dims = result_shape("truncated_normal", shape, {lower, upper});
  return plain("truncated_normal", key, dtype, [&](const Value& k) {
    const Value low = parameter(lower, dtype, dims), high = parameter(upper, dtype, dims);
    const Value u = uniform_between(k, dims, erf(low / kRootOfTwo), erf(high / kRootOfTwo));
    const Value infinity = scalar_like(low, std::numeric_limits<double>::infinity());
    const Value x = scalar_like(u, kRootOfTwo) * xla_erf_inv(u);
    return minimum(maximum(x, nextafter(low, infinity)), nextafter(high, -infinity));
  });
}

Array lognormal(const Array& key, const Array& sigma, const Shape& shape, DType dtype) {
  const Dims dims = result_shape("lognormal", shape, {sigma});
  return plain("lognormal", key, dtype,
               [&](const Value& k) { return exp(normal_value(k, dims, dtype) * parameter(sigma, dtype, dims)); });
}

Array exponential(const Array& key, const Dims& shape, DType dtype) {
  return plain("exponential", key, dtype, [&](const Value& k) { return exponential_value(k, shape, dtype); });
}

Array laplace(const Array& key, const Dims& shape, DType dtype) {
  return plain("laplace", key, dtype, [&](const Value& k) {
    const Value u = uniform_between(k, shape, dtype, limits(dtype).below - 1, 1);
    return sign(u) * log1p(-abs(u));
  });
}

Array logistic(const Array& key, const Dims& shape, DType dtype) {
  return plain("logistic", key, dtype, [&](const Value& k) {
    const Value u = uniform_between(k, shape, dtype, limits(dtype).tiny, 1);
    return log(u) - log1p(-u);
  });
}

Array cauchy(const Array& key, const Dims& shape, DType dtype) {
  return plain("cauchy", key, dtype, [&](const Value& k) {
    Graph& graph = *k.graph;
    const Value u = uniform_between(k, shape, constant(graph, limits(dtype).epsilon, dtype), constant(graph, 1, dtype));
    return tan(scalar_like(u, M_PI) * (u - 0.5));
  });
}

Array pareto(const Array& key, const Array& b, const Shape& shape, DType dtype) {
  const Dims dims = result_shape("pareto", shape, {b});
  return plain("pareto", key, dtype,
               [&](const Value& k) { return exp(exponential_value(k, dims, dtype) / parameter(b, dtype, dims)); });
}

Array rayleigh(const Array& key, const Array& scale, const Shape& shape, DType dtype) {
  const Dims dims = result_shape("rayleigh", shape, {scale});
  return plain("rayleigh", key, dtype, [&](const Value& k) {
    return parameter(scale, dtype, dims) * sqrt(log(unit_floats(k, dims, dtype)) * -2.0);
  });
}

Array weibull_min(const Array& key, const Array& scale, const Array& concentration, const Shape& shape, DType dtype) {
  const Dims dims = result_shape("weibull_min", shape, {scale, concentration});
  return plain("weibull_min", key, dtype, [&](const Value& k) {
    const Value x = -log1p(-unit_floats(k, dims, dtype));
    return power(x, 1.0 / parameter(concentration, dtype, dims)) * parameter(scale, dtype, dims);
  });
}

Array maxwell(const Array& key, const Dims& shape, DType dtype) {
  return plain("maxwell", key, dtype, [&](const Value& k) { return maxwell_value(k, shape, dtype); });
}

Array double_sided_maxwell(const Array& key, const Array& loc, const Array& scale, const Dims& shape, DType dtype) {
  const Dims parameters = result_shape("double_sided_maxwell", {}, {loc, scale});
  Dims dims = shape.empty() ? parameters : shape;
  dims.insert(dims.end(), parameters.begin(), parameters.end());
  return plain("double_sided_maxwell", key, dtype, [&](const Value& k) {
    const Values keys = split_keys(k, 2);
    const Value x = maxwell_value(keys[0], dims, dtype);
    const Value half = constant(*k.graph, 0.5, DType::f32);
    const Value sign = convert(bernoulli_value(keys[1], half, dims, "low"), dtype) * 2.0 - 1.0;
    return sign * x * parameter(scale, dtype, dims) + parameter(loc, dtype, dims);
  });
}

Array triangular(const Array& key, const Array& left, const Array& mode, const Array& right, const Shape& shape,
                 DType dtype) {
  const Dims dims = result_shape("triangular", shape, {left, mode, right});
  return plain("triangular", key, dtype, [&](const Value& k) {
    const Value a = parameter(left, dtype, dims), c = parameter(mode, dtype, dims), b = parameter(right, dtype, dims);
    const Value u = unit_floats(k, dims, dtype);
    const Value rising = a + sqrt(u * (b - a) * (c - a)), falling = b - sqrt((1.0 - u) * (b - a) * (b - c));
    return select(compare("LT", u, (c - a) / (b - a)), rising, falling);
  });
}

Array wald(const Array& key, const Array& mean, const Shape& shape, DType dtype) {
  const Dims dims = result_shape("wald", shape, {mean});
  return plain("wald", key, dtype, [&](const Value& k) {
    const Values keys = split_keys(k, 2);
    const Value m = parameter(mean, dtype, dims), v = normal_value(keys[0], dims, dtype);
    const Value z = unit_floats(keys[1], dims, dtype), y = v * v;
    const Value root = sqrt(4.0 * m * y + m * m * (y * y));
    const Value x = m + m * m * y / 2.0 - m / 2.0 * root;
    return select(compare("LE", z, m / (m + x)), x, m * m / x);
  });
}

}  // namespace hearth::random
