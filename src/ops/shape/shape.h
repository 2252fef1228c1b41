// SPDX-License-Identifier: Apache-2.0
#pragma once
// Operations that move elements and compute nothing, StableHLO semantics. On row-program backends they are views: the
// consumer reads through other strides. Throw Error{shape} or Error{value} naming operands and numbers.

#include "ir/graph.h"

namespace hearth {

// Axis i of x becomes axis dims[i] of the result, whose sizes are `shape`; a size of 1 stretches.
Value broadcast_in_dim(const Value& x, const Dims& shape, const Dims& dims);
Value broadcast_to(const Value& x, const Dims& shape);     // NumPy's rule; x itself when nothing changes
Value reshape(const Value& x, const Dims& shape);          // one size may be -1
Value transpose(const Value& x, const Dims& permutation);  // result axis i is x's axis permutation[i]
Value slice(const Value& x, const Dims& start, const Dims& limit, const Dims& strides = {});
Value slice_axis(const Value& x, int64_t axis, int64_t start, int64_t limit);
Value reverse(const Value& x, const Dims& axes);
Value concatenate(const std::vector<Value>& parts, int64_t axis);

struct Padding {
  Dims low = {}, high = {},
       interior = {};  // elements added before, after, and between neighbours, per axis; low and high may be negative
};
Value pad(const Value& x, const Value& fill, const Padding& padding);

}  // namespace hearth
