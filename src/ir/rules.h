// SPDX-License-Identifier: Apache-2.0
#pragma once
// Rules that many operations share, for their OpInfo to name.

#include "ir/op.h"

namespace hearth {

// --- OpInfo::batch
// The same operation on inputs that all have the batch axis: what it does to an example is not touched by axes before.
void batch_same(BatchArgs& args);
void batch_decomposition(BatchArgs& args);
void batch_one_by_one(BatchArgs& args);

// The pieces batch rules are made of. Axis lists of an example, one further: {0, 2} becomes {1, 3}.
Dims axes_after_batch(Dims axes);
Dims with_first(int64_t first, Dims rest);  // {first, rest...}
// [N,B,...] as [N*B,...] and back, for operations that have a batch axis of their own.
Value fold_batch(const Value& x);
Value unfold_batch(const Value& x, int64_t size);

// --- OpInfo::jvp
// The outputs are linear in all inexact inputs together: the same operation on the tangents.
void jvp_linear(JvpArgs& args);

}  // namespace hearth
