// SPDX-License-Identifier: Apache-2.0
#pragma once
// scatter: StableHLO's scatter with one of a few bodies, for any integer indices. A window that does not lie inside
// the operand as a whole is dropped, as XLA and JAX do. Differs: the specification drops element by element.
// Updates are applied in row-major order of `updates`, so that duplicate indices have one result, the same for any
// number of threads: "set" keeps the last. Adding and multiplying f16 and bf16 accumulates in f32 and rounds once.
// In place where nobody else needs the operand afterwards. Memory-bound: reads indices, updates and what they hit.
// Errors: Error{shape} naming the attribute that does not fit, Error{dtype}.
// Source: openxla.org/stablehlo/spec, scatter.

#include <string>

#include "ops/gather/gather.h"

namespace hearth {

struct ScatterDims {
  Dims update_window_dims = {}, inserted_window_dims = {}, input_batching_dims = {}, scatter_indices_batching_dims = {},
       scatter_dims_to_operand_dims = {};
  int64_t index_vector_dim = 0;
};
struct ScatterOptions {
  std::string kind = "set";  // set add multiply minimum maximum; and, or for integers and bool
  OutOfRange out_of_range = OutOfRange::drop;
  bool indices_are_sorted = false;
  bool unique_indices = false;  // a promise that no two updates hit the same element
};
Value scatter(const Value& operand, const Value& indices, const Value& updates, const ScatterDims& dims,
              const ScatterOptions& options);

inline Value scatter_set(const Value& operand, const Value& indices, const Value& updates, const ScatterDims& dims) {
  return scatter(operand, indices, updates, dims, {.kind = "set"});
}
inline Value scatter_add(const Value& operand, const Value& indices, const Value& updates, const ScatterDims& dims) {
  return scatter(operand, indices, updates, dims, {.kind = "add"});
}
inline Value scatter_multiply(const Value& operand, const Value& indices, const Value& updates,
                              const ScatterDims& dims) {
  return scatter(operand, indices, updates, dims, {.kind = "multiply"});
}
inline Value scatter_minimum(const Value& operand, const Value& indices, const Value& updates,
                             const ScatterDims& dims) {
  return scatter(operand, indices, updates, dims, {.kind = "minimum"});
}
inline Value scatter_maximum(const Value& operand, const Value& indices, const Value& updates,
                             const ScatterDims& dims) {
  return scatter(operand, indices, updates, dims, {.kind = "maximum"});
}

}  // namespace hearth
