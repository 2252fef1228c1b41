// SPDX-License-Identifier: Apache-2.0
#include "ops/scatter/scatter_kind.h"

#include "base/error.h"

namespace hearth {

std::optional<ScatterKind> scatter_kind(const std::string& name) {
  if (name == "set") return ScatterKind::set;
  if (name == "add") return ScatterKind::add;
  if (name == "multiply") return ScatterKind::multiply;
  if (name == "minimum") return ScatterKind::minimum;
  if (name == "maximum") return ScatterKind::maximum;
  if (name == "and") return ScatterKind::bitwise_and;
  if (name == "or") return ScatterKind::bitwise_or;
  return {};
}

bool takes(ScatterKind kind, DType dtype) {
  switch (kind) {
    case ScatterKind::set: return true;
    case ScatterKind::add:
    case ScatterKind::multiply: return dtype != DType::boolean;
    case ScatterKind::minimum:
    case ScatterKind::maximum: return dtype != DType::boolean && !is_complex(dtype);
    default: return dtype == DType::boolean || is_int(dtype);
  }
}

std::string scatter_problem(const Dims& operand, const Dims& indices, const Dims& updates, const Attrs& attrs) {
  const IndexAxes axes = scatter_axes(attrs, operand, updates);
  std::string problem = index_problem(operand, indices, axes);
  if (!problem.empty()) return problem;
  const Dims wanted = data_dims(indices, axes);
  return updates == wanted ? "" : cat("updates must have the sizes ", ShowDims{wanted});
}

bool accumulates_wide(ScatterKind kind, DType dtype) {
  return (kind == ScatterKind::add || kind == ScatterKind::multiply) && (dtype == DType::f16 || dtype == DType::bf16);
}

int64_t scatter_workspace(ScatterKind kind, const TensorType& operand) {
  return accumulates_wide(kind, operand.dtype) ? operand.elements() * int64_t(sizeof(float)) : 0;
}

}  // namespace hearth
