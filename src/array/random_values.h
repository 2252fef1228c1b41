// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the samplers of array/random.h are made of, on values of a graph. Not for users.

#include <string>

#include "array/random.h"
#include "array/recording.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/random/random.h"
#include "ops/shape/shape.h"
#include "ops/special/special.h"

namespace hearth::random {

struct FloatLimits {
  int width, mantissa;          // bits
  double epsilon, below, tiny;  // 1 to the next float above and below; smallest normal number
  double one_bits;              // the bits of 1.0
  DType bits;                   // unsigned, of that width
};
FloatLimits limits(DType dtype);  // of float dtypes

// Argument checks. `name` is that of the function.
void check_float(const char* name, DType dtype);
Value key_value(const char* name, const Array& key);  // u32[2]
// The shape given, or that of the parameters. Error{shape} unless they broadcast to it.
Dims result_shape(const char* name, const Shape& shape, const Arrays& parameters);
// A parameter as a value of the dtype and shape.
Value parameter(const Array& x, DType dtype, const Dims& shape);

Values split_keys(const Value& key, int64_t count);  // each u32[2]
Value one_like(const Value& x);

// Floats in [0, 1).
Value unit_floats(const Value& key, const Dims& shape, DType dtype);
// In [low, high), which broadcast to the shape. The product and the sum are rounded as JAX on a cpu does: f32 and f64
// once, narrower types twice.
Value uniform_between(const Value& key, const Dims& shape, const Value& low, const Value& high);
Value uniform_between(const Value& key, const Dims& shape, DType dtype, double low, double high);
// As XLA computes it, digits that it loses near -1 and 1 included, where ops/special's has all.
Value xla_erf_inv(const Value& x);
Value normal_value(const Value& key, const Dims& shape, DType dtype);  // real
Value exponential_value(const Value& key, const Dims& shape, DType dtype);
Value gumbel_value(const Value& key, const Dims& shape, DType dtype, const std::string& mode);
Value bernoulli_value(const Value& key, const Value& p, const Dims& shape, const std::string& mode);
Value randint_value(const Value& key, const Dims& shape, const Value& low, const Value& high, DType dtype);
// One sample of each element of a; with log_space its logarithm.
Value gamma_value(const Value& key, const Value& a, bool log_space);
// d log x / da in f64 of gamma samples x of shape a, both of one shape. It has `orders` derivatives; asking for one
// more is Error{unsupported}.
Value gamma_log_slope(const Value& log_x, const Value& a, int orders);
inline constexpr const char* kGammaRefusal = "gamma: has two derivatives by its shape parameter, not a third";
Value generalized_normal_value(const Value& key, double p, const Dims& shape, DType dtype);

// One array from a function of the key's value.
template <class F>
Array sample(const char* name, const Array& key, F&& f) {
  const std::lock_guard lock(array_mutex());
  return from_value(f(key_value(name, key)));
}

}  // namespace hearth::random
