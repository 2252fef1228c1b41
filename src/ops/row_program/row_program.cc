// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "ir/op.h"

namespace hearth {

// Row programs are made by the compiler from other operations; no graph contains one.
std::vector<OpInfo> row_program_ops();
std::vector<OpInfo> row_program_ops() { return {}; }

}  // namespace hearth
