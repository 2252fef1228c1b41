// SPDX-License-Identifier: Apache-2.0
#pragma once
// LoRA adapters in PEFT's folder format: adapter_config.json and adapter_model.safetensors.
// Source: peft 0.21, LoraConfig, check_target_module_exists, save_pretrained. Differs: PEFT loads adapters with
// missing, unknown or unprefixed keys and says little or nothing; here they are errors that list the names.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/safetensors.h"

namespace hearth {

struct LoraConfig {
  int64_t rank = 8;
  double alpha = 16;
  double dropout = 0;  // of the input of A
  bool rslora = false;
  bool fan_in_fan_out = false;  // some targets are stored [in,out]; A and B are not
  bool family_targets = false;  // the targets are those that PEFT gives the model's family
  // Which linear layers: all but the output layer, or those that match the regular expression, or those whose name is,
  // or ends with "." and, one of the targets. A module that matches the excludes is left out in all three cases.
  bool all_linear = false;
  std::string target_regex = {};
  std::vector<std::string> targets = {"q_proj", "v_proj"};
  std::string exclude_regex = {};
  std::vector<std::string> excludes = {};
  std::string base_model = {};                 // its folder or name, for the reader's information
  std::vector<std::string> unknown_keys = {};  // of the file that was read: ignored, worth a warning

  double scaling() const;  // alpha / rank, or alpha / sqrt(rank) with rslora: y += B(A(x)) * scaling
};

// Throws Error{format}, or Error{unsupported} for features that Hearth has not (DoRA, rank_pattern, ...), by name.
LoraConfig read_adapter_config(const std::string& folder);
LoraConfig parse_adapter_config(std::string_view text, const std::string& path);

// Does the adapter apply to the linear layer `module` ("model.layers.0.self_attn.q_proj")?
bool target_matches(const LoraConfig& config, const std::string& module, bool is_output_embedding);

struct LoraPair {
  TensorRef a;  // [rank,in]
  TensorRef b;  // [out,rank]
};
using LoraPairs = std::map<std::string, LoraPair>;  // by module path

struct Adapter {
  std::string path;
  LoraConfig config;
  LoraPairs modules;
  // Copies of the model's own weights, by module: PEFT adds one when the output layer is a target.
  std::map<std::string, TensorRef> base_weights = {};
};

// Reads both files. The tensors are f32, f16 or bf16 and stay mapped.
Adapter read_adapter(const std::string& folder);

struct LinearModule {
  std::string name;  // "model.layers.0.self_attn.q_proj"
  int64_t out = 0, in = 0;
  bool is_output_embedding = false;
  bool transposed = false;  // its weight is stored [in,out], as GPT-2's layers are
};

// Throws Error{shape} listing what is missing, unexpected or of another shape: an adapter for another model.
void check_adapter(const Adapter& adapter, const std::vector<LinearModule>& base);

// Writes README.md, adapter_config.json and adapter_model.safetensors, the latter byte for byte as PEFT would. A new
// folder appears whole; into an existing one the files go one by one, each whole. Names inside the pairs are ignored.
void write_adapter(const std::string& folder, const LoraConfig& config, const LoraPairs& modules);

// adapter_config.json as PEFT 0.21 writes it.
std::string dump_adapter_config(const LoraConfig& config, const LoraPairs& modules);

}  // namespace hearth
