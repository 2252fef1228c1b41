// SPDX-License-Identifier: Apache-2.0
#pragma once
// Regular expressions as Python's re.fullmatch reads them, for the module patterns of adapters.

#include <string>

namespace hearth {

// Throws Error{format} "<place> is no valid regular expression: <reason>".
void check_regex(const std::string& pattern, const std::string& place);

// Throws Error{format} for an invalid pattern, Error{value} for one that needs too many steps.
bool regex_fullmatch(const std::string& pattern, const std::string& text);

}  // namespace hearth
