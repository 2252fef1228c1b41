// SPDX-License-Identifier: Apache-2.0
#pragma once
// gather: StableHLO's gather, slices of an operand at starts that are data. Indices are of any integer dtype; nothing
// here counts from the end: -1 is outside. Memory-bound: reads each index and each slice once, writes the result once.
// Errors: Error{shape} naming the attribute that does not fit, Error{dtype} for indices that are no integers.

#include <optional>

#include "ir/graph.h"

namespace hearth {

struct GatherDims {
  Dims offset_dims = {}, collapsed_slice_dims = {}, operand_batching_dims = {}, start_indices_batching_dims = {},
       start_index_map = {};
  int64_t index_vector_dim = 0;
};
enum class OutOfRange {
  clamp,  // the slice is moved so that it lies inside: StableHLO's rule for gather
  drop,   // its place in the result is zeros: the derivative of a scatter that drops
};
// Source: openxla.org/stablehlo/spec, gather. indices_are_sorted changes no value and is kept for other readers.
struct GatherOptions {
  OutOfRange out_of_range = OutOfRange::clamp;
  bool indices_are_sorted = false;
};
Value gather(const Value& operand, const Value& start_indices, const GatherDims& dims, const Dims& slice_sizes,
             const GatherOptions& options = {});

enum class TakeMode {
  clip,  // the nearest index inside
  wrap,  // the index modulo the size
  fill,  // TakeOptions::fill
};
struct TakeOptions {
  TakeMode mode = TakeMode::clip;
  std::optional<double> fill = {};  // none: NaN for floats, else JAX's: the lowest signed, highest unsigned, true
};
// x [a...,n,b...] along `axis` (negative: from the end) at indices [i...] -> [a...,i...,b...]
Value take(const Value& x, const Value& indices, int64_t axis, const TakeOptions& options = {});

// y[..., i, ...] = x[..., indices[..., i, ...], ...] along `axis`: both of one rank; their other sizes are equal or 1,
// which is repeated. Indices outside are clamped.
Value take_along_axis(const Value& x, const Value& indices, int64_t axis);

}  // namespace hearth
