// SPDX-License-Identifier: Apache-2.0
#include "train/lora.h"

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "io/config_names.h"
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

// The weight under a module, in the model's folder: a tied output layer has that of the embedding.
std::string weight_name(const LanguageModel& model, const std::string& module) {
  return module == "lm_head" && model.config().tied ? "model.embed_tokens.weight" : module + ".weight";
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
  std::string names;
  uint64_t number = 0;
  for (const LinearModule& module : model.linear_modules()) {
    ++number;
    if (module.name.find("layers.0.") != std::string::npos)
      names += (names.empty() ? "" : ", ") + module.name.substr(module.name.rfind('.') + 1);
    if (!target_matches(config, module.name, module.is_output_embedding)) continue;
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
               names, ", lm_head");
  return adapter;
}

LoraAdapter LoraAdapter::load(const LanguageModel& model, const std::string& folder) {
  const Adapter read = read_adapter(folder);
  check_adapter(read, model.linear_modules());
  for (const auto& [name, weight] : read.base_weights)
    check_base_weight(weight, model.folder().tensor(weight_name(model, name)), name, folder);
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
// real library's matmul of so thin a matrix does.
static void merge_rows(const TensorRef& base, const LoraMatrices& m, float scale, std::byte* out) {
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
        const float product = delta[size_t(i)] * scale;
        store_float(dtype, out, o * m.in + i, load_float(base, o * m.in + i) + product);
      }
    }
  });
}

// The update of a tied output layer must not reach the embedding, so the merged model has two tensors.
static bool unties(const LanguageModel& model, const LoraAdapter& adapter) {
  return model.config().tied && adapter.modules().count("lm_head");
}

static std::vector<NewTensor> merged_tensors(const LanguageModel& model, const LoraAdapter& adapter) {
  std::vector<NewTensor> tensors;
  for (const std::string& name : model.folder().names()) {
    if (unties(model, adapter) && name == "lm_head.weight") continue;  // some files hold it twice
    tensors.push_back({name, model.folder().tensor(name).type});
  }
  if (unties(model, adapter))
    tensors.push_back({"lm_head.weight", model.folder().tensor("model.embed_tokens.weight").type});
  return tensors;
}

void merge_adapter(const LanguageModel& model, const LoraAdapter& adapter, const std::string& output_folder) {
  HEARTH_CHECK(!same_file(model.path(), output_folder), value,
               "merge: the output folder is the model's own, which is never written to; choose another");
  const float scale = float(adapter.config().scaling());
  const std::vector<NewTensor> tensors = merged_tensors(model, adapter);
  const FillTensor fill = [&](const NewTensor& tensor, std::span<std::byte> out) {
    const std::string suffix = ".weight";
    const std::string module =
        tensor.name.ends_with(suffix) ? tensor.name.substr(0, tensor.name.size() - suffix.size()) : std::string();
    const auto found = adapter.modules().find(module);
    if (found == adapter.modules().end()) {
      const TensorRef& base = model.folder().tensor(tensor.name);
      std::memcpy(out.data(), base.data, out.size());
    } else {
      merge_rows(model.folder().tensor(weight_name(model, module)), found->second, scale, out.data());
    }
  };
  Json config = with_v4_names(model.folder().config());
  if (unties(model, adapter)) config["tie_word_embeddings"] = false;
  save_model_folder(output_folder, config, tensors, fill, {.source_folder = model.path()});
}

}  // namespace hearth
