// SPDX-License-Identifier: Apache-2.0
#include "models/experts_layout.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {

constexpr IntegerRange kCount{.min = 1, .max = 4096};

void make_experts(const ExpertsOptions& o, int64_t hidden, LayerSpec* layer) {
  const std::string name = layer->name + ".mlp";
  ExpertsSpec experts{
      .count = o.count, .used = o.used, .normalize = o.normalize, .router = name + ".gate", .name = name + ".experts"};
  for (int64_t e = 0; e < o.count; ++e) {
    const std::string expert = name + ".experts." + std::to_string(e) + ".";
    experts.all.push_back({.gate = {expert + o.gate, o.ffn, hidden},
                           .up = {expert + o.up, o.ffn, hidden},
                           .down = {expert + o.down, hidden, o.ffn},
                           .activation = layer->mlp.activation});
  }
  layer->experts = std::move(experts);
}

ExpertsOptions read_qwen_experts(const JsonView& config, int64_t count, int64_t used, int64_t ffn) {
  const char* count_key = config.has("num_local_experts") ? "num_local_experts" : "num_experts";
  ExpertsOptions o;
  o.count = config.integer_or(count_key, count, {.min = 0, .max = kCount.max});
  o.used = config.integer_or("num_experts_per_tok", used, kCount);
  o.ffn = config.integer_or("moe_intermediate_size", ffn, {.min = 1, .max = int64_t(1) << 32});
  o.normalize = config.boolean_or("norm_topk_prob", false);
  HEARTH_CHECK(o.count == 0 || o.used <= o.count, format, config.file(), ": num_experts_per_tok ", o.used,
               " is more than the ", o.count, " experts there are");
  return o;
}

bool qwen_layer_has_experts(const JsonView& config, size_t layer) {
  const int64_t step = config.integer_or("decoder_sparse_step", 1, {.min = 1});
  std::vector<int64_t> plain;
  if (config.has("mlp_only_layers")) plain = config.integers("mlp_only_layers", {.min = 0});
  return std::find(plain.begin(), plain.end(), int64_t(layer)) == plain.end() && int64_t(layer + 1) % step == 0;
}

}  // namespace hearth
