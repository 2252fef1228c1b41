// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the tests of text/ find the repository's files.

#include <string>

#ifndef HEARTH_SOURCE_DIR
#define HEARTH_SOURCE_DIR "."
#endif

namespace hearth {

inline std::string source_path(const std::string& path) { return std::string(HEARTH_SOURCE_DIR) + "/" + path; }

}  // namespace hearth
