// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"
#include "ops/adamw/adamw.h"

namespace hearth {

// A tensor of n numbers in 8 bits: ceil(n / 256) blocks of codes, each with a scale, their largest absolute value.
struct CodedMoments {
  Value m, m_scale, v, v_scale;  // u8 [blocks,256], f32 [blocks,1], and both once more
};
struct AdamW8bitState {
  Value parameter;  // f32
  CodedMoments moments;
};
struct AdamW8bitStep {
  Value gradient;                                 // as the parameter
  Value learning_rate, correction1, correction2;  // scalars, as adamw's
  Value apply;                                    // bool scalar: without it everything stays
};

// One step of adamw whose moments lie in 8 bits between steps: it decodes them, makes the step with their new values in
// f32, and encodes these, each as the nearest of 256 (dynamic_map.h). Codes behind the last number are those of 0.
// Changes parameter and moments in place where it can. No derivative. Bound by memory: 12 bytes a number.
// Source: Dettmers et al. 2022, arXiv:2110.02861.
AdamW8bitState adamw_8bit(const AdamW8bitState& state, const AdamW8bitStep& step, const AdamWOptions& options);

}  // namespace hearth
