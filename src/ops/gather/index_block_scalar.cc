// SPDX-License-Identifier: Apache-2.0
#define HEARTH_INDEX_FUNCTIONS index_functions_scalar
#include "ops/gather/index_block.inc"
