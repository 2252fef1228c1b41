// SPDX-License-Identifier: Apache-2.0
#pragma once
// What all Gemma models share: norms that multiply by 1 + weight, a scaled embedding that the output layer reuses,
// gelu by tanh.

#include <cmath>

#include "models/decoder_layout.h"

namespace hearth {

ModelSpec read_gemma(const JsonView& config, SizeDefaults sizes, const char* activation_key, RopeDefaults rope);

}  // namespace hearth
