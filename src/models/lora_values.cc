// SPDX-License-Identifier: Apache-2.0
#include "models/lora_values.h"

#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/random/random.h"
#include "ops/reduce/reduce.h"

namespace hearth {

Value lora_dropout(const LoraValuesOf& lora, const Value& x, int64_t site) {
  return lora.dropout > 0 ? dropout(x, lora.dropout, lora.rng, site) : x;
}

// The matrices are kept in f32 and read in the type of the activations.
Value lora_inner(const LoraValuesOf& lora, const Value& x, const LoraValues& matrices, int64_t site) {
  return linear(lora_dropout(lora, x, site), matrices.a);
}

// The same numbers, constants to derivatives: those do not pass through integers.
static Value detached(const Value& x) { return bitcast_convert(bitcast_convert(x, DType::i32), x.dtype()); }

Value dora_factor(const LoraValues& m, const Value& weight) {
  const Value w = convert(weight, DType::f32) + matmul(detached(m.b), detached(m.a)) * m.scale;
  return m.magnitude / sqrt(reduce_sum(w * w, {1}));
}

}  // namespace hearth
