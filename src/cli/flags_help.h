// SPDX-License-Identifier: Apache-2.0
#pragma once
// What --help prints. Fits 80 columns.

#include <string>
#include <vector>

#include "cli/flags.h"

namespace hearth {

// Usage line, then each visible flag with its placeholder, its help and, in brackets, "needed" or the default and
// limits.
std::string help_text(const std::string& program, const std::string& command, const std::string& summary,
                      const FlagTable& table);

// Two columns, the right one wrapped: the layout of every list in --help. A row without right side is a heading.
struct HelpRow {
  std::string left;
  std::string right;
};
std::string help_columns(const std::vector<HelpRow>& rows);

}  // namespace hearth
