// SPDX-License-Identifier: Apache-2.0
#pragma once
// argmax, argmin: the number of the largest (smallest) element along an axis, which goes. The first of equals, -0
// equals +0; the first NaN wins, as in NumPy and JAX. Bound by memory. Not differentiable. Throw Error{value} for an
// axis that is not there or an empty one, Error{dtype} for complex numbers and for an index dtype other than i32 and
// i64.

#include "ir/graph.h"

namespace hearth {

Value argmax(const Value& x, int64_t axis = -1, DType index = DType::i32);
Value argmin(const Value& x, int64_t axis = -1, DType index = DType::i32);

}  // namespace hearth
