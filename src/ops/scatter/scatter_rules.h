// SPDX-License-Identifier: Apache-2.0
#pragma once
// The graph side of scatter that its files share.

#include "ir/op.h"
#include "ops/scatter/scatter.h"

namespace hearth {

ScatterDims scatter_dims(const Attrs& attrs);
ScatterOptions scatter_options(const Attrs& attrs);
void scatter_vjp(VjpArgs& v);

}  // namespace hearth
