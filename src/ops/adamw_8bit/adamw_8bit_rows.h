// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "base/isa.h"

namespace hearth {

struct AdamW8bitNumbers {
  float beta1, rest1, beta2, rest2, eps;         // rest: 1 - beta, which f32's beta is too coarse for
  float shrink;                                  // 1 - rate * weight decay
  float rate;                                    // over correction1
  float inverse_root;                            // 1 / sqrt(correction2)
  const float *signed_values, *unsigned_values;  // [256]
};
// One block of at most 256 numbers; what is written may be what is read.
struct AdamW8bitBlock {
  int64_t count;
  const float *p, *g;
  const uint8_t *m, *v;  // [256]
  float m_scale, v_scale;
  float* next_p;
  uint8_t *next_m, *next_v;  // [256]
  float *next_m_scale, *next_v_scale;
};

// What one instruction set contributes.
using AdamW8bitRows = void (*)(const AdamW8bitNumbers&, const AdamW8bitBlock&);
extern const AdamW8bitRows adamw_8bit_rows_scalar, adamw_8bit_rows_avx2, adamw_8bit_rows_avx512;

}  // namespace hearth
