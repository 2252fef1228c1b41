// SPDX-License-Identifier: Apache-2.0
#pragma once
// Slices whose place is known at run time only, StableHLO semantics: starts are i32 scalars, clamped so that the slice
// lies inside.

#include "ir/graph.h"

namespace hearth {

Value dynamic_slice(const Value& x, const std::vector<Value>& starts, const Dims& sizes);
// x with `update` written over the box that begins at `starts`. In place where nobody else needs x afterwards.
Value dynamic_update_slice(const Value& x, const Value& update, const std::vector<Value>& starts);

}  // namespace hearth
