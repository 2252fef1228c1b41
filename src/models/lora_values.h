// SPDX-License-Identifier: Apache-2.0
#pragma once
// LoRA updates inside a graph.

#include <map>
#include <string>

#include "ir/graph.h"

namespace hearth {

// LoRA on one linear layer: y += scale * B(A(dropout(x))).
struct LoraValues {
  Value a, b;  // [r,in], [out,r], f32
};
struct LoraValuesOf {
  std::map<std::string, LoraValues> modules = {};  // by module path
  double scale = 1, dropout = 0;
  Value rng = {};  // u64[2], needed when dropout > 0
};

// dropout(x) A^T, [...,r]. `site` tells its random numbers from those of other layers.
Value lora_inner(const LoraValuesOf& lora, const Value& x, const LoraValues& matrices, int64_t site);

}  // namespace hearth
