// SPDX-License-Identifier: Apache-2.0
// For tests/interop: renders chat templates.
//   hearth_template
// Each line of stdin is {"template": "...", "variables": {...}} with an optional "now" (seconds since 1970). Each line
// of stdout is {"text": "...", "generated": [[begin, end], ...]} (bytes), or {"error": "..."}.

#include <iostream>
#include <map>

#include "base/error.h"
#include "text/jinja/template.h"

namespace hearth {

static Json answer(const Json& line) {
  static std::map<std::string, jinja::Template> parsed;
  try {
    const std::string source = line.at("template").get<std::string>();
    if (parsed.find(source) == parsed.end()) parsed.emplace(source, jinja::Template::parse(source, "template"));
    const jinja::RenderOptions options{.now = line.value("now", int64_t{0})};
    const jinja::Rendering rendering = parsed.at(source).render(line.at("variables"), options);
    Json spans = Json::array();
    for (const jinja::TextSpan& span : rendering.generated) spans.push_back({span.begin, span.end});
    return {{"text", rendering.text}, {"generated", spans}};
  } catch (const Error& error) {
    return {{"error", error.what()}};
  }
}

}  // namespace hearth

int main() {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << hearth::answer(hearth::Json::parse(line)).dump() << '\n';
}
