// SPDX-License-Identifier: Apache-2.0
#include "models/families.h"

#include "base/error.h"
#include "io/nearest.h"

namespace hearth {

#define HEARTH_FAMILY(name) ModelSpec name##_spec(const JsonView& config);
#include "models/families.def"
#undef HEARTH_FAMILY

namespace {

struct Family {
  const char* name;
  ModelSpec (*read)(const JsonView& config);
};
constexpr Family kFamilies[] = {
#define HEARTH_FAMILY(name) {#name, name##_spec},
#include "models/families.def"
#undef HEARTH_FAMILY
};

}  // namespace

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) names.push_back(family.name);
  return names;
}

ModelSpec read_model_spec(const JsonView& config) {
  const std::string type = config.text_or("model_type", "");
  for (const Family& family : kFamilies) {
    if (type == family.name) return family.read(config);
  }
  std::string names;
  for (const std::string& name : family_names()) names += (names.empty() ? "" : ", ") + name;
  HEARTH_FAIL(unsupported, "load: model_type '", printable(type), "' is not supported; Hearth has ", names, "\n  in ",
              config.file());
}

}  // namespace hearth
