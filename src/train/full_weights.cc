// SPDX-License-Identifier: Apache-2.0
#include "train/full_weights.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/float_convert.h"
#include "io/config_names.h"
#include "io/save_model_folder.h"
#include "models/initial_weights.h"
#include "train/lora_weights.h"

namespace hearth {

// Pages of a mapped file that were read stay in memory beside what was made of them; given back they come again when
// touched. A hint: where it fails, the run takes more memory.
static void drop_pages(const TensorRef& tensor) {
  const uintptr_t page = uintptr_t(sysconf(_SC_PAGESIZE)), begin = reinterpret_cast<uintptr_t>(tensor.data);
  const uintptr_t first = (begin + page - 1) / page * page, end = (begin + uintptr_t(tensor.bytes())) / page * page;
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
}

LoraAdapter all_weights(const LanguageModel& model) {
  LoraAdapter adapter;
  for (const WeightSpec& weight : weights_of(model.spec())) {
    const TensorRef& tensor = model.tensor(weight.name);
    adapter.weights()[weight.name] = {tensor.type.dims, load_floats(tensor), false, {}};
    drop_pages(tensor);
  }
  return adapter;
}

LoraAdapter new_weights(const LanguageModel& model, uint64_t seed) {
  LoraAdapter adapter;
  const InitialWeights initial(model.spec(), model.folder().config_view());
  uint32_t number = 0;
  for (const WeightSpec& weight : weights_of(model.spec())) {
    AlignedFloats values(size_t(num_elements(weight.dims)));
    initial.draw(weight, seed, number++, values);
    adapter.weights()[weight.name] = {weight.dims, std::move(values), false, {}};
  }
  return adapter;
}

bool is_full(const LanguageModel& model, const LoraAdapter& adapter) {
  if (!adapter.modules().empty()) return false;
  const std::vector<WeightSpec> all = weights_of(model.spec());
  return std::all_of(all.begin(), all.end(), [&](const WeightSpec& weight) {
    const auto found = adapter.weights().find(weight.name);
    return found != adapter.weights().end() && !found->second.by_rows;
  });
}

namespace {

// The tensors of a trained model's folder: those of the folder it began with.
class FullModel {
 public:
  FullModel(const LanguageModel& model, const LoraAdapter& weights, std::optional<DType> dtype);
  const std::vector<NewTensor>& tensors() const { return tensors_; }
  std::span<const std::byte> bytes(const NewTensor& tensor, int64_t begin, std::span<std::byte> room) const;

 private:
  const LanguageModel& model_;
  std::map<std::string, const TrainedWeight*> trained_;  // by name in the files
  std::vector<NewTensor> tensors_;
};

FullModel::FullModel(const LanguageModel& model, const LoraAdapter& weights, std::optional<DType> dtype)
    : model_(model) {
  for (const auto& [name, weight] : weights.weights()) trained_[model.stored_name(name)] = &weight;
  std::set<std::string> copies;  // of a tied output layer: some files hold its numbers as they were
  if (model.spec().tied) {
    for (const std::string& name : stored_names(model.spec(), model.spec().output.name + ".weight"))
      copies.insert(name);
  }
  for (const std::string& name : model.folder().names()) {
    if (copies.count(name)) continue;
    TensorType type = model.folder().find(name)->type;
    if (dtype && trained_.count(name)) type.dtype = *dtype;
    tensors_.push_back({name, type});
  }
}

std::span<const std::byte> FullModel::bytes(const NewTensor& tensor, int64_t begin, std::span<std::byte> room) const {
  const auto found = trained_.find(tensor.name);
  if (found == trained_.end())  // a buffer that no weight of the model is
    return model_.folder().tensor(tensor.name).span().subspan(size_t(begin), room.size());
  const int64_t unit = size_bytes(tensor.type.dtype);
  const float* values = found->second->values.data() + begin / unit;
  convert_floats(DType::f32, reinterpret_cast<const std::byte*>(values), tensor.type.dtype, room.data(),
                 int64_t(room.size()) / unit);
  return room;
}

}  // namespace

void save_full(const LanguageModel& model, const LoraAdapter& weights, const std::string& folder,
               std::optional<DType> dtype) {
  const FullModel full(model, weights, dtype);
  const TensorBytes bytes = [&](const NewTensor& tensor, int64_t begin, std::span<std::byte> room) {
    return full.bytes(tensor, begin, room);
  };
  const Json config = with_dtype(model.folder().config(), dtype ? *dtype : model.stored_dtype());
  save_model_folder(folder, with_v4_names(config), full.tensors(), bytes, {.source_folder = model.path()});
}

std::string full_model_path(const std::string& folder) { return join_path(folder, "model"); }

void save_trained(const LanguageModel& model, const LoraAdapter& adapter, const std::string& folder) {
  if (is_full(model, adapter))
    save_full(model, adapter, full_model_path(folder), DType::f32);
  else
    adapter.save(folder);
}

static void load_full(const LanguageModel& model, const std::string& folder, LoraAdapter* adapter) {
  const ModelFolder saved = ModelFolder::open(full_model_path(folder));
  for (auto& [name, weight] : adapter->weights()) {
    const TensorRef& tensor = saved.tensor(model.stored_name(name), weight.dims);
    HEARTH_CHECK(tensor.type.dtype == DType::f32, format, "resume: '", name, "' in ", saved.path(), " is ", tensor.type,
                 ", not f32");
    std::memcpy(weight.values.data(), tensor.data, size_t(tensor.bytes()));
    drop_pages(tensor);
  }
}

void load_trained(const LanguageModel& model, const std::string& folder, LoraAdapter* adapter) {
  if (is_full(model, *adapter)) return load_full(model, folder, adapter);
  adapter->restore(LoraAdapter::load(model, folder), folder);
}

}  // namespace hearth
