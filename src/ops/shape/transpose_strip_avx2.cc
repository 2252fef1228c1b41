// SPDX-License-Identifier: Apache-2.0
#define HEARTH_TRANSPOSE_STRIP transpose_strip_avx2
#include "ops/shape/transpose_strip.inc"
