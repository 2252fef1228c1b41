// SPDX-License-Identifier: Apache-2.0
#pragma once
// Matmul operands: the kernel reads any matrix with two strides in f32, bf16 or f16, so transposes, slices and the
// widening of stored weights cost nothing.

#include "compiler/lower_state.h"

namespace hearth {

// The view that a matmul reads instead of `in`: through a conversion to f32 of stored 16-bit floats.
View matmul_operand(const Graph& graph, const Views& views, const Value& in);

// Emits a dot_general or matmul_epilogue node as a call of kernel "matmul" (attributes: ops/matmul/matmul_kernels.cc).
void emit_matmul(Emitter& emitter, const Graph& graph, const Views& views, int32_t node);

}  // namespace hearth
