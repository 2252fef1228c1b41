// SPDX-License-Identifier: Apache-2.0
#pragma once
// The model families that there are.

#include "models/model_spec.h"

namespace hearth {

std::vector<std::string> family_names();

// What config.json describes. Throws Error{unsupported} for a model_type or a setting that Hearth has not,
// Error{format} for missing, wrongly typed or contradicting values; both name file and key.
ModelSpec read_model_spec(const JsonView& config);

}  // namespace hearth
