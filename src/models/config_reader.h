// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the families' readers of config.json share.

#include "models/model_spec.h"

namespace hearth {

// Sizes with their usual names and defaults; 0: the key must be there.
struct SizeDefaults {
  int64_t ffn = 0;
  int64_t kv_heads = 0;   // 0: as many as heads
  int64_t head_size = 0;  // 0: hidden / heads
  int64_t max_positions = 2048;
  bool tied = false;
  // Other names, as families of the GPT-2 kind have them.
  const char *hidden_key = "hidden_size", *layers_key = "num_hidden_layers", *heads_key = "num_attention_heads",
             *ffn_key = "intermediate_size", *kv_heads_key = "num_key_value_heads",
             *positions_key = "max_position_embeddings";
};

// A spec with family, sizes, tied, bos and eos, and as many layers, named "<stem>.<i>", that are still empty. Throws
// Error{format} for sizes that are missing, out of range or contradict each other.
ModelSpec read_sizes(const JsonView& config, const SizeDefaults& defaults, const std::string& layers_stem);

// The integer under the first of the names that is there.
int64_t integer_of(const JsonView& config, std::initializer_list<const char*> names, IntegerRange range);

// Throws Error{unsupported} for one that Hearth has not.
Activation read_activation(const JsonView& config, const char* key, const char* usual);

// "layer_types" of version 5, or what `usual` says of each layer: true where attention slides. Empty layer_types,
// unknown words and a wrong count are refused.
std::vector<bool> read_sliding_layers(const JsonView& config, size_t layers, const std::function<bool(size_t)>& usual);

// "sliding_window", 0 where it is null or not there.
int64_t read_window(const JsonView& config, int64_t usual);

// Refuses a setting that changes what the model computes and that Hearth has not.
void refuse_setting(const JsonView& config, const char* key, bool used);

NormSpec rms_norm_of(const std::string& name, int64_t size, double eps);
NormSpec layer_norm_of(const std::string& name, int64_t size, double eps, bool bias = true);

}  // namespace hearth
