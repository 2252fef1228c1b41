// SPDX-License-Identifier: Apache-2.0
#pragma once
// How many rows of logits exist at a time: graph side and kernel agree on it here.

#include <algorithm>
#include <cstdint>

#include "base/dtype.h"

namespace hearth {

// A chunk must be tall enough for the matmul (256 rows), and small beside the model's activations.
inline int64_t cross_entropy_chunk(int64_t rows, int64_t vocabulary) {
  constexpr int64_t kChunkBytes = 16 << 20;
  const int64_t fit = kChunkBytes / (4 * std::max<int64_t>(1, vocabulary)) / 16 * 16;
  return std::min(rows, std::max<int64_t>(256, fit));
}

// f32 logits of a chunk, a 16-bit copy of their derivative when the matmul is 16-bit, and the losses of its rows.
inline int64_t cross_entropy_workspace(int64_t rows, int64_t vocabulary, DType dtype) {
  const int64_t chunk = cross_entropy_chunk(rows, vocabulary);
  return chunk * vocabulary * 4 + (size_bytes(dtype) == 2 ? chunk * vocabulary * 2 : 0) + chunk * 8 + 256;
}

}  // namespace hearth
