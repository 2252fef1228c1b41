// SPDX-License-Identifier: Apache-2.0
#pragma once
// The graph side of the window operations that its files share.

#include "ir/op.h"
#include "ops/window/window.h"

namespace hearth {

Attrs window_attrs(const WindowDims& window, int64_t rank);
WindowDims window_dims(const Attrs& attrs);
void reduce_window_vjp(VjpArgs& v);

}  // namespace hearth
