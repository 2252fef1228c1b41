// SPDX-License-Identifier: Apache-2.0
#pragma once
// --config FILE: a JSON or YAML mapping from flag names, written with - or _, to values. Lists are lists or text with
// commas; null leaves the default. A flag on the command line wins over the file.

#include <string>

#include "cli/flags.h"

namespace hearth {

// Sets the flags that were not given yet. Throws UsageError: the file cannot be read or parsed, has a key that is no
// flag (with the nearest), a key twice, or a value of the wrong type.
void apply_config_file(FlagTable& table, const std::string& path);

// The same from text; `name` names it in messages, and text that starts with '{' is JSON.
void apply_config_text(FlagTable& table, const std::string& text, const std::string& name);

}  // namespace hearth
