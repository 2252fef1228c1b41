// SPDX-License-Identifier: Apache-2.0
#pragma once
// The weights of a model that is trained from scratch, drawn as the _init_weights functions of transformers 5.17 draw
// them: normal numbers with deviation initializer_range (init_std where a config has that name), biases 0, norms 1
// (Gemma's, which are stored less 1, 0); the row of the padding token is 0 in the families that give it one; GPT-2's
// and GPT-BigCode's layers that write to the residual are divided by sqrt(2 layers).

#include <map>
#include <span>
#include <string>

#include "io/json.h"
#include "models/model_spec.h"

namespace hearth {

class InitialWeights {
 public:
  InitialWeights(const ModelSpec& spec, const JsonView& config);
  // Fills `values` with the weight's numbers: a function of the seed and the weight's number alone.
  void draw(const WeightSpec& weight, uint64_t seed, uint32_t number, std::span<float> values) const;

 private:
  double deviation_ = 0.02;
  std::map<std::string, float> constants_;    // weights that are one number
  std::map<std::string, double> deviations_;  // weights with another deviation
  std::string padded_;                        // the weight with a row of zeros
  int64_t padding_ = -1;                      // its place
};

}  // namespace hearth
