// SPDX-License-Identifier: Apache-2.0
#include "ops/arg_reduce/arg_reduce_impl.h"

namespace hearth {
const ArgReduceTiles arg_reduce_scalar = {arg_row, arg_columns};
}  // namespace hearth
