// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the fuzz entry does with bytes that claim to be a file for --config: set the flags of a command, write them as a
// configuration, and read that again. Only UsageError may come out.

#include <cstdlib>
#include <string>

#include "cli/flags_config.h"
#include "cli/flags_test_command.h"

namespace hearth {

// The configuration that is set after reading `text`.
inline std::string configured_text(const std::string& text, const char* name) {
  TuneFlags flags;
  FlagTable table = flag_table(flags);
  apply_config_text(table, text, name);
  return table.to_json().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

inline void fuzz_config_file(const std::string& text) {
  std::string written;
  try {
    written = configured_text(text, "fuzz.yaml");
  } catch (const UsageError&) {
    return;
  }
  if (configured_text(written, "again.json") != written) std::abort();
}

}  // namespace hearth
