// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inner loop of a transposition, compiled once for each instruction set by the files that include
// transpose_strip.inc.

#include <cstdint>

namespace hearth {

// to[r * to_step + c] = from[c * from_step + r] for r < rows, c < columns.
struct TransposeStrip {
  const void* from;
  void* to;
  int64_t from_step, to_step, rows, columns;  // in elements
  bool past_cache;                            // the result is written around the caches, where whole lines can be
};
using TransposeFunction = void (*)(const TransposeStrip&);

TransposeFunction transpose_strip_scalar(int64_t element_bytes);
TransposeFunction transpose_strip_avx2(int64_t element_bytes);
TransposeFunction transpose_strip_avx512(int64_t element_bytes);

}  // namespace hearth
