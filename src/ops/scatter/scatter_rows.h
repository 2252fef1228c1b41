// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inner loops of scatter, compiled once for each instruction set by the files that include scatter_rows.inc.

#include <cstdint>

#include "base/dtype.h"
#include "ops/scatter/scatter_kind.h"

namespace hearth {

// Runs of updates that go to runs of the operand; sizes and places in elements.
struct ScatterBlock {
  void* out;
  const void* updates;
  int64_t stride, run;     // between runs in the updates; elements of a run
  const int64_t* offsets;  // of each run in the operand; -1: dropped
  int64_t count;
  int64_t low, high;  // only elements [low, high) of the operand are written
};
using ScatterFunction = void (*)(const ScatterBlock&);

// Null when there is none: `updates` is `out`, or out is f32 and updates f16 or bf16, or the other way round for "set".
ScatterFunction scatter_function_scalar(ScatterKind kind, DType out, DType updates);
ScatterFunction scatter_function_avx2(ScatterKind kind, DType out, DType updates);
ScatterFunction scatter_function_avx512(ScatterKind kind, DType out, DType updates);

}  // namespace hearth
