// SPDX-License-Identifier: Apache-2.0
#include "train/lora.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/threads.h"
#include "io/config_names.h"
#include "io/nearest.h"
#include "io/save_model_folder.h"
#include "ops/random/threefry.h"
#include "train/lora_weights.h"

namespace hearth {
namespace {

void store_float(DType dtype, std::byte* out, int64_t i, float x) {
  const uint16_t half = dtype == DType::bf16 ? bf16(x).bits : dtype == DType::f16 ? f32_to_f16(x) : 0;
  if (dtype == DType::f32)
    std::memcpy(out + i * 4, &x, 4);
  else
    std::memcpy(out + i * 2, &half, 2);
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

static LoraMatrices new_matrices(const LanguageModel& model, const LoraConfig& config, const LinearModule& module,
                                 uint64_t seed, uint32_t number) {
  const int64_t rank = config.rank_of(module.name);
  LoraMatrices m{.in = module.in,
                 .out = module.out,
                 .rank = rank,
                 .scale = config.scaling_of(module.name),
                 .a = {},
                 .b = {},
                 .magnitude = {},
                 .b_bias = {}};
  m.a.resize(size_t(rank * module.in));
  m.b.assign(size_t(module.out * rank), 0.0f);
  const float bound = 1 / std::sqrt(float(module.in));  // kaiming_uniform with a = sqrt(5)
  for (size_t i = 0; i < m.a.size(); ++i) {
    const ThreefryBlock bits = threefry2x32(uint32_t(seed), uint32_t(seed >> 32), uint32_t(i), number);
    m.a[i] = (float(bits.x0 >> 8) * 0x1p-23f - 1.0f) * bound;
  }
  if (config.dora) {
    const std::vector<float> norms = dora_norms(model.tensor(model.weight_of(module)), m, module.transposed);
    m.magnitude.assign(norms.begin(), norms.end());
  }
  if (config.b_bias) m.b_bias.assign(size_t(module.out), 0.0f);
  return m;
}

// What the output layer cannot have: its logits never exist whole.
static void check_output_layer(const LoraConfig& config, const LinearModule& module) {
  HEARTH_CHECK(!module.is_output_embedding || (!config.dora && !config.b_bias), unsupported, "lora: the output layer '",
               module.name, "' takes plain LoRA only, without ", config.dora ? "DoRA" : "a bias of B",
               "\n  hint: leave it out of the targets, or train it whole (modules_to_save)");
}

LoraAdapter LoraAdapter::create(const LanguageModel& model, const LoraConfig& config, uint64_t seed) {
  HEARTH_CHECK(config.rank > 0, value, "lora: rank must be at least 1; it is ", config.rank);
  HEARTH_CHECK(config.dropout >= 0 && config.dropout < 1, value, "lora: dropout must be in [0, 1); it is ",
               config.dropout);
  HEARTH_CHECK(!config.dora || !config.b_bias, value, "lora: DoRA and a bias of B do not go together, as in PEFT");
  LoraAdapter adapter;
  adapter.config_ = config;
  if (config.family_targets) adapter.config_.targets = model.spec().default_targets;
  std::vector<std::string> names;
  uint32_t number = 0;
  for (const LinearModule& module : model.linear_modules()) {
    ++number;
    const std::string last = module.name.substr(module.name.rfind('.') + 1);
    if (std::find(names.begin(), names.end(), last) == names.end()) names.push_back(last);
    if (!target_matches(adapter.config_, module.name, module.is_output_embedding)) continue;
    check_output_layer(config, module);
    adapter.config_.fan_in_fan_out |= module.transposed;
    adapter.modules_[module.name] = new_matrices(model, config, module, seed, number);
  }
  HEARTH_CHECK(!adapter.modules_.empty(), value, "lora: no linear layer of the model matches the targets\n  there are ",
               list_names(names, names.size()));
  adapter.weights_ = selected_weights(model, adapter.config_);
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
  const auto floats = [](const TensorRef& tensor) { return tensor.owner ? load_floats(tensor) : AlignedFloats{}; };
  for (const auto& [name, pair] : read.modules) {
    check_output_layer(read.config, find_module(modules, name));
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

std::vector<Trainable> LoraAdapter::trainables() {
  std::vector<Trainable> all;
  for (auto& [name, m] : modules_) {
    all.push_back({name + ".a", {m.rank, m.in}, &m.a});
    all.push_back({name + ".b", {m.out, m.rank}, &m.b});
    if (!m.magnitude.empty()) all.push_back({name + ".magnitude", {m.out}, &m.magnitude});
    if (!m.b_bias.empty()) all.push_back({name + ".b_bias", {m.out}, &m.b_bias});
  }
  for (auto& [name, weight] : weights_) all.push_back({name, weight.dims, &weight.values});
  return all;
}

int64_t LoraAdapter::parameters() const {
  int64_t count = 0;
  for (const Trainable& t : const_cast<LoraAdapter*>(this)->trainables()) count += int64_t(t.values->size());
  return count;
}

// delta[i] = (B A)[o, first + i], summed in f32 over rising r, as the real library's matmul of so thin a matrix does.
static void update_row(const LoraMatrices& m, int64_t o, int64_t first, std::span<float> delta) {
  std::fill(delta.begin(), delta.end(), 0.0f);
  for (int64_t r = 0; r < m.rank; ++r) {
    const float b = m.b[size_t(o * m.rank + r)];
    const float* a = m.a.data() + r * m.in + first;
    for (size_t i = 0; i < delta.size(); ++i) delta[i] = std::fma(b, a[i], delta[i]);
  }
}

std::vector<float> dora_norms(const TensorRef& weight, const LoraMatrices& m, bool transposed) {
  std::vector<float> norms(size_t(m.out));
  const float scale = float(m.scale);
  parallel_ranges(m.out, 16, [&](int64_t begin, int64_t end, int) {
    std::vector<float> delta(size_t(m.in));
    for (int64_t o = begin; o < end; ++o) {
      update_row(m, o, 0, delta);
      double squares = 0;
      for (int64_t i = 0; i < m.in; ++i) {
        const float product = delta[size_t(i)] * scale;
        const double sum = load_float(weight, transposed ? i * m.out + o : o * m.in + i) + product;
        squares += sum * sum;
      }
      norms[size_t(o)] = float(std::sqrt(squares));
    }
  });
  return norms;
}

// Elements [begin, begin + count) of W' = round(f32(W) + (B A) * scale), row by row; with DoRA, each row times its
// factor before rounding.
static void merge_elements(const TensorRef& base, const LoraMatrices& m, const std::vector<float>& factors,
                           int64_t begin, int64_t count, std::byte* out) {
  const DType dtype = base.type.dtype;
  const float scale = float(m.scale);
  std::vector<float> delta(static_cast<size_t>(m.in));
  for (int64_t done = 0; done < count;) {
    const int64_t o = (begin + done) / m.in, first = (begin + done) % m.in, n = std::min(m.in - first, count - done);
    update_row(m, o, first, std::span(delta).first(size_t(n)));
    const float factor = factors.empty() ? 1.0f : factors[size_t(o)];
    for (int64_t i = 0; i < n; ++i) {
      const float product = delta[size_t(i)] * scale;
      store_float(dtype, out, done + i, (load_float(base, begin + done + i) + product) * factor);
    }
    done += n;
  }
}

// The same of a weight that is stored [in,out].
static void merge_transposed(const TensorRef& base, const LoraMatrices& m, const std::vector<float>& factors,
                             int64_t begin, int64_t count, std::byte* out) {
  const float scale = float(m.scale);
  for (int64_t k = 0; k < count; ++k) {
    const int64_t i = (begin + k) / m.out, o = (begin + k) % m.out;
    float delta = 0;
    for (int64_t r = 0; r < m.rank; ++r)
      delta = std::fma(m.b[size_t(o * m.rank + r)], m.a[size_t(r * m.in + i)], delta);
    const float product = delta * scale;
    const float factor = factors.empty() ? 1.0f : factors[size_t(o)];
    store_float(base.type.dtype, out, k, (load_float(base, begin + k) + product) * factor);
  }
}

// The model's bias plus B's times the scale.
static void add_bias(const LoraMatrices& m, DType dtype, int64_t begin, std::span<std::byte> room) {
  const int64_t unit = size_bytes(dtype), first = begin / unit, count = int64_t(room.size()) / unit;
  const TensorRef bias{"", {dtype, {count}}, room.data(), nullptr};
  for (int64_t i = 0; i < count; ++i) {
    const float product = m.b_bias[size_t(first + i)] * float(m.scale);
    store_float(dtype, room.data(), i, load_float(bias, i) + product);
  }
}

namespace {

// What a merged folder holds: every tensor of the base folder, some of them changed.
class Merge {
 public:
  Merge(const LanguageModel& model, const LoraAdapter& adapter);
  // The update of a tied output layer must not reach the embedding, so the merged model has two tensors.
  bool unties() const { return !output_.empty(); }
  std::vector<NewTensor> tensors() const;
  std::span<const std::byte> bytes(const NewTensor& tensor, int64_t begin, std::span<std::byte> room) const;

 private:
  struct Update {
    LinearModule module;
    const LoraMatrices* matrices;
    std::vector<float> factors;  // DoRA: magnitude / norm of each row
  };
  std::span<const std::byte> stored(const std::string& name, int64_t begin, std::span<std::byte> room) const;
  void replace(const TrainedWeight& trained, DType dtype, int64_t begin, std::span<std::byte> room) const;

  const LanguageModel& model_;
  // All by name in the files.
  std::map<std::string, Update> updates_;
  std::map<std::string, const LoraMatrices*> biases_;
  std::map<std::string, const TrainedWeight*> trained_;
  std::string output_;  // the new tensor of an output layer that was tied
};

Merge::Merge(const LanguageModel& model, const LoraAdapter& adapter) : model_(model) {
  const ModelSpec& spec = model.spec();
  std::set<std::string> weights;
  for (const WeightSpec& weight : weights_of(spec)) weights.insert(weight.name);
  for (const LinearModule& module : model.linear_modules()) {
    const auto found = adapter.modules().find(module.name);
    if (found == adapter.modules().end()) continue;
    const LoraMatrices& m = found->second;
    const std::string weight = module.name + ".weight", bias = module.name + ".bias";
    const bool own = !module.is_output_embedding || !spec.tied;
    if (!own) output_ = stored_names(spec, weight).front();
    Update& update = updates_[own ? model.stored_name(weight) : output_] = {module, &m, {}};
    HEARTH_CHECK(m.b_bias.empty() || weights.count(bias), unsupported, "merge: '", module.name,
                 "' has no bias that the adapter's bias of B could be added to");
    if (!m.b_bias.empty()) biases_[model.stored_name(bias)] = &m;
    if (m.magnitude.empty()) continue;
    update.factors = dora_norms(model.tensor(model.weight_of(module)), m, module.transposed);
    for (size_t i = 0; i < update.factors.size(); ++i) update.factors[i] = m.magnitude[i] / update.factors[i];
  }
  for (const auto& [name, weight] : adapter.weights()) trained_[model.stored_name(name)] = &weight;
}

std::vector<NewTensor> Merge::tensors() const {
  std::vector<NewTensor> all;
  for (const std::string& name : model_.folder().names()) {
    if (name == output_) continue;  // some files hold it twice
    all.push_back({name, model_.folder().tensor(name).type});
  }
  if (unties()) all.push_back({output_, model_.tensor(model_.spec().embedding + ".weight").type});
  return all;
}

std::span<const std::byte> Merge::stored(const std::string& name, int64_t begin, std::span<std::byte> room) const {
  return model_.folder().tensor(name).span().subspan(size_t(begin), room.size());
}

// The trained numbers that lie in the part, rounded to the model's type.
void Merge::replace(const TrainedWeight& trained, DType dtype, int64_t begin, std::span<std::byte> room) const {
  const int64_t unit = size_bytes(dtype), first = begin / unit, count = int64_t(room.size()) / unit;
  const auto put = [&](int64_t at, int64_t from, int64_t n) {  // numbers [from, from + n) to elements from `at` on
    const int64_t skip = std::max<int64_t>(first - at, 0), end = std::min(at + n, first + count);
    for (int64_t i = at + skip; i < end; ++i)
      store_float(dtype, room.data(), i - first, trained.values[size_t(from + i - at)]);
  };
  if (!trained.by_rows) return put(0, 0, int64_t(trained.values.size()));
  const int64_t width = trained.dims[1];
  for (size_t r = 0; r < trained.rows.size(); ++r) put(trained.rows[r] * width, int64_t(r) * width, width);
}

std::span<const std::byte> Merge::bytes(const NewTensor& tensor, int64_t begin, std::span<std::byte> room) const {
  const int64_t unit = size_bytes(tensor.type.dtype);
  if (const auto found = updates_.find(tensor.name); found != updates_.end()) {
    const auto& [module, matrices, factors] = found->second;
    const auto merge = module.transposed ? merge_transposed : merge_elements;
    merge(model_.tensor(model_.weight_of(module)), *matrices, factors, begin / unit, int64_t(room.size()) / unit,
          room.data());
    return room;
  }
  const std::span<const std::byte> base = stored(tensor.name, begin, room);
  const auto trained = trained_.find(tensor.name);
  const auto bias = biases_.find(tensor.name);
  if (trained == trained_.end() && bias == biases_.end()) return base;
  std::memcpy(room.data(), base.data(), room.size());
  if (trained != trained_.end()) replace(*trained->second, tensor.type.dtype, begin, room);
  if (bias != biases_.end()) add_bias(*bias->second, tensor.type.dtype, begin, room);
  return room;
}

}  // namespace

void merge_adapter(const LanguageModel& model, const LoraAdapter& adapter, const std::string& output_folder) {
  HEARTH_CHECK(!same_file(model.path(), output_folder), value,
               "merge: the output folder is the model's own, which is never written to; choose another");
  const Merge merge(model, adapter);
  const TensorBytes bytes = [&](const NewTensor& tensor, int64_t begin, std::span<std::byte> room) {
    return merge.bytes(tensor, begin, room);
  };
  Json config = with_v4_names(model.folder().config());
  if (merge.unties()) config["tie_word_embeddings"] = false;
  save_model_folder(output_folder, config, merge.tensors(), bytes, {.source_folder = model.path()});
}

}  // namespace hearth
