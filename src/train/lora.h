// SPDX-License-Identifier: Apache-2.0
#pragma once
// LoRA adapters in memory: f32 matrices that training changes. Source: Hu et al. 2021, arXiv:2106.09685.

#include <map>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "io/peft.h"
#include "models/language_model.h"

namespace hearth {

struct LoraMatrices {
  int64_t in = 0, out = 0, rank = 0;
  double scale = 1;
  bool embedding = false;
  int64_t experts = 0;           // > 0: rank is that of all, rows of a expert by expert, columns of b rank by rank
  AlignedFloats a = {}, b = {};  // [rank,in], [out,rank]
  AlignedFloats magnitude = {};  // [out], with DoRA
  AlignedFloats b_bias = {};     // [out], with a bias of B
  bool b_frozen = false;         // with MiCA: training changes A alone
  // With PiSSA and OLoRA, A and B as they began: the base weight is W - (B0 A0) * scale, and stays so.
  AlignedFloats a0 = {}, b0 = {};
};

// What stands in place of one of the model's weights, or of some of its rows.
struct TrainedWeight {
  Dims dims;  // of `values`
  AlignedFloats values;
  bool by_rows = false;
  std::vector<int32_t> rows;  // by_rows: their places in the weight, one for each row of values
};

// One tensor of an adapter.
struct Trainable {
  std::string name;  // "<module>.a", "<module>.b", "<module>.magnitude", "<module>.b_bias", or that of the weight
  Dims dims;
  AlignedFloats* values;
  bool frozen = false;  // training leaves it as it is
};

class LoraAdapter {
 public:
  // A new adapter, A and B as config.init says (train/lora_init.h), from `seed`; magnitudes are the norms of the
  // weight's rows, whole weights and rows the model's. Throws Error{value} when no layer matches the targets, listing
  // those there are, or another part of the config names nothing.
  static LoraAdapter create(const LanguageModel& model, const LoraConfig& config, uint64_t seed);
  // A PEFT folder made for this model. Throws when it was made for another one, listing what does not fit. Where PiSSA
  // or OLoRA took something out of the base weights, it is computed again, as PEFT does.
  static LoraAdapter load(const LanguageModel& model, const std::string& folder);

  // The same without the model: no layer of it is looked for. Error{unsupported} where its weights count, too.
  static LoraAdapter read(const std::string& folder);
  static LoraAdapter of(LoraConfig config, std::map<std::string, LoraMatrices> modules);

  // The same for the model as it is: where something was taken out of its weights, [A; A0] and [B, -B0], of twice the
  // rank, as PEFT's path_initial_model_for_weight_conversion has it.
  LoraAdapter for_whole_base() const;
  void save(const std::string& folder) const;  // for_whole_base() as a PEFT folder
  // Takes the numbers of an adapter that this one was saved as, in place. Throws Error{format} naming what it lacks.
  void restore(LoraAdapter saved, const std::string& folder);

  // Puts another adapter's numbers in place of these, in the same memory: what was compiled for this adapter goes on
  // with the other. Smaller ranks are filled up with zeros, layers that the other lacks become zero, another scale goes
  // into B. Throws Error{value} naming what is larger, not here, or not comparable. Source: peft's hotswap_adapter.
  void swap(const LoraAdapter& other);

  const LoraConfig& config() const { return config_; }
  std::map<std::string, LoraMatrices>& modules() { return modules_; }
  const std::map<std::string, LoraMatrices>& modules() const { return modules_; }
  std::map<std::string, TrainedWeight>& weights() { return weights_; }  // by their names in the model
  const std::map<std::string, TrainedWeight>& weights() const { return weights_; }
  std::vector<Trainable> tensors();     // everything, in a fixed order
  std::vector<Trainable> trainables();  // those that training changes, in the same order
  int64_t parameters() const;

 private:
  LoraConfig config_;
  std::map<std::string, LoraMatrices> modules_;
  std::map<std::string, TrainedWeight> weights_;
};

// Writes the model with the adapters' updates added to its weights, one adapter after the other: W = round(f32(W) +
// (B A) * scale), one rounding for each, as PEFT's merge_and_unload does; with DoRA rows are scaled by magnitude /
// norm. The base folder is never touched. Tokenizer and other files are copied. Where embedding and output layer were
// one tensor and one of them is tuned, the other keeps its numbers ("tie_word_embeddings": false).
void merge_adapters(const LanguageModel& model, const std::vector<const LoraAdapter*>& adapters,
                    const std::string& output_folder);
inline void merge_adapter(const LanguageModel& model, const LoraAdapter& adapter, const std::string& output_folder) {
  merge_adapters(model, {&adapter}, output_folder);
}

}  // namespace hearth
