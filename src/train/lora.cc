// SPDX-License-Identifier: Apache-2.0
#include "train/lora.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "io/config_names.h"
#include "io/nearest.h"
#include "io/save_model_folder.h"
#include "ops/random/threefry.h"

namespace hearth {
namespace {

float load_float(const TensorRef& tensor, int64_t i) {
  const std::byte* at = tensor.data + i * size_bytes(tensor.type.dtype);
  uint16_t half;
  float single;
  switch (tensor.type.dtype) {
    case DType::f32: std::memcpy(&single, at, 4); return single;
    case DType::bf16: std::memcpy(&half, at, 2); return float(std::bit_cast<bf16>(half));
    default: std::memcpy(&half, at, 2); return f16_to_f32(half);
  }
}

AlignedFloats load_floats(const TensorRef& tensor) {
  AlignedFloats values(size_t(tensor.type.elements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = load_float(tensor, int64_t(i));
  return values;
}

void store_float(DType dtype, std::byte* out, int64_t i, float x) {
  const uint16_t half = dtype == DType::bf16 ? bf16(x).bits : dtype == DType::f16 ? f32_to_f16(x) : 0;
  if (dtype == DType::f32)
    std::memcpy(out + i * 4, &x, 4);
  else
    std::memcpy(out + i * 2, &half, 2);
}

const LinearModule& find_module(const std::vector<LinearModule>& modules, const std::string& name) {
  const auto found =
      std::find_if(modules.begin(), modules.end(), [&](const LinearModule& m) { return m.name == name; });
  HEARTH_CHECK(found != modules.end(), bug, "the model has no linear layer '", name, "'");
  return *found;
}

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

TensorRef reference(const AlignedFloats& values, Dims dims) {
  return {"", {DType::f32, std::move(dims)}, reinterpret_cast<const std::byte*>(values.data()), nullptr};
}

}  // namespace

LoraAdapter LoraAdapter::create(const LanguageModel& model, const LoraConfig& config, uint64_t seed) {
  HEARTH_CHECK(config.rank > 0, value, "lora: rank must be at least 1; it is ", config.rank);
  HEARTH_CHECK(config.dropout >= 0 && config.dropout < 1, value, "lora: dropout must be in [0, 1); it is ",
               config.dropout);
  LoraAdapter adapter;
  adapter.config_ = config;
  if (config.family_targets) adapter.config_.targets = model.spec().default_targets;
  std::vector<std::string> names;
  uint64_t number = 0;
  for (const LinearModule& module : model.linear_modules()) {
    ++number;
    const std::string last = module.name.substr(module.name.rfind('.') + 1);
    if (std::find(names.begin(), names.end(), last) == names.end()) names.push_back(last);
    if (!target_matches(adapter.config_, module.name, module.is_output_embedding)) continue;
    adapter.config_.fan_in_fan_out |= module.transposed;
    LoraMatrices m{module.in, module.out, config.rank, {}, {}};
    m.a.resize(size_t(config.rank * module.in));
    m.b.assign(size_t(module.out * config.rank), 0.0f);
    const float bound = 1 / std::sqrt(float(module.in));  // kaiming_uniform with a = sqrt(5)
    for (size_t i = 0; i < m.a.size(); ++i) {
      const ThreefryBlock bits = threefry2x32(uint32_t(seed), uint32_t(seed >> 32), uint32_t(i), uint32_t(number));
      m.a[i] = (float(bits.x0 >> 8) * 0x1p-23f - 1.0f) * bound;
    }
    adapter.modules_[module.name] = std::move(m);
  }
  HEARTH_CHECK(!adapter.modules_.empty(), value, "lora: no linear layer of the model matches the targets\n  there are ",
               list_names(names, names.size()));
  return adapter;
}

LoraAdapter LoraAdapter::load(const LanguageModel& model, const std::string& folder) {
  Adapter read = read_adapter(folder);
  if (read.config.family_targets) read.config.targets = model.spec().default_targets;
  const std::vector<LinearModule> modules = model.linear_modules();
  check_adapter(read, modules);
  for (const auto& [name, weight] : read.base_weights)
    check_base_weight(weight, model.tensor(model.weight_of(find_module(modules, name))), name, folder);
  LoraAdapter adapter;
  adapter.config_ = read.config;
  for (const auto& [name, pair] : read.modules) {
    adapter.modules_[name] = {pair.a.type.dims[1], pair.b.type.dims[0], pair.a.type.dims[0], load_floats(pair.a),
                              load_floats(pair.b)};
  }
  return adapter;
}

void LoraAdapter::save(const std::string& folder) const {
  LoraPairs pairs;
  for (const auto& [name, m] : modules_)
    pairs[name] = {reference(m.a, {m.rank, m.in}), reference(m.b, {m.out, m.rank})};
  write_adapter(folder, config_, pairs);
}

int64_t LoraAdapter::parameters() const {
  int64_t count = 0;
  for (const auto& [name, m] : modules_) count += int64_t(m.a.size() + m.b.size());
  return count;
}

// Row o of W' = round(f32(W) + (B A)[o,:] * scale). Each element's products are summed in f32 over rising r, as the
// real library's matmul of so thin a matrix does. `transposed`: W is stored [in,out].
static void merge_rows(const TensorRef& base, const LoraMatrices& m, float scale, bool transposed, std::byte* out) {
  const DType dtype = base.type.dtype;
  parallel_ranges(m.out, 16, [&](int64_t begin, int64_t end, int) {
    std::vector<float> delta(static_cast<size_t>(m.in));
    for (int64_t o = begin; o < end; ++o) {
      std::fill(delta.begin(), delta.end(), 0.0f);
      for (int64_t r = 0; r < m.rank; ++r) {
        const float b = m.b[size_t(o * m.rank + r)];
        for (int64_t i = 0; i < m.in; ++i) delta[size_t(i)] = std::fma(b, m.a[size_t(r * m.in + i)], delta[size_t(i)]);
      }
      for (int64_t i = 0; i < m.in; ++i) {
        const int64_t at = transposed ? i * m.out + o : o * m.in + i;
        const float product = delta[size_t(i)] * scale;
        store_float(dtype, out, at, load_float(base, at) + product);
      }
    }
  });
}

namespace {

// What a merged folder holds: every tensor of the base folder, some of them with an update.
class Merge {
 public:
  Merge(const LanguageModel& model, const LoraAdapter& adapter) : model_(model), adapter_(adapter) {
    const ModelSpec& spec = model.spec();
    for (const LinearModule& module : model.linear_modules()) {
      const auto found = adapter.modules().find(module.name);
      if (found == adapter.modules().end()) continue;
      const std::string weight = module.name + ".weight";
      const bool own = !module.is_output_embedding || !spec.tied;
      if (!own) output_ = stored_names(spec, weight).front();
      updates_[own ? model.stored_name(weight) : output_] = {module, &found->second};
    }
  }

  // The update of a tied output layer must not reach the embedding, so the merged model has two tensors.
  bool unties() const { return !output_.empty(); }

  std::vector<NewTensor> tensors() const {
    std::vector<NewTensor> all;
    for (const std::string& name : model_.folder().names()) {
      if (name == output_) continue;  // some files hold it twice
      all.push_back({name, model_.folder().tensor(name).type});
    }
    if (unties()) all.push_back({output_, model_.tensor(model_.spec().embedding + ".weight").type});
    return all;
  }

  void fill(const NewTensor& tensor, std::span<std::byte> out) const {
    const auto found = updates_.find(tensor.name);
    if (found == updates_.end()) {
      std::memcpy(out.data(), model_.folder().tensor(tensor.name).data, out.size());
      return;
    }
    const LinearModule& module = found->second.module;
    merge_rows(model_.tensor(model_.weight_of(module)), *found->second.matrices, float(adapter_.config().scaling()),
               module.transposed, out.data());
  }

 private:
  struct Update {
    LinearModule module;
    const LoraMatrices* matrices;
  };
  const LanguageModel& model_;
  const LoraAdapter& adapter_;
  std::map<std::string, Update> updates_;  // by name in the files
  std::string output_;                     // the new tensor of an output layer that was tied
};

}  // namespace

void merge_adapter(const LanguageModel& model, const LoraAdapter& adapter, const std::string& output_folder) {
  HEARTH_CHECK(!same_file(model.path(), output_folder), value,
               "merge: the output folder is the model's own, which is never written to; choose another");
  const Merge merge(model, adapter);
  Json config = with_v4_names(model.folder().config());
  if (merge.unties()) config["tie_word_embeddings"] = false;
  const FillTensor fill = [&](const NewTensor& tensor, std::span<std::byte> out) { merge.fill(tensor, out); };
  save_model_folder(output_folder, config, merge.tensors(), fill, {.source_folder = model.path()});
}

}  // namespace hearth
