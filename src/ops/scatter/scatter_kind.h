// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies that scatter has, and its rules that graph side and kernels share.

#include <optional>
#include <string>

#include "ops/gather/index_axes.h"

namespace hearth {

enum class ScatterKind { set, add, multiply, minimum, maximum, bitwise_and, bitwise_or };
std::optional<ScatterKind> scatter_kind(const std::string& name);
bool takes(ScatterKind kind, DType dtype);

// What of the operands does not fit the attributes, in words, or nothing.
std::string scatter_problem(const Dims& operand, const Dims& indices, const Dims& updates, const Attrs& attrs);

// Bytes: 16-bit floats are summed and multiplied in f32, in a copy of the operand.
bool accumulates_wide(ScatterKind kind, DType dtype);
int64_t scatter_workspace(ScatterKind kind, const TensorType& operand);

}  // namespace hearth
