// SPDX-License-Identifier: Apache-2.0
#include "models/model_spec.h"

#include <algorithm>

namespace hearth {
namespace {

using LinearVisit = std::function<void(const LinearSpec&)>;
using NormVisit = std::function<void(const NormSpec&)>;

void each_linear_of(const MlpSpec& mlp, const LinearVisit& visit) {
  for (const LinearSpec* linear : {&mlp.gate, &mlp.up, &mlp.down}) visit(*linear);
}

void each_linear_of(const LayerSpec& layer, const LinearVisit& visit) {
  const AttentionSpec& a = layer.attention;
  for (const LinearSpec* linear : {&a.q, &a.k, &a.v, &a.out}) visit(*linear);
  if (!layer.experts) return each_linear_of(layer.mlp, visit);
  each_linear_of(layer.experts->shared, visit);
  visit(layer.experts->shared_gate);
}

void add_expert_weights(const ExpertsSpec& experts, int64_t hidden, std::vector<WeightSpec>* weights) {
  weights->push_back({experts.router + ".weight", {experts.count, hidden}});
  for (const MlpSpec& expert : experts.all) {
    each_linear_of(expert, [&](const LinearSpec& linear) {
      weights->push_back({linear.name + ".weight", {linear.out, linear.in}});
    });
  }
}

void add_norm_weights(const NormSpec& norm, std::vector<WeightSpec>* weights) {
  if (norm.by_head) {
    for (int64_t h = 0; h < norm.dims[0]; ++h)
      weights->push_back({norm.name + ".norms." + std::to_string(h) + ".weight", {norm.dims[1]}});
    return;
  }
  if (norm.weight) weights->push_back({norm.name + ".weight", norm.dims});
  if (norm.bias) weights->push_back({norm.name + ".bias", norm.dims});
}

std::string replaced(std::string text, const std::pair<std::string, std::string>& part) {
  const size_t at = text.find(part.first);
  return at == std::string::npos ? text : text.replace(at, part.first.size(), part.second);
}

}  // namespace

void each_linear(const ModelSpec& spec, const LinearVisit& visit) {
  const LinearVisit there = [&](const LinearSpec& linear) {
    if (!linear.name.empty()) visit(linear);
  };
  there(spec.project_in);
  for (const LayerSpec& layer : spec.layers) each_linear_of(layer, there);
  there(spec.project_out);
  there(spec.output);
}

void each_norm(const ModelSpec& spec, const NormVisit& visit) {
  const NormVisit there = [&](const NormSpec& norm) {
    if (norm.kind != NormKind::none) visit(norm);
  };
  there(spec.embedding_norm);
  for (const LayerSpec& layer : spec.layers) {
    for (const SubLayerNorms* norms : {&layer.attention_norms, &layer.mlp_norms}) {
      for (const NormSpec* norm : {&norms->before, &norms->after, &norms->outside}) there(*norm);
    }
    there(layer.attention.q_norm);
    there(layer.attention.k_norm);
  }
  there(spec.final_norm);
}

std::vector<WeightSpec> weights_of(const ModelSpec& spec) {
  std::vector<WeightSpec> weights = {{spec.embedding + ".weight", {spec.vocab, spec.embedding_size}}};
  if (!spec.position_table.empty())
    weights.push_back({spec.position_table + ".weight", {spec.max_positions + spec.position_offset, spec.hidden}});
  each_norm(spec, [&](const NormSpec& norm) { add_norm_weights(norm, &weights); });
  each_linear(spec, [&](const LinearSpec& l) {
    if (&l != &spec.output || !spec.tied)
      weights.push_back({l.name + ".weight", l.transposed ? Dims{l.in, l.out} : Dims{l.out, l.in}});
    if (l.bias) weights.push_back({l.name + ".bias", {l.out}});
  });
  for (const LayerSpec& layer : spec.layers) {
    if (layer.experts) add_expert_weights(*layer.experts, spec.hidden, &weights);
  }
  return weights;
}

std::vector<LinearModule> linear_modules_of(const ModelSpec& spec) {
  std::vector<LinearModule> modules;
  each_linear(spec, [&](const LinearSpec& l) {
    modules.push_back({l.name, l.out, l.in, &l == &spec.output, l.transposed});
  });
  return modules;
}

std::vector<LinearModule> lora_modules_of(const ModelSpec& spec) {
  std::vector<LinearModule> modules = linear_modules_of(spec);
  modules.insert(
      modules.begin(),
      {.name = spec.embedding, .out = spec.embedding_size, .in = spec.vocab, .transposed = true, .is_embedding = true});
  for (const LayerSpec& layer : spec.layers) {
    if (!layer.experts) continue;
    const ExpertsSpec& experts = *layer.experts;
    const LinearSpec &up = experts.all[0].up, &down = experts.all[0].down;
    modules.push_back(
        {.name = experts.name + ".gate_up_proj", .out = 2 * up.out, .in = up.in, .experts = experts.count});
    modules.push_back({.name = experts.name + ".down_proj", .out = down.out, .in = down.in, .experts = experts.count});
  }
  return modules;
}

std::vector<std::string> stored_names(const ModelSpec& spec, const std::string& weight) {
  std::vector<std::string> names = {weight};
  std::string other = weight;
  for (const auto& part : spec.file_names) other = replaced(other, part);
  if (other != weight) names.insert(names.begin(), other);
  for (size_t i = 0, count = names.size(); i < count; ++i) {
    if (names[i].rfind(spec.prefix, 0) == 0) names.push_back(names[i].substr(spec.prefix.size()));
  }
  return names;
}

}  // namespace hearth
