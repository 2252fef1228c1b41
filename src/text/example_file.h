// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files of objects: .jsonl and .ndjson (one a line), or .json (a list of them).

#include <functional>
#include <string>

#include "io/json.h"

namespace hearth {

// Calls take(object) for every example, in order; blank lines are none. A .jsonl file is read piece by piece, a .json
// list whole. Throws Error{file, format}; an Error that `take` throws gets "FILE: line N: " in front ("example N" of a
// list).
void each_example(const std::string& file, const std::function<void(const Json&)>& take);

}  // namespace hearth
