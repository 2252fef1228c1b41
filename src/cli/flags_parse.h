// SPDX-License-Identifier: Apache-2.0
#pragma once
// Command line -> fields, through CLI11.

#include <string>
#include <vector>

#include "cli/flags.h"

namespace hearth {

struct ParseResult {
  bool help = false;        // --help or -h: nothing was stored, print the help instead
  std::string config_path;  // the last --config, empty without
};

// Stores what the words say in the table's fields and then, for flags that the words do not set, what the file of
// --config says. Throws UsageError for anything wrong: unknown flag (with the nearest known), missing or bad value, a
// flag given twice, a needed flag missing, a configuration file that cannot be read.
ParseResult parse_flags(FlagTable& table, const std::vector<std::string>& words);

}  // namespace hearth
