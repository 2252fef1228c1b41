// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "text/jinja/builtins.h"

namespace hearth::jinja {

Bound::Bound(const Arguments& arguments, std::initializer_list<const char*> names, size_t needed)
    : who_(arguments.who), names_(names), values_(names.size(), nullptr) {
  HEARTH_CHECK(arguments.positional.size() <= names_.size(), value, who_, "() takes at most ", names_.size(),
               " arguments, ", arguments.positional.size(), " are given");
  for (size_t i = 0; i < arguments.positional.size(); ++i) values_[i] = &arguments.positional[i];
  for (const auto& argument : arguments.named) {
    const std::string& name = argument.first;
    const auto found = std::find_if(names_.begin(), names_.end(), [&](const char* known) { return name == known; });
    HEARTH_CHECK(found != names_.end(), value, who_, "() got an unexpected keyword argument '", name, "'");
    const Value*& place = values_[static_cast<size_t>(found - names_.begin())];
    HEARTH_CHECK(place == nullptr, value, who_, "() got multiple values for argument '", name, "'");
    place = &argument.second;
  }
  for (size_t i = 0; i < needed; ++i)
    HEARTH_CHECK(values_[i] != nullptr, value, who_, "() misses the argument '", names_[i], "'");
}

const std::string& Bound::text(size_t i) const {
  const bool is_text = values_[i] != nullptr && values_[i]->is(Kind::text);
  HEARTH_CHECK(is_text, value, who_, "(): '", names_[i], "' must be str, not ",
               values_[i] ? type_name(*values_[i]) : "absent");
  return values_[i]->as_text();
}

int64_t Bound::integer(size_t i) const {
  const bool is_whole = values_[i] != nullptr && values_[i]->is_whole();
  HEARTH_CHECK(is_whole, value, who_, "(): '", names_[i], "' must be int, not ",
               values_[i] ? type_name(*values_[i]) : "absent");
  return values_[i]->as_integer();
}

}  // namespace hearth::jinja
