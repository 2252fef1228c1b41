// SPDX-License-Identifier: Apache-2.0
#pragma once
// config.json has two dialects: transformers 4 (torch_dtype, rope_theta, rope_scaling) and 5 (dtype, rope_parameters).

#include "io/json.h"

namespace hearth {

// The config in the names of version 4, which both versions read; all other keys stay as they are and where they are.
// What version 4 cannot say (rope parameters per kind of layer) stays in the names of version 5.
Json with_v4_names(const Json& config);

}  // namespace hearth
