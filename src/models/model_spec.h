// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a language model is made of, as data. A family fills a ModelSpec from config.json (models/<family>/); the same
// description gives the list of weights that the folder must hold, the linear layers that adapters may target, and the
// graph (models/model_graph.h). Names are the module paths of transformers 5, which PEFT uses as well.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/shape.h"
#include "io/peft.h"
#include "models/rope_spec.h"

namespace hearth {

struct WeightSpec {
  std::string name;  // "model.layers.0.self_attn.q_proj.weight"
  Dims dims;
};

enum class NormKind { none, rms, layer };
struct NormSpec {
  NormKind kind = NormKind::none;
  std::string name = {};  // "model.norm"
  Dims dims = {};         // of the weight: [C]; of queries and keys also [D], or [H,D]: each head has its own
  double eps = 1e-5;
  bool weight = true, bias = false;
  double offset = 0;     // added to the stored weight: 1 in Gemma
  bool by_head = false;  // a weight [H,D] is stored as H weights "<name>.norms.<h>.weight" of [D]
};

// y = x W^T + b. Not there when the name is empty.
struct LinearSpec {
  std::string name = {};  // "model.layers.0.self_attn.q_proj"
  int64_t out = 0, in = 0;
  bool bias = false;
  bool transposed = false;  // stored [in,out], as GPT-2's Conv1D
};

enum class Activation { silu, gelu, gelu_tanh, relu };  // gelu by erf, and by its tanh approximation

// Where queries, keys and values come from.
enum class QkvForm {
  separate,  // three layers
  blocks,    // one layer: all queries, all keys, all values
  grouped,   // one layer: for each key head its queries, its key, its value
};
struct AttentionSpec {
  QkvForm form = QkvForm::separate;
  LinearSpec q = {}, k = {}, v = {};  // a form with one layer has it in q
  LinearSpec out = {};
  NormSpec q_norm = {}, k_norm = {};  // before rotation
  double scale = 0;                   // of the scores; 0: 1/sqrt(D)
  double soft_cap = 0;                // scores become cap * tanh(score / cap); 0: none
  int64_t window = 0;                 // a token sees so many, itself included; 0: all before it
  int rope = -1;                      // place in ModelSpec::ropes; -1: no rotation
};

struct MlpSpec {
  LinearSpec gate = {}, up = {}, down = {};  // without gate: down(f(up x)), with it: down(f(gate x) * up x)
  bool fused = false;                        // `up` gives [gate | up]
  Activation activation = Activation::silu;
};

// Mixture of experts: y = sum over the `used` largest of softmax(router x) of probability * expert(x).
struct ExpertsSpec {
  int64_t count = 0, used = 0;
  bool normalize = true;          // the probabilities of those used sum to 1
  std::string router = {};        // its weight [E,C] is "<router>.weight"
  std::vector<MlpSpec> all = {};  // in transformers 5 no modules, but two weights of `name`: gate_up_proj and down_proj
  std::string name = {};          // "model.layers.0.mlp.experts"
  MlpSpec shared = {};            // added for every token, times sigmoid(shared_gate x)
  LinearSpec shared_gate = {};    // [1,C]
};

struct SubLayerNorms {
  NormSpec before = {}, after = {};  // of the sub-layer's input, of its output
  NormSpec outside = {};             // of the sum with the residual
};

struct LayerSpec {
  std::string name;  // "model.layers.0"
  SubLayerNorms attention_norms = {}, mlp_norms = {};
  AttentionSpec attention = {};
  MlpSpec mlp = {};
  std::optional<ExpertsSpec> experts = {};  // instead of mlp
  // x + attention + mlp, both of x. The mlp reads the attention's normalised input when it has no norm of its own.
  bool parallel = false;
  bool residual_after_norm = false;  // the residual is the normalised input
  double residual_scale = 1;         // of a sub-layer's output
};

// ALiBi (Press et al. 2022, arXiv:2108.12409): scores grow with the key's position times a slope of each head.
struct AlibiSpec {
  double scale = 1;
  bool rounded = false;  // slope and product are rounded to bf16, as Falcon does
};

struct ModelSpec {
  std::string family;                              // "llama": config.json's model_type
  int64_t vocab = 0, hidden = 0, ffn = 0;          // V C F
  int64_t heads = 0, kv_heads = 0, head_size = 0;  // H G D
  int64_t max_positions = 2048;                    // context
  std::vector<RopeSpec> ropes = {};
  std::optional<AlibiSpec> alibi = {};

  std::string embedding = {};  // [V, embedding_size]
  int64_t embedding_size = 0;
  double embedding_scale = 1;
  LinearSpec project_in = {};       // embedding_size -> C
  std::string position_table = {};  // learned positions [max_positions + position_offset, C]
  int64_t position_offset = 0;
  NormSpec embedding_norm = {};
  std::vector<LayerSpec> layers = {};
  NormSpec final_norm = {};
  LinearSpec project_out = {};  // C -> embedding_size
  LinearSpec output = {};       // logits
  bool tied = false;            // its weight is the embedding's
  double logit_scale = 1, logit_soft_cap = 0;

  int32_t bos_id = -1;
  std::vector<int32_t> eos_ids = {};

  std::vector<std::string> default_targets = {"q_proj", "v_proj"};  // of LoRA, as PEFT's table by model_type has them
  // How a file may name what the model names otherwise: parts that are replaced, in order, and the part in front that
  // files of the bare model lack.
  std::vector<std::pair<std::string, std::string>> file_names = {};
  std::string prefix = "model.";
};

// All weights that a folder must hold; the output layer's only when it is not tied.
std::vector<WeightSpec> weights_of(const ModelSpec& spec);

// The linear layers in the order of the model; the output layer last.
std::vector<LinearModule> linear_modules_of(const ModelSpec& spec);

// What adapters may target: the embedding, the linear layers, the experts' weights.
std::vector<LinearModule> lora_modules_of(const ModelSpec& spec);

// Names under which a file may hold a weight, the likeliest first.
std::vector<std::string> stored_names(const ModelSpec& spec, const std::string& weight);

// Calls visit with every linear layer that is there, and with every norm, the model's order: layer by layer, then the
// output layer.
void each_linear(const ModelSpec& spec, const std::function<void(const LinearSpec&)>& visit);
void each_norm(const ModelSpec& spec, const std::function<void(const NormSpec&)>& visit);

}  // namespace hearth
