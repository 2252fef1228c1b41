// SPDX-License-Identifier: Apache-2.0
#pragma once
// config.json has two dialects: transformers 4 (torch_dtype, rope_theta, rope_scaling) and 5 (dtype, rope_parameters).

#include "base/dtype.h"
#include "io/json.h"

namespace hearth {

// The config in the names of version 4, which both versions read; all other keys stay as they are and where they are.
// What version 4 cannot say (rope parameters per kind of layer) stays in the names of version 5.
Json with_v4_names(const Json& config);

// The config of a model whose weights have another type: "dtype" since transformers 4.56, "torch_dtype" before; where
// neither stands, the version decides.
Json with_dtype(Json config, DType dtype);

}  // namespace hearth
