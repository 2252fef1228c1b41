// SPDX-License-Identifier: Apache-2.0
#define HEARTH_ROW_NAME adamw_8bit_rows_scalar
#include "ops/adamw_8bit/adamw_8bit_rows_impl.h"
