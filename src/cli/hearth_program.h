// SPDX-License-Identifier: Apache-2.0
#pragma once
// The program's commands, in the order of --help.

#include "cli/flags_command.h"

namespace hearth {

Program hearth_program();

}  // namespace hearth
