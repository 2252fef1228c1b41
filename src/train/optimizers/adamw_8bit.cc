// SPDX-License-Identifier: Apache-2.0
// AdamW whose moments are 8 bits a number: blocks of 256 share a scale, their largest absolute value, and a number is
// the nearest of 256 in [0,1] (v) or [-1,1] (m): seven decades from 1e-6 to 1, each cut in twice as many equal parts as
// the one below, the middles of which are the values; besides 0 and 1.
// Source: Dettmers et al. 2022, arXiv:2110.02861, sections 2 and 3, and the "dynamic map" of bitsandbytes, whose codes
// these are: the values' places in rising order.
#include <cmath>

#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "train/optimizers/optimizer.h"

namespace hearth {
namespace {

constexpr int64_t kBlock = 256;
constexpr int kDecades = 7;

int64_t blocks_of(const TrainedTensor& tensor) { return (tensor.size() + kBlock - 1) / kBlock; }

// The decades of a map: number i holds first * 2^i values in (10^(i-7), 10^(i-6)]. Values count from 1 over all decades
// when first is 1, from 2 when it is 2: then first * 2^i is also the number of decade i's first value.
struct DynamicMap {
  double first;
  double parts(int decade) const { return first * double(1 << decade); }
  static double top(int decade) { return std::pow(10.0, decade - (kDecades - 1)); }
  double value(int decade, double part) const { return top(decade) * (0.1 + 0.9 * (part + 0.5) / parts(decade)); }
  double last(int decade) const { return value(decade, parts(decade) - 1); }
};
constexpr DynamicMap kUnsigned{2}, kSigned{1};

// Of the decade that `x` lies in: by_decade(i) where x >= border(i), the last of them.
template <class ByDecade, class Border>
Value choose(const Value& x, ByDecade by_decade, Border border) {
  Value chosen = scalar_like(x, by_decade(0));
  for (int i = 1; i < kDecades; ++i)
    chosen = select(compare("GE", x, constant(*x.graph, border(i))), scalar_like(x, by_decade(i)), chosen);
  return chosen;
}

// The number of the nearest value to |x| <= 1: 0 for 0, first * 2^7 for 1.
Value nearest(const Value& magnitude, const DynamicMap& map) {
  const auto parts = [&](int i) { return map.parts(i); };
  const auto border = [&](int i) { return (map.last(i - 1) + map.value(i, 0)) / 2; };
  const Value count = choose(magnitude, parts, border);
  const Value inverse_top = choose(
      magnitude, [&](int i) { return 1 / map.top(i); }, border);
  const Value part = floor((magnitude * inverse_top - 0.1) * (1 / 0.9) * count);
  const Value number = count + clamp(scalar_like(part, 0), part, count - 1.0);
  const auto at_least = [&](double limit) { return compare("GE", magnitude, constant(*magnitude.graph, limit)); };
  const Value above_zero = select(at_least(map.value(0, 0) / 2), number, scalar_like(number, 0));
  const double one = map.parts(kDecades);
  return select(at_least((map.last(kDecades - 1) + 1) / 2), scalar_like(number, one), above_zero);
}

// The value of that number.
Value value_of(const Value& number, const DynamicMap& map) {
  const auto parts = [&](int i) { return map.parts(i); };
  const Value count = choose(number, parts, parts);
  const Value top = choose(
      number, [&](int i) { return map.top(i); }, parts);
  const Value value = top * (0.1 + 0.9 * ((number - count + 0.5) / count));
  const auto at_least = [&](double limit) { return compare("GE", number, constant(*number.graph, limit)); };
  const Value above_zero = select(at_least(map.first), value, scalar_like(value, 0));
  return select(at_least(map.parts(kDecades)), scalar_like(value, 1), above_zero);
}

// m: codes 128 .. 255 are the numbers 1 .. 128, 127 is 0, 126 .. 0 are the numbers -1 .. -127.
Value decode_signed(const Value& codes, const Value& scales) {
  const Value number = convert(codes, DType::f32) - 127.0;
  return sign(number) * value_of(abs(number), kSigned) * scales;
}
Value encode_signed(const Value& x) {  // in [-1,1]
  const Value positive = nearest(abs(x), kSigned);
  const Value negative = minimum(positive, scalar_like(positive, 127));
  const Value below = compare("LT", x, constant(*x.graph, 0));
  return convert(select(below, 127.0 - negative, positive + 127.0), DType::u8);
}

// v: codes are the numbers, less 1 where not 0.
Value decode_unsigned(const Value& codes, const Value& scales) {
  return value_of(convert(codes, DType::f32) + 1.0, kUnsigned) * scales;
}
Value encode_unsigned(const Value& x) {  // in [0,1]
  return convert(maximum(nearest(x, kUnsigned) - 1.0, scalar_like(x, 0)), DType::u8);
}

// x / scale, 0 where the whole block is. No product with 1 / scale, which overflows below 1e-38.
Value scaled(const Value& x, const Value& scales) {
  const Value some = compare("GT", scales, constant(*x.graph, 0));
  return x / select(some, scales, scalar_like(scales, 1));
}

// As [blocks,256], zeros behind the end.
Value in_blocks(const Value& x, int64_t blocks) {
  const int64_t missing = blocks * kBlock - num_elements(x.dims());
  Value flat = reshape(x, {-1});
  if (missing > 0) flat = pad(flat, constant(*x.graph, 0), {.low = {0}, .high = {missing}, .interior = {0}});
  return reshape(flat, {blocks, kBlock});
}
Value from_blocks(const Value& x, const Dims& dims) {
  const int64_t size = num_elements(dims);
  const Value flat = reshape(x, {-1});
  return reshape(size == flat.dim(0) ? flat : slice(flat, {0}, {size}), dims);
}

}  // namespace

std::vector<StateSpec> adamw_8bit_states(const TrainedTensor& tensor) {
  const TensorType codes{DType::u8, {blocks_of(tensor), kBlock}}, scales{DType::f32, {blocks_of(tensor), 1}};
  return {{"m", codes}, {"m_scale", scales}, {"v", codes}, {"v_scale", scales}};
}

// The step is made from the new moments before they are rounded, as in the paper.
Update adamw_8bit_update(const UpdateArgs& args) {
  const OptimizerOptions& o = args.options;
  const std::vector<Value>& s = args.states;
  const Value g = in_blocks(args.gradient, blocks_of(args.tensor));
  const Value m = decode_signed(s[0], s[1]) * o.beta1 + g * (1 - o.beta1);
  const Value v = decode_unsigned(s[2], s[3]) * o.beta2 + g * g * (1 - o.beta2);
  const Value m_scale = max_last(abs(m)), v_scale = max_last(v);
  const Value step = args.rate / args.first * m / (sqrt(v) / sqrt(args.second) + o.eps);
  return {decayed(args) - from_blocks(step, args.tensor.dims),
          {encode_signed(scaled(m, m_scale)), m_scale, encode_unsigned(scaled(v, v_scale)), v_scale}};
}

}  // namespace hearth
