// SPDX-License-Identifier: Apache-2.0
#pragma once
// What filters and methods of texts share.

#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/builtins.h"

namespace hearth::jinja {

// str.splitlines: at \n, \r\n, \r and the other characters that Python takes for line ends.
std::vector<std::string_view> lines_of(std::string_view text, bool keep_ends);

// str.replace; count < 0: all. An empty `old` matches between all characters.
std::string replaced(Interpreter& interpreter, std::string_view text, std::string_view old, std::string_view with,
                     int64_t count);

// Filled up to `width` characters with `fill`; side is where the text stands: '<', '^' or '>'.
std::string padded(Interpreter& interpreter, std::string_view text, int64_t width, std::string_view fill, char side);

}  // namespace hearth::jinja
