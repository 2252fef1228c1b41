// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an adapter adds to one weight, number by number, as merging and DoRA need it.

#include <span>
#include <vector>

#include "train/lora.h"

namespace hearth {

// Rounds x to a float dtype and stores it as element i.
void store_float(DType dtype, std::byte* out, int64_t i, float x);

float rounded_as(const TensorRef& tensor, float x);  // to the tensor's dtype

// delta[i] = (B A)[o, first + i], summed in f32 over rising r, as the real library's matmul of so thin a matrix does.
void update_row(const LoraMatrices& matrices, int64_t o, int64_t first, std::span<float> delta);

// sqrt(sum of squares) of each row of f32(W) + (B A) * scale. `transposed`: W is stored [in,out].
std::vector<float> dora_norms(const TensorRef& weight, const LoraMatrices& matrices, bool transposed);

// Throws Error{unsupported} for what the layer cannot have: the logits of an output layer never exist whole.
void check_layer(const LoraConfig& config, const LinearModule& module);

}  // namespace hearth
