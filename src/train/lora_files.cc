// SPDX-License-Identifier: Apache-2.0
// Adapters from and to PEFT folders.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "train/lora.h"
#include "train/lora_delta.h"
#include "train/lora_init.h"
#include "train/lora_weights.h"

namespace hearth {
namespace {

// PEFT puts a copy of the base weight into an adapter that tunes embedding or output layer, and reads it instead of the
// model's. One of the two must be the other, rounded to its dtype: Hearth takes A and B only.
void check_base_weight(const TensorRef& copy, const TensorRef& own, const std::string& module,
                       const std::string& folder) {
  int64_t different = 0;
  for (int64_t i = 0; i < copy.type.elements(); ++i) {
    const float there = load_float(copy, i), here = load_float(own, i);
    different += !(rounded_as(copy, here) == there || rounded_as(own, there) == here);
  }
  HEARTH_CHECK(different == 0, unsupported, "adapter: '", folder, "' brings a weight of its own for '", module,
               "', which is not the model's: ", different, " of ", copy.type.elements(), " numbers differ",
               "\n  hint: give --model the model that the adapter was tuned on");
}

const LinearModule& find_module(const std::vector<LinearModule>& modules, const std::string& name) {
  const auto found =
      std::find_if(modules.begin(), modules.end(), [&](const LinearModule& m) { return m.name == name; });
  HEARTH_CHECK(found != modules.end(), bug, "the model has no layer '", name, "'");
  return *found;
}

TensorRef reference(const AlignedFloats& values, Dims dims) {
  return {"", {DType::f32, std::move(dims)}, reinterpret_cast<const std::byte*>(values.data()), nullptr};
}

LoraMatrices matrices_of(const LoraPair& pair, const LoraConfig& config, const std::string& name) {
  const auto floats = [](const TensorRef& tensor) { return tensor.owner ? load_floats(tensor) : AlignedFloats{}; };
  return {.in = pair.a.type.dims[1],
          .out = pair.b.type.dims[0],
          .rank = pair.a.type.dims[0],
          .scale = config.scaling_of(name),
          .embedding = pair.embedding,
          .a = floats(pair.a),
          .b = floats(pair.b),
          .magnitude = floats(pair.magnitude),
          .b_bias = floats(pair.b_bias)};
}

// Rows of b0 are put behind those of b: [B, -B0], each [out,r]. Zeros where the layer's base weight is whole.
AlignedFloats beside(const LoraMatrices& m) {
  AlignedFloats joined(2 * m.b.size());
  for (int64_t o = 0; o < m.out; ++o) {
    float* row = joined.data() + 2 * o * m.rank;
    std::copy_n(m.b.data() + o * m.rank, m.rank, row);
    for (int64_t r = 0; r < m.rank && !m.b0.empty(); ++r) row[m.rank + r] = -m.b0[size_t(o * m.rank + r)];
  }
  return joined;
}

// Twice every rank, and every alpha grown so that the scales stay.
LoraConfig doubled(LoraConfig config) {
  const double growth = config.rslora ? std::sqrt(2) : 2;
  config.rank *= 2;
  config.alpha *= growth;
  for (auto& [key, rank] : config.rank_pattern) rank *= 2;
  for (auto& [key, alpha] : config.alpha_pattern) alpha *= growth;
  config.init = "default";
  return config;
}

// PEFT's default for the family; it has none for some families with experts, and those may be all that is tuned.
std::vector<std::string> targets_without_names(const Adapter& read, const ModelSpec& spec) {
  const bool experts_only = !read.config.parameters.empty() &&
                            std::all_of(read.modules.begin(), read.modules.end(),
                                        [&](const auto& m) { return parameter_matches(read.config, m.first); });
  return experts_only ? std::vector<std::string>{} : spec.default_targets;
}

}  // namespace

LoraAdapter LoraAdapter::load(const LanguageModel& model, const std::string& folder) {
  Adapter read = read_adapter(folder);
  if (read.config.family_targets) read.config.targets = targets_without_names(read, model.spec());
  const std::vector<LinearModule> modules = model.lora_modules();
  check_adapter(read, modules);
  for (const auto& [name, weight] : read.base_weights)
    check_base_weight(weight, model.tensor(model.weight_of(find_module(modules, name))), name, folder);
  LoraAdapter adapter;
  adapter.config_ = read.config;
  for (const auto& [name, pair] : read.modules) {
    const LinearModule& module = find_module(modules, name);
    check_layer(read.config, module);
    LoraMatrices& m = adapter.modules_[name] = matrices_of(pair, read.config, name);
    m.experts = module.experts;
    m.b_frozen = keeps_b(read.config.init);
    if (!takes_from_base(read.config.init)) continue;
    LoraMatrices begin = m;
    initialise(&begin, read.config, model.tensor(model.weight_of(module)), module, 0, 0);
    m.a0 = std::move(begin.a0);
    m.b0 = std::move(begin.b0);
  }
  adapter.weights_ = selected_weights(model, read.config);
  fill_weights(&adapter.weights_, read);
  return adapter;
}

LoraAdapter LoraAdapter::of(LoraConfig config, std::map<std::string, LoraMatrices> modules) {
  LoraAdapter adapter;
  adapter.config_ = std::move(config);
  adapter.modules_ = std::move(modules);
  return adapter;
}

LoraAdapter LoraAdapter::read(const std::string& folder) {
  const Adapter read = read_adapter(folder);
  HEARTH_CHECK(!takes_from_base(read.config.init), unsupported, "adapter: '", folder, "' is only valid on what ",
               read.config.init, " left of its model's weights", "\n  hint: load it with the model and save it again");
  HEARTH_CHECK(read.whole.empty() && read.tokens.empty(), unsupported, "adapter: '", folder,
               "' has weights in place of the model's, which cannot be read without it");
  HEARTH_CHECK(read.config.parameters.empty(), unsupported, "adapter: '", folder,
               "' tunes experts, whose number only the model says");
  std::map<std::string, LoraMatrices> modules;
  for (const auto& [name, pair] : read.modules) modules[name] = matrices_of(pair, read.config, name);
  return of(read.config, std::move(modules));
}

LoraAdapter LoraAdapter::for_whole_base() const {
  const bool whole = std::all_of(modules_.begin(), modules_.end(), [](const auto& m) { return m.second.a0.empty(); });
  if (whole) return *this;
  LoraAdapter copy = *this;
  copy.config_ = doubled(config_);
  for (auto& [name, m] : copy.modules_) {
    m.b = beside(m);
    m.a0.resize(m.a.size());
    m.a.insert(m.a.end(), m.a0.begin(), m.a0.end());
    m.rank *= 2;
    m.a0.clear();
    m.b0.clear();
  }
  return copy;
}

void LoraAdapter::save(const std::string& folder) const {
  const LoraAdapter plain = for_whole_base();
  Adapter out;
  out.config = plain.config_;
  const auto vector = [](const AlignedFloats& values) {
    return values.empty() ? TensorRef{} : reference(values, {int64_t(values.size())});
  };
  for (const auto& [name, m] : plain.modules_)
    out.modules[name] = {reference(m.a, {m.rank, m.in}), reference(m.b, {m.out, m.rank}), vector(m.magnitude),
                         vector(m.b_bias), m.embedding};
  for (const auto& [name, weight] : weights_) {
    if (weight.by_rows)
      out.tokens[name.substr(0, name.rfind('.'))] = reference(weight.values, weight.dims);
    else
      out.whole[name] = reference(weight.values, weight.dims);
  }
  write_adapter(folder, out);
}

// Takes [A; A0] and [B, -B0] of twice m's rank apart.
static void split(const LoraMatrices& joined, LoraMatrices* m) {
  std::copy_n(joined.a.begin(), m->a.size(), m->a.begin());
  if (!m->a0.empty()) std::copy_n(joined.a.begin() + int64_t(m->a.size()), m->a0.size(), m->a0.begin());
  for (int64_t o = 0; o < m->out; ++o) {
    const float* row = joined.b.data() + 2 * o * m->rank;
    std::copy_n(row, m->rank, m->b.data() + o * m->rank);
    for (int64_t r = 0; r < m->rank && !m->b0.empty(); ++r) m->b0[size_t(o * m->rank + r)] = -row[m->rank + r];
  }
}

void LoraAdapter::restore(LoraAdapter saved, const std::string& folder) {
  const bool whole = std::all_of(modules_.begin(), modules_.end(), [](const auto& m) { return m.second.a0.empty(); });
  for (auto& [name, m] : modules_) {
    const auto found = saved.modules_.find(name);
    if (whole || found == saved.modules_.end() || found->second.rank != 2 * m.rank) continue;
    LoraMatrices own = m;
    split(found->second, &own);
    m.a0 = own.a0;
    m.b0 = own.b0;
    found->second = std::move(own);
  }
  const std::vector<Trainable> from = saved.tensors(), to = tensors();
  for (size_t i = 0; i < to.size(); ++i) {
    HEARTH_CHECK(from.size() == to.size() && from[i].name == to[i].name && from[i].dims == to[i].dims, format,
                 "resume: the adapter in ", folder, " has no '", to[i].name, "' of shape ", ShowDims{to[i].dims});
    std::copy(from[i].values->begin(), from[i].values->end(), to[i].values->begin());
  }
}

}  // namespace hearth
