// SPDX-License-Identifier: Apache-2.0
#pragma once
// Shell completion of commands, flags, allowed values, files and folders, written from the declared flags.

#include <string>

#include "cli/flags_command.h"

namespace hearth {

std::string bash_completion(const Program& program);
std::string zsh_completion(const Program& program);
std::string fish_completion(const Program& program);

// `hearth completion bash|zsh|fish` prints the script; it completes the program's commands and itself.
Command completion_command(const Program& program);

}  // namespace hearth
