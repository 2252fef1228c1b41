// SPDX-License-Identifier: Apache-2.0
// The one file that is compiled with the path of the repository: compiler caches then serve all others to every clone.
#include "base/file_test_folder.h"

namespace hearth {

std::string source_file(const std::string& name) { return join_path(HEARTH_SOURCE_DIR, name); }

}  // namespace hearth
