// SPDX-License-Identifier: Apache-2.0
#pragma once
// Help for error messages that list names.

#include <string>
#include <vector>

namespace hearth {

// The name with the smallest edit distance to `wanted`; empty when there are none. For errors only: costs time.
std::string nearest_name(const std::string& wanted, const std::vector<std::string>& names);

// Names from files may hold anything: control characters become \x1b, so that none reaches a terminal or cuts a
// message.
std::string printable(const std::string& text);

// "'a', 'b', 'c' and 12 more"
std::string list_names(const std::vector<std::string>& names, size_t most = 8);

}  // namespace hearth
