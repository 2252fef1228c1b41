// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "base/isa.h"

namespace hearth {

// What one instruction set contributes, for one row of logits z[V].
struct CrossEntropyRows {
  // Returns logsumexp(z) - z[label]. With `dz` (may be z itself) writes softmax(z) - onehot(label).
  double (*loss)(const float* z, int64_t vocabulary, int64_t label, float* dz);
  double (*sum)(const float* z, int64_t vocabulary);
  // dz = dz factor - shift
  void (*rescale)(float* dz, int64_t vocabulary, float factor, float shift);
  // z = cap tanh((z + bias) / cap), in place; without a cap (0) z + bias; bias may be null.
  void (*bend)(float* z, const float* bias, int64_t vocabulary, float cap);
  // dz *= 1 - (z / cap)^2: the derivative of the cap from its result.
  void (*unbend)(float* dz, const float* z, int64_t vocabulary, float cap);
  // True where argmax of z, the first of equals, is the label.
  bool (*is_top)(const float* z, int64_t vocabulary, int64_t label);
};
const CrossEntropyRows& cross_entropy_rows(Isa isa);
extern const CrossEntropyRows cross_entropy_rows_scalar, cross_entropy_rows_avx2, cross_entropy_rows_avx512;

}  // namespace hearth
