// SPDX-License-Identifier: Apache-2.0
#pragma once
// Elements picked by number along one axis, and their derivative; what sort, top_k and the cumulative extrema are
// differentiated with. Linear time, bound by memory.

#include "ir/graph.h"

namespace hearth {

struct BatchArgs;

// y[.., j, ..] = x[.., index[.., j, ..], ..] along `axis`; 0 where the index lies outside [0, n).
// index: i32 or i64, x's shape but for `axis`. Throws Error{shape}, Error{dtype}.
Value gather_along_axis(const Value& x, const Value& index, int64_t axis);

// y[.., i, ..] = sum over j with index[.., j, ..] = i of x[.., j, ..], of `size` elements along `axis`; an index
// outside adds nowhere. Terms are added in rising order of j, those of f16 and bf16 in f32.
Value scatter_add_along_axis(const Value& x, const Value& index, int64_t axis, int64_t size);

// `axis` counted from the front; -1 is the last. Error{value} when x has no such axis.
int64_t checked_axis(const char* op, const Value& x, int64_t axis);

// The batch rule of every operation that works along attribute `dimension` of all its operands.
void batch_along_axis(BatchArgs& batch);

}  // namespace hearth
