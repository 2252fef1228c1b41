// SPDX-License-Identifier: Apache-2.0
#pragma once
// LoRA updates inside a graph.

#include <map>
#include <string>

#include "ir/graph.h"

namespace hearth {

// LoRA on one layer: y += scale * B(A(dropout(x))); with DoRA, rows of W + scale * BA have a trained norm.
struct LoraValues {
  Value a, b;  // [r,in], [out,r], f32
  double scale = 1;
  double dropout = 0;
  int64_t experts = 0;  // > 0: rows of a are those of one expert after the other, columns of b rank by rank
  Value magnitude = {}, b_bias = {};  // [out], f32, where the adapter has them
  Value share = {};                   // [B] f32: what of the change each row of a batch gets; not valid: all of it
};
struct LoraValuesOf {
  std::map<std::string, std::vector<LoraValues>> modules = {};  // by module path; several act in this order
  Value rng = {};                                               // u64[2], needed where there is dropout

  const std::vector<LoraValues>& of(const std::string& module) const;  // none: empty
};

// dropout(x) and dropout(x) A^T, [...,r]. `site` tells their random numbers from those of other layers.
Value lora_dropout(const LoraValuesOf& lora, const LoraValues& matrices, const Value& x, int64_t site);
Value lora_inner(const LoraValuesOf& lora, const LoraValues& matrices, const Value& x, int64_t site);

// What joins a layer's output: change * scale, where `change` is B(A(x)) [...,out]; with DoRA's factor [out]
// (factor - 1) * base + factor * change * scale, where `base` is the output so far. Times the rows' shares, which take
// x and change as [B,...].
Value lora_change(const LoraValues& matrices, const Value& change, const Value& factor, const Value& base);

// DoRA: magnitude / norm of each row of weight [out,in] + scale * BA, [out] f32. The norm is a constant to derivatives.
// Source: Liu et al. 2024, arXiv:2402.09353, eq. 5 and section 4.3.
Value dora_factor(const LoraValues& matrices, const Value& weight);

}  // namespace hearth
