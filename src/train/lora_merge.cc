// SPDX-License-Identifier: Apache-2.0
// Base weights plus an adapter's updates, as a model folder.
#include <cmath>
#include <cstring>
#include <deque>
#include <set>

#include "base/error.h"
#include "io/config_names.h"
#include "io/save_model_folder.h"
#include "train/lora.h"
#include "train/lora_delta.h"
#include "train/lora_weights.h"

namespace hearth {

namespace {

// One adapter's update of one weight.
struct Update {
  LinearModule module;
  const LoraMatrices* matrices;
  std::vector<float> factors = {};  // DoRA: magnitude / norm of each row
  bool rounds = false;              // PEFT rounds the plain updates of embeddings and experts before it adds them
};

// Numbers [begin, begin + count) of a weight, in memory: W' = round(f32(W) + (B A) * scale), row by row; with DoRA,
// each row times its factor before rounding.
void merge_rows(const Update& update, DType dtype, int64_t begin, int64_t count, std::byte* numbers) {
  const LoraMatrices& m = *update.matrices;
  const TensorRef w{"", {dtype, {count}}, numbers, nullptr};
  const float scale = float(m.scale);
  std::vector<float> delta(static_cast<size_t>(m.in));
  for (int64_t done = 0; done < count;) {
    const int64_t o = (begin + done) / m.in, first = (begin + done) % m.in, n = std::min(m.in - first, count - done);
    update_row(m, o, first, std::span(delta).first(size_t(n)));
    const float factor = update.factors.empty() ? 1.0f : update.factors[size_t(o)];
    for (int64_t i = 0; i < n; ++i) {
      float product = delta[size_t(i)] * scale;
      if (update.rounds) product = rounded_as(w, product);
      store_float(dtype, numbers, done + i, (load_float(w, done + i) + product) * factor);
    }
    done += n;
  }
}

// The same of a weight that is stored [in,out].
void merge_columns(const Update& update, DType dtype, int64_t begin, int64_t count, std::byte* numbers) {
  const LoraMatrices& m = *update.matrices;
  const TensorRef w{"", {dtype, {count}}, numbers, nullptr};
  const float scale = float(m.scale);
  for (int64_t k = 0; k < count; ++k) {
    const int64_t i = (begin + k) / m.out, o = (begin + k) % m.out;
    float delta = 0;
    for (int64_t r = 0; r < m.rank; ++r)
      delta = std::fma(m.b[size_t(o * m.rank + r)], m.a[size_t(r * m.in + i)], delta);
    float product = delta * scale;
    if (update.rounds) product = rounded_as(w, product);
    const float factor = update.factors.empty() ? 1.0f : update.factors[size_t(o)];
    store_float(dtype, numbers, k, (load_float(w, k) + product) * factor);
  }
}

// The bias plus B's times the scale.
void add_bias(const LoraMatrices& m, DType dtype, int64_t begin, int64_t count, std::byte* numbers) {
  const TensorRef bias{"", {dtype, {count}}, numbers, nullptr};
  for (int64_t i = 0; i < count; ++i) {
    const float product = m.b_bias[size_t(begin + i)] * float(m.scale);
    store_float(dtype, numbers, i, load_float(bias, i) + product);
  }
}

// What a merged folder holds: every tensor of the base folder, some of them changed.
class Merge {
 public:
  Merge(const LanguageModel& model, const std::vector<LoraAdapter>& adapters);
  // An update of one of two that were tied must not reach the other, so the merged model has two tensors.
  bool unties() const { return !output_.empty(); }
  std::vector<NewTensor> tensors() const;
  std::span<const std::byte> bytes(const NewTensor& tensor, int64_t begin, std::span<std::byte> room) const;

 private:
  void add(const LoraAdapter& adapter);
  void add(const LinearModule& module, const LoraMatrices& matrices);
  void add_experts(const LinearModule& module, const LoraMatrices& matrices);
  void replace(const TrainedWeight& trained, DType dtype, int64_t begin, std::span<std::byte> room) const;

  const LanguageModel& model_;
  std::set<std::string> weights_;  // by the spec's names
  // By name in the files; updates in the order of the adapters.
  std::map<std::string, std::vector<Update>> updates_;
  std::map<std::string, std::vector<const LoraMatrices*>> biases_;
  std::map<std::string, const TrainedWeight*> trained_;
  std::deque<LoraMatrices> of_expert_;  // each one's part of the matrices
  std::string output_;                  // the new tensor of an output layer that was tied
};

Merge::Merge(const LanguageModel& model, const std::vector<LoraAdapter>& adapters) : model_(model) {
  for (const WeightSpec& weight : weights_of(model.spec())) weights_.insert(weight.name);
  for (const LoraAdapter& adapter : adapters) add(adapter);
}

void Merge::add(const LoraAdapter& adapter) {
  for (const LinearModule& module : model_.lora_modules()) {
    const auto found = adapter.modules().find(module.name);
    if (found != adapter.modules().end()) add(module, found->second);
  }
  for (const auto& [name, weight] : adapter.weights()) {
    HEARTH_CHECK(trained_.emplace(model_.stored_name(name), &weight).second, value,
                 "merge: two adapters bring their own '", name, "'; only one can be in the merged model");
  }
}

void Merge::add(const LinearModule& module, const LoraMatrices& m) {
  if (module.experts > 0) return add_experts(module, m);
  const ModelSpec& spec = model_.spec();
  const std::string weight = module.name + ".weight", bias = module.name + ".bias";
  const bool tied = spec.tied && (module.is_output_embedding || module.is_embedding);
  if (tied) output_ = stored_names(spec, spec.output.name + ".weight").front();
  Update update{module, &m};
  update.rounds = m.embedding && m.magnitude.empty();
  if (!m.magnitude.empty()) {  // of the base weight, as PEFT has it, not of what other adapters made of it
    update.factors = dora_norms(model_.tensor(model_.weight_of(module)), m, module.transposed);
    for (size_t i = 0; i < update.factors.size(); ++i) update.factors[i] = m.magnitude[i] / update.factors[i];
  }
  updates_[tied && module.is_output_embedding ? output_ : model_.stored_name(weight)].push_back(std::move(update));
  HEARTH_CHECK(m.b_bias.empty() || weights_.count(bias), unsupported, "merge: '", module.name,
               "' has no bias that the adapter's bias of B could be added to");
  if (!m.b_bias.empty()) biases_[model_.stored_name(bias)].push_back(&m);
}

// Rows [first, first + out) of one expert's update: its rows of A, every experts'th column of B.
static LoraMatrices of_expert(const LoraMatrices& all, int64_t expert, int64_t first, int64_t out) {
  const int64_t r = all.rank / all.experts;
  LoraMatrices m{.in = all.in, .out = out, .rank = r, .scale = all.scale};
  m.a.assign(all.a.begin() + expert * r * all.in, all.a.begin() + (expert + 1) * r * all.in);
  for (int64_t o = first; o < first + out; ++o) {
    for (int64_t j = 0; j < r; ++j) m.b.push_back(all.b[size_t(o * all.rank + j * all.experts + expert)]);
  }
  return m;
}

// The files hold a weight for each expert, and the gate apart from the rest of gate_up_proj.
void Merge::add_experts(const LinearModule& module, const LoraMatrices& m) {
  for (const LayerSpec& layer : model_.spec().layers) {
    if (!layer.experts || !module.name.starts_with(layer.experts->name + ".")) continue;
    for (int64_t e = 0; e < module.experts; ++e) {
      const MlpSpec& expert = layer.experts->all[size_t(e)];
      const auto put = [&](const LinearSpec& linear, int64_t first) {
        of_expert_.push_back(of_expert(m, e, first, linear.out));
        Update update{{.name = linear.name, .out = linear.out, .in = linear.in}, &of_expert_.back()};
        update.rounds = true;
        updates_[model_.stored_name(linear.name + ".weight")].push_back(std::move(update));
      };
      if (module.name.ends_with(".down_proj")) {
        put(expert.down, 0);
      } else {
        put(expert.gate, 0);
        put(expert.up, expert.gate.out);
      }
    }
  }
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
  const std::string own =
      tensor.name == output_ ? model_.stored_name(model_.spec().embedding + ".weight") : tensor.name;
  const std::span<const std::byte> base = model_.folder().tensor(own).span().subspan(size_t(begin), room.size());
  const auto updates = updates_.find(tensor.name);
  const auto biases = biases_.find(tensor.name);
  const auto trained = trained_.find(tensor.name);
  if (updates == updates_.end() && biases == biases_.end() && trained == trained_.end()) return base;
  std::memcpy(room.data(), base.data(), room.size());
  const DType dtype = tensor.type.dtype;
  const int64_t unit = size_bytes(dtype), first = begin / unit, count = int64_t(room.size()) / unit;
  if (trained != trained_.end()) replace(*trained->second, dtype, begin, room);
  if (updates != updates_.end()) {
    for (const Update& update : updates->second)
      (update.module.transposed ? merge_columns : merge_rows)(update, dtype, first, count, room.data());
  }
  if (biases != biases_.end()) {
    for (const LoraMatrices* m : biases->second) add_bias(*m, dtype, first, count, room.data());
  }
  return room;
}

}  // namespace

void merge_adapters(const LanguageModel& model, const std::vector<const LoraAdapter*>& adapters,
                    const std::string& output_folder) {
  HEARTH_CHECK(!same_file(model.path(), output_folder), value,
               "merge: the output folder is the model's own, which is never written to; choose another");
  std::vector<LoraAdapter> plain;
  for (const LoraAdapter* adapter : adapters) plain.push_back(adapter->for_whole_base());
  const Merge merge(model, plain);
  const TensorBytes bytes = [&](const NewTensor& tensor, int64_t begin, std::span<std::byte> room) {
    return merge.bytes(tensor, begin, room);
  };
  Json config = with_v4_names(model.folder().config());
  if (merge.unties()) config["tie_word_embeddings"] = false;
  save_model_folder(output_folder, config, merge.tensors(), bytes, {.source_folder = model.path()});
}

}  // namespace hearth
