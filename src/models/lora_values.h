// SPDX-License-Identifier: Apache-2.0
#pragma once
// LoRA updates inside a graph.

#include <map>
#include <string>

#include "ir/graph.h"

namespace hearth {

// LoRA on one linear layer: y += scale * B(A(dropout(x))); with DoRA, rows of W + scale * BA have a trained norm.
struct LoraValues {
  Value a, b;  // [r,in], [out,r], f32
  double scale = 1;
  Value magnitude = {}, b_bias = {};  // [out], f32, where the adapter has them
};
struct LoraValuesOf {
  std::map<std::string, LoraValues> modules = {};  // by module path
  double dropout = 0;
  Value rng = {};  // u64[2], needed when dropout > 0
};

// dropout(x) and dropout(x) A^T, [...,r]. `site` tells their random numbers from those of other layers.
Value lora_dropout(const LoraValuesOf& lora, const Value& x, int64_t site);
Value lora_inner(const LoraValuesOf& lora, const Value& x, const LoraValues& matrices, int64_t site);

// DoRA: magnitude / norm of each row of weight [out,in] + scale * BA, [out] f32. The norm is a constant to derivatives.
// Source: Liu et al. 2024, arXiv:2402.09353, eq. 5 and section 4.3.
Value dora_factor(const LoraValues& matrices, const Value& weight);

}  // namespace hearth
