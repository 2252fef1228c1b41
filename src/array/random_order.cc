// SPDX-License-Identifier: Apache-2.0
// Permutations and choices.
// Source: jax/_src/random/core.py of JAX 0.10.
#include <cmath>

#include "array/random.h"
#include "array/random_values.h"
#include "ops/cumulative/cumulative.h"
#include "ops/gather/gather.h"
#include "ops/sort/sort.h"

namespace hearth::random {
namespace {

int64_t axis_of(const char* name, const Array& x, int64_t axis) {
  HEARTH_CHECK(axis >= -x.ndim() && axis < x.ndim(), value, name, ": axis ", axis, " does not exist in ", x.type());
  return axis < 0 ? axis + x.ndim() : axis;
}

// Sorted by random 32-bit keys, again and again until equal keys in every round are unlikely. The sort is stable.
Value shuffled(Value key, Value x, int64_t axis) {
  const double size = double(std::max<int64_t>(1, x.type().elements()));
  const int rounds = int(std::ceil(3 * std::log(size) / std::log(4294967295.0)));
  for (int i = 0; i < rounds; ++i) {
    const Values keys = split_keys(key, 2);
    key = keys[0];
    x = sort_by_keys({threefry_bits(keys[1], x.dims()), x}, axis)[1];
  }
  return x;
}

Value permuted(const Value& key, const Value& x, int64_t axis, bool independent) {
  if (independent || x.rank() == 1) return shuffled(key, x, axis);
  const Value order = shuffled(key, iota(*x.graph, DType::i32, {x.dim(axis)}, 0), 0);
  return take(x, order, axis);
}

// For each y how many of x, which rises, are smaller: by halves, all y at once.
Value count_below(const Value& x, const Value& y) {
  const int64_t n = x.dim(0);
  Value count = constant(*x.graph, 0, DType::i32, y.dims());
  int64_t step = 1;
  while (2 * step <= n) step *= 2;
  for (; step > 0; step /= 2) {
    const Value next = count + double(step);
    const Value fits = compare("LE", next, scalar_like(next, double(n)));
    count = select(fits & compare("LT", take(x, next - 1.0, 0), y), next, count);
  }
  return count;
}

struct Draw {
  int64_t population;
  const Dims& shape;
  const ChoiceOptions& options;
};

// Probabilities of the population as floats, not normed.
Value weights(const Draw& d) {
  const Array& p = *d.options.p;
  return to_value(p, is_float(p.dtype()) && !p.weak() ? p.dtype() : DType::f32);
}

// Numbers below the population, of the shape; for drawing with probabilities or with replacement.
Value drawn(const Value& key, const Draw& d) {
  Graph& graph = *key.graph;
  if (!d.options.p) {
    const auto number = [&](int64_t x) {
      return graph.add("constant", {}, {{"dtype", int64_t(DType::i32)}, {"shape", Dims{}}, {"values", Dims{x}}});
    };
    return randint_value(key, d.shape, number(0), number(d.population), DType::i32);
  }
  const Value p = weights(d);
  if (d.options.replace) {
    const Value sums = cumsum(p, 0), total = reshape(slice_axis(sums, 0, d.population - 1, d.population), {});
    return count_below(sums, total * (1.0 - unit_floats(key, d.shape, p.dtype())));
  }
  const Value noise = gumbel_value(key, {d.population}, p.dtype(), d.options.mode);
  return reshape(top_k(noise + log(p), num_elements(d.shape)).indices, d.shape);
}

void check_draw(const Draw& d) {
  const int64_t count = num_elements(d.shape);
  HEARTH_CHECK(d.population > 0 && d.population <= INT32_MAX, value, "choice: cannot draw from ", d.population,
               " elements");
  HEARTH_CHECK(d.options.replace || count <= d.population, value, "choice: cannot draw ", count, " of ", d.population,
               " elements without replacement");
  if (!d.options.p) return;
  const Array& p = *d.options.p;
  HEARTH_CHECK(!is_complex(p.dtype()), dtype, "choice: p must be real; it is ", p.type());
  HEARTH_CHECK(p.shape() == Dims{d.population}, shape, "choice: p must have one number for each of ", d.population,
               " elements; it is ", p.type());
}

}  // namespace

Array permutation(const Array& key, int64_t count) {
  HEARTH_CHECK(count >= 0 && count <= INT32_MAX, value, "permutation: of ", count, " numbers");
  return sample("permutation", key,
                [&](const Value& k) { return shuffled(k, iota(*k.graph, DType::i32, {count}, 0), 0); });
}

Array permutation(const Array& key, const Array& x, const PermutationOptions& options) {
  const int64_t axis = axis_of("permutation", x, options.axis);
  return sample("permutation", key,
                [&](const Value& k) { return permuted(k, to_value(x), axis, options.independent); });
}

Array choice(const Array& key, int64_t count, const Dims& shape, const ChoiceOptions& options) {
  const Draw draw{count, shape, options};
  if (num_elements(shape) > 0) check_draw(draw);
  return sample("choice", key, [&](const Value& k) {
    if (num_elements(shape) == 0) return constant(*k.graph, 0, DType::i32, shape);
    if (options.replace || options.p) return drawn(k, draw);
    const Value order = shuffled(k, iota(*k.graph, DType::i32, {count}, 0), 0);
    return reshape(slice_axis(order, 0, 0, num_elements(shape)), shape);
  });
}

Array choice(const Array& key, const Array& a, const Dims& shape, const ChoiceOptions& options) {
  const int64_t axis = axis_of("choice", a, options.axis), count = num_elements(shape);
  const Draw draw{a.dim(axis), shape, options};
  Dims dims = a.shape();
  dims.erase(dims.begin() + axis);
  dims.insert(dims.begin() + axis, shape.begin(), shape.end());
  if (count > 0) check_draw(draw);
  return sample("choice", key, [&](const Value& k) {
    const Value x = to_value(a);
    if (count == 0) return constant(*k.graph, 0, x.dtype(), dims);
    if (options.replace || options.p) return reshape(take(x, drawn(k, draw), axis), dims);
    return reshape(slice_axis(permuted(k, x, axis, false), axis, 0, count), dims);
  });
}

}  // namespace hearth::random
