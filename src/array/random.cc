// SPDX-License-Identifier: Apache-2.0
// Keys and uniform numbers.
// Source: jax/_src/random of JAX 0.10 (threefry2x32.py, core.py).
#include "array/random.h"

#include "array/random_values.h"

namespace hearth::random {

Array key(int64_t seed) {
  const uint32_t words[] = {uint32_t(uint64_t(seed) >> 32), uint32_t(seed)};
  return array_from_bytes({DType::u32, {2}}, words);
}

Array key(const Array& seed) {
  HEARTH_CHECK(is_int(seed.dtype()) && seed.ndim() == 0, dtype, "key: a seed is an integer scalar; it is ",
               seed.type());
  const std::lock_guard lock(array_mutex());
  Value low = to_value(seed, seed.weak() ? std::optional(DType::i64) : std::nullopt);
  Value high = constant(*low.graph, 0, DType::u32);
  if (size_bytes(low.dtype()) == 8) {
    const Value bits = bitcast_convert(low, DType::u64);
    high = convert(shift_right_logical(bits, scalar_like(bits, 32)), DType::u32);
    low = bits & scalar_like(bits, 0xffffffff);
  }
  return from_value(concatenate({reshape(high, {1}), reshape(convert(low, DType::u32), {1})}, 0));
}

Array split(const Array& key, int64_t count) { return split(key, Dims{count}); }
Array split(const Array& key, const Dims& shape) {
  return sample("split", key, [&](const Value& k) { return threefry_words(k, shape); });
}

Array fold_in(const Array& key, const Array& data) {
  HEARTH_CHECK(is_int(data.dtype()) && data.ndim() == 0, dtype, "fold_in: data is an integer scalar; it is ",
               data.type());
  return sample("fold_in", key, [&](const Value& k) {
    const Value number = to_value(data, data.weak() ? std::optional(DType::i64) : std::nullopt);
    return threefry_words(k, {}, convert(convert(number, DType::u32), DType::u64));
  });
}

Array bits(const Array& key, const Dims& shape, DType dtype) {
  HEARTH_CHECK(is_unsigned_int(dtype), dtype, "bits: dtype must be unsigned; it is ", dtype);
  return sample("bits", key, [&](const Value& k) { return threefry_bits(k, shape, dtype); });
}

// The usual limits need no arithmetic.
static bool is_number(const Array& x, double number) {
  return x.weak() && x.state()->number && convert_number<double>(*x.state()->number) == number;
}

Array uniform(const Array& key, const Dims& shape, DType dtype, const UniformOptions& options) {
  check_float("uniform", dtype);
  result_shape("uniform", shape, {options.minval, options.maxval});
  return sample("uniform", key, [&](const Value& k) {
    if (is_number(options.minval, 0) && is_number(options.maxval, 1)) return unit_floats(k, shape, dtype);
    return uniform_between(k, shape, to_value(options.minval, dtype), to_value(options.maxval, dtype));
  });
}

// --- randint ---------------------------------------------------------------------------------------------------------

static Value integer(Graph& graph, int64_t bits, DType dtype) {
  return graph.add("constant", {}, {{"dtype", int64_t(dtype)}, {"shape", Dims{}}, {"values", Dims{bits}}});
}
static uint64_t largest(DType dtype) {
  const int width = int(8 * size_bytes(dtype));
  return is_unsigned_int(dtype) ? ~uint64_t{0} >> (64 - width) : ~uint64_t{0} >> (65 - width);
}
static int64_t smallest(DType dtype) { return is_unsigned_int(dtype) ? 0 : -int64_t(largest(dtype)) - 1; }

// Into the range of the dtype, clipped.
static Value clipped(const Value& x, DType dtype) {
  const uint64_t high = std::min(largest(dtype), largest(x.dtype()));
  const int64_t low = std::max(smallest(dtype), smallest(x.dtype()));
  Graph& graph = *x.graph;
  return convert(minimum(maximum(x, integer(graph, low, x.dtype())), integer(graph, int64_t(high), x.dtype())), dtype);
}

// A number of twice the width, modulo the span: (high * 2^width + low) mod span, in arithmetic modulo 2^width.
Value randint_value(const Value& key, const Dims& shape, const Value& minval, const Value& maxval, DType dtype) {
  const uint64_t limit = std::min(largest(dtype), largest(maxval.dtype()));
  const Value outside = compare("GT", maxval, integer(*maxval.graph, int64_t(limit), maxval.dtype()));
  const Value low = clipped(minval, dtype), high = clipped(maxval, dtype);
  const Values keys = split_keys(key, 2);
  const int64_t width = 8 * size_bytes(dtype);
  const DType unsigned_dtype = width == 8    ? DType::u8
                               : width == 16 ? DType::u16
                               : width == 32 ? DType::u32
                                             : DType::u64;
  const auto as_bits = [&](const Value& x) {
    return x.dtype() == unsigned_dtype ? x : bitcast_convert(x, unsigned_dtype);
  };
  const Value upper = threefry_bits(keys[0], shape, unsigned_dtype);
  const Value lower = threefry_bits(keys[1], shape, unsigned_dtype);
  Value span = as_bits(high) - as_bits(low);
  span = select(compare("LE", high, low), scalar_like(span, 1), span);
  // One larger where maxval lies outside the dtype; of the whole range it wraps to 0, where remainders do nothing.
  span = select(outside & compare("GT", high, low), span + 1.0, span);
  Value multiplier = remainder(scalar_like(span, double(int64_t{1} << (width / 2))), span);
  multiplier = remainder(multiplier * multiplier, span);
  const Value offset = remainder(remainder(upper, span) * multiplier + remainder(lower, span), span);
  const Value result = as_bits(low) + offset;
  return dtype == unsigned_dtype ? result : bitcast_convert(result, dtype);
}

// A plain number keeps all its bits.
static Value integer_value(const Array& x) { return to_value(x, x.weak() ? std::optional(DType::i64) : std::nullopt); }

Array randint(const Array& key, const Dims& shape, const Array& minval, const Array& maxval, DType dtype) {
  HEARTH_CHECK(is_int(dtype), dtype, "randint: dtype must be an integer; it is ", dtype);
  HEARTH_CHECK(is_int(minval.dtype()) && is_int(maxval.dtype()), dtype,
               "randint: limits must be integers\n  minval is ", minval.type(), "\n  maxval is ", maxval.type());
  result_shape("randint", shape, {minval, maxval});
  return sample("randint", key, [&](const Value& k) {
    const Value low = integer_value(minval), high = integer_value(maxval);
    if (size_bytes(dtype) >= 4) return randint_value(k, shape, low, high, dtype);
    // Narrow ones are drawn in 32 bits, which makes the bias small.
    const double least = double(smallest(dtype)), most = double(largest(dtype));
    const auto narrow = [&](const Value& x, double top) {
      const Value wide = convert(x, DType::i32);
      return minimum(maximum(wide, scalar_like(wide, least)), scalar_like(wide, top));
    };
    return convert(randint_value(k, shape, narrow(low, most), narrow(high, most + 1), DType::i32), dtype);
  });
}

}  // namespace hearth::random
