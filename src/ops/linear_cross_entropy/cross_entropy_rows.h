// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "base/isa.h"

namespace hearth {

// One row of logits z[V]: returns logsumexp(z) - z[label]. With `dz` (may be z itself) writes softmax(z) -
// onehot(label).
using CrossEntropyRow = double (*)(const float* z, int64_t vocabulary, int64_t label, float* dz);
CrossEntropyRow cross_entropy_row(Isa isa);
double cross_entropy_row_scalar(const float* z, int64_t vocabulary, int64_t label, float* dz);
double cross_entropy_row_avx2(const float* z, int64_t vocabulary, int64_t label, float* dz);
double cross_entropy_row_avx512(const float* z, int64_t vocabulary, int64_t label, float* dz);

}  // namespace hearth
