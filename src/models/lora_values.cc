// SPDX-License-Identifier: Apache-2.0
#include "models/lora_values.h"

#include "ops/matmul/matmul.h"
#include "ops/random/random.h"

namespace hearth {

// The matrices are kept in f32 and read in the type of the activations.
Value lora_inner(const LoraValuesOf& lora, const Value& x, const LoraValues& matrices, int64_t site) {
  return linear(lora.dropout > 0 ? dropout(x, lora.dropout, lora.rng, site) : x, matrices.a);
}

}  // namespace hearth
