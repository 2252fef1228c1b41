// SPDX-License-Identifier: Apache-2.0
#include "array/random_values.h"

#include <algorithm>

namespace hearth::random {

FloatLimits limits(DType dtype) {
  switch (dtype) {
    case DType::f16: return {16, 10, 0x1p-10, 0x1p-11, 0x1p-14, 0x3c00, DType::u16};
    case DType::bf16: return {16, 7, 0x1p-7, 0x1p-8, 0x1p-126, 0x3f80, DType::u16};
    case DType::f64: return {64, 52, 0x1p-52, 0x1p-53, 0x1p-1022, double(0x3ff0000000000000), DType::u64};
    default: return {32, 23, 0x1p-23, 0x1p-24, 0x1p-126, 0x3f800000, DType::u32};
  }
}

void check_float(const char* name, DType dtype) {
  HEARTH_CHECK(is_float(dtype), dtype, name, ": dtype must be a float; it is ", dtype);
}

Value key_value(const char* name, const Array& key) {
  const TensorType type{DType::u32, {2}};
  HEARTH_CHECK(key.type() == type, shape, name, ": a key is ", type, "; it is ", key.type(),
               key.dtype() == DType::u32 && key.ndim() > 1 && key.dim(-1) == 2
                   ? "\n  hint: vmap the function over several keys"
                   : "");
  return to_value(key);
}

static bool broadcasts_to(const Dims& from, const Dims& to) {
  if (from.size() > to.size()) return false;
  const size_t skip = to.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1 && from[i] != to[skip + i]) return false;
  }
  return true;
}

Dims result_shape(const char* name, const Shape& shape, const Arrays& parameters) {
  Dims result;
  if (shape) {
    result = *shape;
  } else {
    for (const Array& x : parameters) {
      const Dims& dims = x.shape();
      if (dims.size() > result.size()) result.insert(result.begin(), dims.size() - result.size(), 1);
      const size_t skip = result.size() - dims.size();
      for (size_t i = 0; i < dims.size(); ++i) {
        if (result[skip + i] == 1) result[skip + i] = dims[i];
      }
    }
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    HEARTH_CHECK(broadcasts_to(parameters[i].shape(), result), shape, name, ": parameter ", i,
                 " does not broadcast to the shape\n  parameter is ", parameters[i].type(), "\n  shape is ",
                 TensorType{parameters[i].dtype(), result});
  }
  return result;
}

Value parameter(const Array& x, DType dtype, const Dims& shape) { return broadcast_to(to_value(x, dtype), shape); }

Values split_keys(const Value& key, int64_t count) {
  const Value words = threefry_words(key, {count});
  Values keys;
  for (int64_t i = 0; i < count; ++i) keys.push_back(reshape(slice_axis(words, 0, i, i + 1), {2}));
  return keys;
}

Value one_like(const Value& x) { return scalar_like(x, 1); }

// Random bits as the mantissa of a float in [1, 2), less 1.
Value unit_floats(const Value& key, const Dims& shape, DType dtype) {
  const FloatLimits l = limits(dtype);
  // A mantissa of 7 bits comes from 8 random ones, as in JAX.
  const Value bits =
      l.mantissa < 8 ? convert(threefry_bits(key, shape, DType::u8), l.bits) : threefry_bits(key, shape, l.bits);
  const int drawn = l.mantissa < 8 ? 8 : l.width;
  const Value mantissa = shift_right_logical(bits, scalar_like(bits, drawn - l.mantissa));
  return bitcast_convert(mantissa | scalar_like(mantissa, l.one_bits), dtype) - 1.0;
}

// a * b + c with one rounding, but for ties that come from rounding the sum of the two parts' errors.
// Source: Dekker 1971 (exact product by splitting), Knuth's exact sum.
static Value multiply_add_f64(const Value& a, const Value& b, const Value& c) {
  const auto split_number = [](const Value& x) {
    const Value scaled = x * 134217729.0, high = scaled - (scaled - x);
    return std::pair{high, x - high};
  };
  const auto [a_high, a_low] = split_number(a);
  const auto [b_high, b_low] = split_number(b);
  const Value product = a * b;
  const Value product_rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
  const Value sum = product + c, part = sum - product;
  const Value sum_rest = (product - (sum - part)) + (c - part);
  return sum + (sum_rest + product_rest);
}

static Value multiply_add(const Value& a, const Value& b, const Value& c) {
  if (a.dtype() == DType::f64) return multiply_add_f64(a, b, c);
  if (a.dtype() != DType::f32) return a * b + c;
  const auto wide = [](const Value& x) { return convert(x, DType::f64); };  // the product of two f32 is exact there
  return convert(wide(a) * wide(b) + wide(c), DType::f32);
}

Value uniform_between(const Value& key, const Dims& shape, const Value& low, const Value& high) {
  const Value unit = unit_floats(key, shape, low.dtype());
  const Value from = broadcast_to(low, shape);
  return maximum(from, multiply_add(unit, broadcast_to(high - low, shape), from));
}

// The span of the limits used here is a power of two (or the low one is 0) after rounding, so that products are exact.
Value uniform_between(const Value& key, const Dims& shape, DType dtype, double low, double high) {
  const Value unit = unit_floats(key, shape, dtype);
  if (low == 0 && high == 1) return unit;
  const Value from = scalar_like(unit, low), span = scalar_like(unit, high) - from;
  return maximum(from, unit * span + from);
}

// erf_inv of (-1, 1), without its ends: finite in every dtype.
Value normal_value(const Value& key, const Dims& shape, DType dtype) {
  const Value u = uniform_between(key, shape, dtype, limits(dtype).below - 1, 1);
  return scalar_like(u, 1.4142135623730951) * xla_erf_inv(u);
}

Value exponential_value(const Value& key, const Dims& shape, DType dtype) {
  return -log1p(-unit_floats(key, shape, dtype));
}

}  // namespace hearth::random
