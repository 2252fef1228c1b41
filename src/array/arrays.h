// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything on arrays.

#include "array/array.h"
#include "array/creation.h"
#include "array/dtypes.h"
#include "array/elementwise_extras.h"
#include "array/elementwise_functions.h"
#include "array/jit.h"
#include "array/manipulation.h"
#include "array/npy.h"
#include "array/padding.h"
