// SPDX-License-Identifier: Apache-2.0
#include "ops/random/random.h"

#include <cmath>

#include "base/error.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

Value random_bits(const Value& state, const Dims& dims, int64_t site) {
  return state.graph->add_all("rng_bit_generator", {state}, {{"shape", dims}, {"advance", site << 40}})[1];
}

Value uniform_noise(const Value& state, const Dims& dims, int64_t site) {
  const Value bits = random_bits(state, dims, site), eight = constant(*state.graph, 8, DType::u32);
  return convert(shift_right_logical(bits, eight), DType::f32) * 0x1p-23 - 1.0;
}

Value dropout(const Value& x, double rate, const Value& state, int64_t site) {
  HEARTH_CHECK(rate >= 0 && rate < 1, value, "dropout: rate ", rate, " is not in [0, 1)");
  if (rate == 0) return x;
  const double threshold = std::floor(rate * 0x1p32);  // bits below it fall
  const Value limit = constant(*x.graph, threshold, DType::u32);
  const Value keep = compare("GE", random_bits(state, x.dims(), site), limit);
  return select(keep, x * (1 / (1 - rate)), scalar_like(x, 0));
}

Value threefry_bits(const Value& key, const Dims& dims, DType dtype, std::optional<Value> counter) {
  if (!counter) {
    Dims keys = key.dims();
    if (!keys.empty()) keys.pop_back();
    counter = constant(*key.graph, 0, DType::u64, keys);
  }
  return key.graph->add("threefry_bits", {key, *counter}, {{"shape", dims}, {"width", 8 * size_bytes(dtype)}});
}

Value threefry_words(const Value& key, const Dims& dims, std::optional<Value> counter) {
  const Value low_first = bitcast_convert(threefry_bits(key, dims, DType::u64, counter), DType::u32);
  return reverse(low_first, {low_first.rank() - 1});
}

static std::vector<TensorType> infer_threefry_bits(const InferArgs& args) {
  const Value &key = args.in[0], &counter = args.in[1];
  HEARTH_CHECK(key.rank() > 0 && key.dim(-1) == 2, shape, args.op, ": a key has two words; key is ", key);
  HEARTH_CHECK(key.dtype() == DType::u32, dtype, args.op, ": key must be u32; it is ", key);
  TensorType type{DType::u64, key.dims()};
  type.dims.pop_back();
  HEARTH_CHECK(counter.type() == type, shape, args.op, ": counter must be ", type, "; it is ", counter, "\n  key is ",
               key);
  const int64_t width = args.attrs.integer("width");
  HEARTH_CHECK(width == 8 || width == 16 || width == 32 || width == 64, value, args.op, ": width ", width,
               " is not 8, 16, 32 or 64");
  for (const int64_t size : args.attrs.list("shape")) {
    HEARTH_CHECK(size >= 0, value, "random: a size is negative: ", ShowDims{args.attrs.list("shape")});
    type.dims.push_back(size);
  }
  type.dtype = width == 8 ? DType::u8 : width == 16 ? DType::u16 : width == 32 ? DType::u32 : DType::u64;
  return {type};
}

static void batch_threefry_bits(BatchArgs& b) {
  b.out = b.graph.add_all("threefry_bits", {b.with_batch(0), b.with_batch(1)}, b.node.attrs);
}

std::vector<OpInfo> random_ops() {
  OpInfo bits{.name = "rng_bit_generator",
              .doc = "Threefry-2x32 random bits",
              .infer = [](const InferArgs& args) -> std::vector<TensorType> {
                HEARTH_CHECK(args.in[0].type() == (TensorType{DType::u64, {2}}), shape, args.op,
                             ": state must be u64[2]; it is ", args.in[0]);
                return {args.in[0].type(), {DType::u32, args.attrs.list("shape")}};
              },
              .differentiable = false};
  bits.offers = {{"cpu", "rng_bit_generator", nullptr}};
  OpInfo threefry{.name = "threefry_bits",
                  .doc = "Threefry-2x32 random bits for keys, as in JAX",
                  .infer = infer_threefry_bits,
                  .batch = batch_threefry_bits,
                  .differentiable = false};
  threefry.offers = {{"cpu", "threefry_bits", nullptr}};
  return {bits, threefry};
}

}  // namespace hearth
