// SPDX-License-Identifier: Apache-2.0
// Bernoulli and its kin, gumbel and categorical.
// Source: jax/_src/random/core.py of JAX 0.10.
#include "array/random.h"
#include "array/random_values.h"
#include "ops/arg_reduce/arg_reduce.h"
#include "ops/sort/sort.h"

namespace hearth::random {
namespace {

void check_mode(const char* name, const std::string& mode, bool highest) {
  HEARTH_CHECK(mode == "low" || mode == "high" || (highest && mode == "highest"), value, name, ": no mode \"", mode,
               "\"; has low, high", highest ? ", highest" : "");
}

// Halves of an array [2, ...].
std::pair<Value, Value> halves(const Value& x) {
  const Dims rest(x.dims().begin() + 1, x.dims().end());
  return {reshape(slice_axis(x, 0, 0, 1), rest), reshape(slice_axis(x, 0, 1, 2), rest)};
}
Dims twice(Dims shape) {
  shape.insert(shape.begin(), 2);
  return shape;
}

Value shifted(const char* op, const Value& x, double by) { return binary(op, x, scalar_like(x, by)); }
Value is(const char* direction, const Value& x, double y) { return compare(direction, x, scalar_like(x, y)); }

// The fixed-point number high.low / 2^64, u32 each, in (0, 1) as an f32 without losing leading digits.
Value small_float(const Value& high, const Value& low) {
  const Value high_zeros = count_leading_zeros(high), low_zeros = count_leading_zeros(low);
  const Value none = is("EQ", high_zeros, 32);
  Value mantissa = shift_left(high, high_zeros) |
                   select(none, shift_left(low, low_zeros), shift_right_logical(low, 32.0 - high_zeros));
  mantissa = shifted("shift_right_logical", mantissa, 8);
  mantissa = shifted("and", mantissa, (1 << 23) - 1);
  const Value exponent = 126.0 - select(none, low_zeros + 32.0, high_zeros);
  const Value placed = shifted("and", shifted("shift_left", exponent, 23), (1 << 30) - (1 << 22));
  return bitcast_convert(placed | mantissa, DType::f32);
}

Value highest_gumbel(const Value& key, const Dims& shape) {
  const auto [high, low] = halves(threefry_bits(key, twice(shape), DType::u32));
  const Value carry = convert(is("EQ", ~low, 4294967295.0), DType::u32);  // 1 - bits in fixed point
  const Value flip = is("LT", high, 2147483648.0);
  const Value x = small_float(select(flip, high, ~high + carry), select(flip, low, ~low + 1.0));
  return select(flip, -log(-log1p(-x)), -log(-log(x)));
}

}  // namespace

Value gumbel_value(const Value& key, const Dims& shape, DType dtype, const std::string& mode) {
  check_mode("gumbel", mode, true);
  const FloatLimits l = limits(dtype);
  if (mode == "low") return -log(-log(uniform_between(key, shape, dtype, l.tiny, 1)));
  if (mode == "highest" && dtype == DType::f32) return highest_gumbel(key, shape);
  const auto [high, low] = halves(unit_floats(key, twice(shape), dtype));
  const Value x = select(is("GE", high, 0.5), high, high + scalar_like(low, l.epsilon) * low + l.tiny);
  return -log(-log1p(-x));
}

Array gumbel(const Array& key, const Dims& shape, DType dtype, const GumbelOptions& options) {
  check_float("gumbel", dtype);
  return sample("gumbel", key, [&](const Value& k) { return gumbel_value(k, shape, dtype, options.mode); });
}

Value bernoulli_value(const Value& key, const Value& p, const Dims& shape, const std::string& mode) {
  const Value threshold = broadcast_to(p, shape);
  if (mode == "low") return compare("LT", unit_floats(key, shape, p.dtype()), threshold);
  const auto [coarse, fine] = halves(unit_floats(key, twice(shape), p.dtype()));
  return compare("LT", fine * limits(p.dtype()).epsilon, threshold - coarse);
}

Array bernoulli(const Array& key, const Array& p, const BernoulliOptions& options) {
  check_mode("bernoulli", options.mode, false);
  HEARTH_CHECK(is_float(p.dtype()), dtype, "bernoulli: p must be a float; it is ", p.type());
  const Dims dims = result_shape("bernoulli", options.shape, {p});
  return sample("bernoulli", key, [&](const Value& k) { return bernoulli_value(k, to_value(p), dims, options.mode); });
}

Array rademacher(const Array& key, const Dims& shape, DType dtype) {
  HEARTH_CHECK(dtype != DType::boolean, dtype, "rademacher: dtype must be a number's; it is ", dtype);
  return sample("rademacher", key, [&](const Value& k) {
    return convert(bernoulli_value(k, constant(*k.graph, 0.5), shape, "low"), dtype) * 2.0 - 1.0;
  });
}

// How many tries until the first success; u = 0 counts as 1, whose logarithm is finite.
Array geometric(const Array& key, const Array& p, const Shape& shape, DType dtype) {
  HEARTH_CHECK(is_int(dtype), dtype, "geometric: dtype must be an integer; it is ", dtype);
  HEARTH_CHECK(!is_complex(p.dtype()), dtype, "geometric: p must be real; it is ", p.type());
  const Dims dims = result_shape("geometric", shape, {p});
  return sample("geometric", key, [&](const Value& k) {
    const Value chance = parameter(p, is_float(p.dtype()) ? p.dtype() : DType::f32, dims);
    Value u = unit_floats(k, dims, chance.dtype());
    u = select(is("EQ", u, 0), one_like(u), u);
    return convert(floor(log(u) / log1p(-chance)) + 1.0, dtype);
  });
}

// The largest of logits + gumbel; without replacement the largest ones.
Array categorical(const Array& key, const Array& logits, const CategoricalOptions& options) {
  HEARTH_CHECK(is_float(logits.dtype()), dtype, "categorical: logits must be floats; they are ", logits.type());
  HEARTH_CHECK(options.axis >= -logits.ndim() && options.axis < logits.ndim(), value, "categorical: axis ",
               options.axis, " does not exist in logits ", logits.type());
  const int64_t axis = options.axis < 0 ? options.axis + logits.ndim() : options.axis, n = logits.dim(axis);
  HEARTH_CHECK(n > 0, value, "categorical: there are no categories; logits are ", logits.type());
  Dims batch = logits.shape();
  batch.erase(batch.begin() + axis);
  const Dims shape = options.shape.value_or(batch);
  const size_t extra = shape.size() >= batch.size() ? shape.size() - batch.size() : 0;
  for (size_t i = 0; i < batch.size(); ++i) {
    HEARTH_CHECK(shape.size() >= batch.size() && (batch[i] == shape[extra + i] || batch[i] == 1), shape,
                 "categorical: shape must end with that of logits without the axis\n  shape is ",
                 TensorType{DType::i32, shape}, "\n  logits are ", logits.type());
  }
  const Dims prefix(shape.begin(), shape.begin() + int64_t(extra));
  return sample("categorical", key, [&](const Value& k) {
    const Value x = to_value(logits);
    if (options.replace) {
      Dims dims = shape;
      dims.insert(dims.begin() + int64_t(extra) + axis, n);
      const Value noise = gumbel_value(k, dims, x.dtype(), options.mode);
      return argmax(noise + x, int64_t(extra) + axis);
    }
    const int64_t count = num_elements(prefix);
    HEARTH_CHECK(count <= n, value, "categorical: cannot draw ", count, " of ", n, " categories without replacement");
    HEARTH_CHECK(Dims(shape.begin() + int64_t(extra), shape.end()) == batch, shape,
                 "categorical: without replacement shape must end with that of logits without the axis\n  shape is ",
                 TensorType{DType::i32, shape}, "\n  logits are ", logits.type());
    const Value best = top_k(x + gumbel_value(k, x.dims(), x.dtype(), options.mode), count, axis).indices;
    Dims order{axis};
    for (int64_t i = 0; i < best.rank(); ++i) {
      if (i != axis) order.push_back(i);
    }
    return reshape(transpose(best, order), shape);
  });
}

}  // namespace hearth::random
