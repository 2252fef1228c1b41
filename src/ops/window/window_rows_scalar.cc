// SPDX-License-Identifier: Apache-2.0
#define HEARTH_WINDOW_FUNCTION window_function_scalar
#define HEARTH_SELECT_FUNCTION select_function_scalar
#define HEARTH_WINDOW_ALL 1
#include "ops/window/window_rows.inc"
