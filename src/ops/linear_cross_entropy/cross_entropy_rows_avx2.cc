// SPDX-License-Identifier: Apache-2.0
#define HEARTH_ROW_NAME cross_entropy_rows_avx2
#include "ops/linear_cross_entropy/cross_entropy_rows_impl.h"
