// SPDX-License-Identifier: Apache-2.0
// Adapters from and to PEFT folders.
#include <algorithm>

#include "base/error.h"
#include "train/lora.h"
#include "train/lora_delta.h"
#include "train/lora_weights.h"

namespace hearth {
namespace {

// PEFT puts a copy of the output layer's weight into an adapter that tunes it, and reads it instead of the model's.
// It must be the model's, rounded to the copy's dtype: Hearth takes A and B only.
void check_base_weight(const TensorRef& copy, const TensorRef& own, const std::string& module,
                       const std::string& folder) {
  int64_t different = 0;
  std::byte rounded[4] = {};
  const TensorRef one{"", {copy.type.dtype, {1}}, rounded, nullptr};
  for (int64_t i = 0; i < copy.type.elements(); ++i) {
    store_float(copy.type.dtype, rounded, 0, load_float(own, i));
    different += !(load_float(one, 0) == load_float(copy, i));
  }
  HEARTH_CHECK(different == 0, unsupported, "adapter: '", folder, "' brings a weight of its own for '", module,
               "', which is not the model's: ", different, " of ", copy.type.elements(), " numbers differ",
               "\n  hint: give --model the model that the adapter was tuned on");
}

const LinearModule& find_module(const std::vector<LinearModule>& modules, const std::string& name) {
  const auto found =
      std::find_if(modules.begin(), modules.end(), [&](const LinearModule& m) { return m.name == name; });
  HEARTH_CHECK(found != modules.end(), bug, "the model has no linear layer '", name, "'");
  return *found;
}

TensorRef reference(const AlignedFloats& values, Dims dims) {
  return {"", {DType::f32, std::move(dims)}, reinterpret_cast<const std::byte*>(values.data()), nullptr};
}

}  // namespace

LoraAdapter LoraAdapter::load(const LanguageModel& model, const std::string& folder) {
  Adapter read = read_adapter(folder);
  if (read.config.family_targets) read.config.targets = model.spec().default_targets;
  const std::vector<LinearModule> modules = model.linear_modules();
  check_adapter(read, modules);
  for (const auto& [name, weight] : read.base_weights)
    check_base_weight(weight, model.tensor(model.weight_of(find_module(modules, name))), name, folder);
  LoraAdapter adapter;
  adapter.config_ = read.config;
  const auto floats = [](const TensorRef& tensor) { return tensor.owner ? load_floats(tensor) : AlignedFloats{}; };
  for (const auto& [name, pair] : read.modules) {
    check_layer(read.config, find_module(modules, name));
    adapter.modules_[name] = {.in = pair.a.type.dims[1],
                              .out = pair.b.type.dims[0],
                              .rank = pair.a.type.dims[0],
                              .scale = read.config.scaling_of(name),
                              .a = floats(pair.a),
                              .b = floats(pair.b),
                              .magnitude = floats(pair.magnitude),
                              .b_bias = floats(pair.b_bias)};
  }
  adapter.weights_ = selected_weights(model, read.config);
  fill_weights(&adapter.weights_, read);
  return adapter;
}

void LoraAdapter::save(const std::string& folder) const {
  Adapter out;
  out.config = config_;
  const auto vector = [](const AlignedFloats& values) {
    return values.empty() ? TensorRef{} : reference(values, {int64_t(values.size())});
  };
  for (const auto& [name, m] : modules_)
    out.modules[name] = {reference(m.a, {m.rank, m.in}), reference(m.b, {m.out, m.rank}), vector(m.magnitude),
                         vector(m.b_bias)};
  for (const auto& [name, weight] : weights_) {
    if (weight.by_rows)
      out.tokens[name.substr(0, name.rfind('.'))] = reference(weight.values, weight.dims);
    else
      out.whole[name] = reference(weight.values, weight.dims);
  }
  write_adapter(folder, out);
}

}  // namespace hearth
