// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth info: what is in a model folder or an adapter folder, and the memory it takes.

#include "cli/flags_command.h"

namespace hearth {

struct InfoFlags {
  std::string model;

  template <class Visit>
  void visit(Visit&& flag) {
    flag("model", model, "model folder, or adapter folder",
         {.needed = true, .positional = true, .path = PathKind::folder});
  }
};

int run_info(const InfoFlags& flags, const CommonFlags& common);

}  // namespace hearth
