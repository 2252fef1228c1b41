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
  double dropout = 0;  // of the input of A; not of an embedding's tokens
  bool rslora = false;
  bool fan_in_fan_out = false;  // some targets are stored [in,out]; A and B are not
  bool family_targets = false;  // the targets are those that PEFT gives the model's family
  // Which layers: all linear ones but the output layer, or those that match the regular expression, or those whose name
  // is, or ends with "." and, one of the targets. A module that matches the excludes is left out in all three cases.
  bool all_linear = false;
  std::string target_regex = {};
  std::vector<std::string> targets = {"q_proj", "v_proj"};
  std::vector<std::string> parameters = {};  // experts' weights with updates: PEFT's target_parameters, ends of paths
  std::string exclude_regex = {};
  std::vector<std::string> excludes = {};
  // Of the targets given as a list, only those in these layers; the layer is the first number in a module's path, or
  // the first behind one of the patterns ("layers").
  std::vector<int64_t> layers = {};
  std::vector<std::string> layers_pattern = {};
  // Ranks and alphas of modules whose path, or its end behind a ".", matches the regular expression; the first counts.
  std::vector<std::pair<std::string, int64_t>> rank_pattern = {};
  std::vector<std::pair<std::string, double>> alpha_pattern = {};
  bool dora = false;                    // a trained norm for each row of W + BA. Liu et al. 2024, arXiv:2402.09353
  bool b_bias = false;                  // B has a bias: PEFT's lora_bias
  std::string bias = "none";            // the model's biases that are trained too: none, all, lora_only
  std::vector<std::string> whole = {};  // modules trained whole: PEFT's modules_to_save; ends of their paths
  std::vector<std::pair<std::string, std::vector<int64_t>>> tokens = {};  // rows trained, by end of the module's path
  // How A and B began: "default", "gaussian", "orthogonal", "mica" (whose B training leaves as it is), or one that took
  // B A out of the base weights, "pissa", "pissa_niter_4", "olora". Written files never need such a base:
  // LoraAdapter::save.
  std::string init = "default";
  std::string base_model = {};                 // its folder or name, for the reader's information
  std::vector<std::string> unknown_keys = {};  // of the file that was read: ignored, worth a warning

  int64_t rank_of(const std::string& module) const;
  // alpha / rank, or alpha / sqrt(rank) with rslora: y += B(A(x)) * scaling
  double scaling_of(const std::string& module) const;
};

// Throws Error{format}, or Error{unsupported} for features that Hearth has not (DoRA, rank_pattern, ...), by name.
LoraConfig read_adapter_config(const std::string& folder);
LoraConfig parse_adapter_config(std::string_view text, const std::string& path);

struct LinearModule {
  std::string name;  // "model.layers.0.self_attn.q_proj"
  int64_t out = 0, in = 0;
  bool is_output_embedding = false;
  bool transposed = false;    // its weight is stored [in,out], as GPT-2's layers are
  int64_t experts = 0;        // > 0: one weight [experts,out,in]; the name is that weight's, "mlp.experts.down_proj"
  bool is_embedding = false;  // looks rows of its weight [in,out] up: a linear layer of tokens as unit vectors
};

// Does the adapter apply to the layer `module` ("model.layers.0.self_attn.q_proj")? "all-linear" does not mean
// embeddings, neither the input's nor the output's.
bool target_matches(const LoraConfig& config, const std::string& module, bool is_any_embedding);
bool target_matches(const LoraConfig& config, const LinearModule& module);
// Is the weight of experts ("model.layers.0.mlp.experts.down_proj") one of the config's parameters?
bool parameter_matches(const LoraConfig& config, const std::string& weight);

// Is the module, or one that it is part of, trained whole?
bool is_whole(const LoraConfig& config, const std::string& module);

struct LoraPair {
  TensorRef a;               // [rank,in]; of experts [experts*rank,in], expert by expert
  TensorRef b;               // [out,rank]; of experts [out,rank*experts], rank by rank
  TensorRef magnitude = {};  // [out], with DoRA
  TensorRef b_bias = {};     // [out], with b_bias
  bool embedding = false;    // of an embedding: the files have other names for A and B
};
using LoraPairs = std::map<std::string, LoraPair>;  // by module path

struct Adapter {
  std::string path;
  LoraConfig config;
  LoraPairs modules;
  // Copies of the model's own weights, by module: PEFT adds them when embedding or output layer are targets.
  std::map<std::string, TensorRef> base_weights = {};
  std::map<std::string, TensorRef> whole = {};   // weights and biases in place of the model's, by their names in it
  std::map<std::string, TensorRef> tokens = {};  // rows [n,C] in place of the weight's, by module
};

// adapter_model.safetensors, or adapter_model.bin where there is none, as PEFT prefers them. Error{file} for neither.
std::string adapter_weights_path(const std::string& folder);

// Reads both files. The tensors are f32, f16 or bf16 and stay mapped.
Adapter read_adapter(const std::string& folder);

// Throws Error{shape} listing what is missing, unexpected or of another shape: an adapter for another model.
void check_adapter(const Adapter& adapter, const std::vector<LinearModule>& base);

// Writes README.md, adapter_config.json and adapter_model.safetensors, the latter byte for byte as PEFT would. A new
// folder appears whole; into an existing one the files go one by one, each whole. Only config, modules, whole and
// tokens of the adapter count; names inside the tensors are ignored.
void write_adapter(const std::string& folder, const Adapter& adapter);

// adapter_config.json as PEFT 0.21 writes it.
std::string dump_adapter_config(const LoraConfig& config, const LoraPairs& modules);

}  // namespace hearth
