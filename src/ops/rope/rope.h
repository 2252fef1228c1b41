// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/graph.h"

namespace hearth {

struct RopeOptions {
  std::vector<double> frequencies = {};   // R/2 angles per position: theta^(-2i/R), scaled as the model's config says
  double scale = 1;                       // multiplies cos and sin (YaRN's attention factor)
  bool inverse = false;                   // rotates backwards: the derivative
  bool interleaved = false;               // pairs are neighbours (2i, 2i+1)
  std::optional<Value> known_later = {};  // f32 [R/2]: frequencies that only the run knows
};

// Rotary embedding of the first R <= D elements of each head, the others stay. Hugging Face layout: with h = R/2 and
// a = positions[t] * frequencies[i],
//   y[i] = x[i] cos a - x[i+h] sin a,   y[i+h] = x[i+h] cos a + x[i] sin a
// x [B,T,H,D], positions i32 [T] or [B,T]. Angles, cos and sin in f32.
// Source: Su et al. 2021, arXiv:2104.09864. Differs: pairs are (i, i+h), as in transformers, unless interleaved.
Value rope(const Value& x, const Value& positions, const RopeOptions& options);

}  // namespace hearth
