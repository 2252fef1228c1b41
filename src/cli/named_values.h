// SPDX-License-Identifier: Apache-2.0
#pragma once
// A flag whose items are parameters by name: --schedule-args num_cycles=2,min_lr=1e-5

#include "cli/flags.h"

namespace hearth {

// Sets the fields of `table`, declared like flags, from words "name=value". `flag` and `owner` ("polynomial") are for
// the messages. Throws UsageError for a word of another form, an unknown name, a name given twice, and a value out of
// its range.
void set_named_values(FlagTable& table, const std::vector<std::string>& words, const std::string& flag,
                      const std::string& owner);

}  // namespace hearth
