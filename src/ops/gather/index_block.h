// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inner loops of indexing, compiled once for each instruction set by the files that include index_block.inc.

#include <cstdint>

#include "base/dtype.h"

namespace hearth {

// One component of the indices of a block of runs: start = index[j * step] is clamped to [0, last]; offsets[j] becomes
// (first: operand_at + j * operand_step; else offsets[j]) + start * operand. Where the start lies outside and clamp is
// false, or offsets[j] was, it is -1.
struct IndexBlock {
  const void* index;
  int64_t step, last, operand;
  bool clamp, first;
  int64_t operand_at, operand_step;
  int64_t count;
  int64_t* offsets;
};
using OffsetsFunction = void (*)(const IndexBlock&);

// to[j] = from[offsets[j]], elements side by side in `to`; zeros where an offset is -1, which none is when `inside`.
struct ElementBlock {
  const void* from;
  void* to;
  const int64_t* offsets;
  int64_t count;
  bool inside;
};
using ElementsFunction = void (*)(const ElementBlock&);

// Both at once, for indices of one component (b.first) that are clamped. Null for index dtypes that are rare.
using TakeFunction = void (*)(const IndexBlock& b, const void* from, void* to);

struct IndexFunctions {
  OffsetsFunction offsets;    // of an index dtype
  ElementsFunction elements;  // of an element size
  TakeFunction take;          // of both
};
IndexFunctions index_functions_scalar(DType index, int64_t element);
IndexFunctions index_functions_avx2(DType index, int64_t element);
IndexFunctions index_functions_avx512(DType index, int64_t element);

}  // namespace hearth
