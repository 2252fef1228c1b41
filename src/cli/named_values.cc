// SPDX-License-Identifier: Apache-2.0
#include "cli/named_values.h"

#include "io/nearest.h"

namespace hearth {

void set_named_values(FlagTable& table, const std::vector<std::string>& words, const std::string& flag,
                      const std::string& owner) {
  std::vector<std::string> names;
  for (const Flag& one : table.flags) names.push_back(one.name);
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(cat("--", flag, ": '", printable(word), "' is not like name=value"));
    const std::string name = word.substr(0, equals);
    Flag* field = table.find(name);
    if (!field)
      throw UsageError(cat("--", flag, ": ", owner, " has no '", printable(name), "'; it has ",
                           names.empty() ? "no parameters" : list_names(names), did_you_mean(name, names)));
    if (field->given) throw UsageError(cat("--", flag, ": '", name, "' is given twice"));
    set_flag(*field, {word.substr(equals + 1)}, cat("--", flag, " ", name));
  }
}

}  // namespace hearth
