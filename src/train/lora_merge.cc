// SPDX-License-Identifier: Apache-2.0
// Base weights plus an adapter's updates, as a model folder.
#include <cmath>
#include <cstring>
#include <set>

#include "base/error.h"
#include "io/config_names.h"
#include "io/save_model_folder.h"
#include "train/lora.h"
#include "train/lora_delta.h"
#include "train/lora_weights.h"

namespace hearth {

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
