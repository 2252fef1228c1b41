// SPDX-License-Identifier: Apache-2.0
#include "models/initial_weights.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/threads.h"
#include "ops/random/threefry.h"

namespace hearth {

// Families whose embedding knows no padding token.
static bool has_padding_row(const std::string& family) {
  static const char* const kWithout[] = {"bloom", "falcon", "gpt2", "gpt_bigcode", "gpt_neox"};
  return std::find(std::begin(kWithout), std::end(kWithout), family) == std::end(kWithout);
}

InitialWeights::InitialWeights(const ModelSpec& spec, const JsonView& config) {
  const double range =
      config.number_or("initializer_range", config.number_or("init_std", 0.02, {.min = 0}), {.min = 0});
  if (range > 0) deviation_ = range;
  each_norm(spec, [&](const NormSpec& norm) {
    const float one = float(1 - norm.offset);
    for (int64_t h = 0; norm.by_head && h < norm.dims[0]; ++h)
      constants_[norm.name + ".norms." + std::to_string(h) + ".weight"] = one;
    constants_[norm.name + ".weight"] = one;
  });
  for (const LayerSpec& layer : spec.layers) {
    if (spec.family != "gpt2" && spec.family != "gpt_bigcode") break;
    for (const LinearSpec* linear : {&layer.attention.out, &layer.mlp.down})
      deviations_[linear->name + ".weight"] = deviation_ / std::sqrt(2.0 * double(spec.layers.size()));
  }
  if (!has_padding_row(spec.family) || !config.has("pad_token_id")) return;
  padded_ = spec.embedding + ".weight";
  padding_ = config.integer_or("pad_token_id", -1, {.min = -spec.vocab, .max = spec.vocab - 1});
  if (padding_ < 0) padding_ += spec.vocab;  // as PyTorch counts
}

// Two normal numbers from 64 random bits. Source: Box and Muller 1958.
static void normal_pair(const ThreefryBlock& bits, double deviation, float* first, float* second) {
  const double radius = deviation * std::sqrt(-2 * std::log((double(bits.x0) + 1) * 0x1p-32));
  const double angle = 2 * std::numbers::pi * double(bits.x1) * 0x1p-32;
  *first = float(radius * std::cos(angle));
  *second = float(radius * std::sin(angle));
}

void InitialWeights::draw(const WeightSpec& weight, uint64_t seed, uint32_t number, std::span<float> values) const {
  const auto constant = constants_.find(weight.name);
  if (constant != constants_.end() || weight.name.ends_with(".bias")) {
    std::fill(values.begin(), values.end(), constant == constants_.end() ? 0.0f : constant->second);
    return;
  }
  const auto own = deviations_.find(weight.name);
  const double deviation = own == deviations_.end() ? deviation_ : own->second;
  const uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32) ^ number;
  const int64_t pairs = (int64_t(values.size()) + 1) / 2;
  parallel_ranges(pairs, 4096, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      float pair[2];
      normal_pair(threefry2x32(key0, key1, uint32_t(i), uint32_t(i >> 32)), deviation, &pair[0], &pair[1]);
      for (size_t k = 0; k < 2 && size_t(2 * i) + k < values.size(); ++k) values[size_t(2 * i) + k] = pair[k];
    }
  });
  if (weight.name != padded_) return;
  const std::span<float> row = values.subspan(size_t(padding_ * weight.dims[1]), size_t(weight.dims[1]));
  std::fill(row.begin(), row.end(), 0.0f);
}

}  // namespace hearth
