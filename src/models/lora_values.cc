// SPDX-License-Identifier: Apache-2.0
#include "models/lora_values.h"

#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/random/random.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

const std::vector<LoraValues>& LoraValuesOf::of(const std::string& module) const {
  static const std::vector<LoraValues> none;
  const auto found = modules.find(module);
  return found == modules.end() ? none : found->second;
}

Value lora_dropout(const LoraValuesOf& lora, const LoraValues& m, const Value& x, int64_t site) {
  return m.dropout > 0 ? dropout(x, m.dropout, lora.rng, site) : x;
}

// The matrices are kept in f32 and read in the type of the activations.
Value lora_inner(const LoraValuesOf& lora, const LoraValues& m, const Value& x, int64_t site) {
  return linear(lora_dropout(lora, m, x, site), m.a);
}

Value lora_change(const LoraValues& m, const Value& change, const Value& factor, const Value& base) {
  Value all = change * m.scale;
  if (factor.valid()) {
    const Value f = convert(factor, base.dtype());
    all = (f - 1.0) * base + f * all;
  }
  return m.share.valid() ? all * broadcast_in_dim(convert(m.share, all.dtype()), all.dims(), {0}) : all;
}

// The same numbers, constants to derivatives: those do not pass through integers.
static Value detached(const Value& x) { return bitcast_convert(bitcast_convert(x, DType::i32), x.dtype()); }

Value dora_factor(const LoraValues& m, const Value& weight) {
  const Value w = convert(weight, DType::f32) + matmul(detached(m.b), detached(m.a)) * m.scale;
  return m.magnitude / sqrt(reduce_sum(w * w, {1}));
}

}  // namespace hearth
