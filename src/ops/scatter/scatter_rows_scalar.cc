// SPDX-License-Identifier: Apache-2.0
#define HEARTH_SCATTER_FUNCTION scatter_function_scalar
#include "ops/scatter/scatter_rows.inc"
