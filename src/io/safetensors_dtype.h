// SPDX-License-Identifier: Apache-2.0
#pragma once
// Names of element types in safetensors files.

#include <string_view>

#include "base/dtype.h"

namespace hearth {

bool parse_safetensors_dtype(std::string_view name, DType* out);  // false for those that Hearth has not
bool is_other_safetensors_dtype(std::string_view name);           // known to safetensors 0.8, but not to Hearth
const char* safetensors_dtype_name(DType dtype);
int safetensors_dtype_rank(DType dtype);  // the library writes tensors of a higher rank first

}  // namespace hearth
