// SPDX-License-Identifier: Apache-2.0
#include "text/jinja/template.h"

#include "base/error.h"
#include "text/jinja/interpreter.h"

namespace hearth::jinja {

static constexpr size_t kMaxSourceBytes = 4 << 20;

Template Template::parse(std::string_view source, std::string name) {
  HEARTH_CHECK(source.size() <= kMaxSourceBytes, unsupported, name, ": the template has ", source.size(),
               " bytes; at most ", kMaxSourceBytes, " are read");
  Template t;
  t.tree_ = std::make_shared<const Tree>(jinja::parse(source, name));
  t.name_ = std::move(name);
  return t;
}

Rendering Template::render(const Json& variables, const RenderOptions& options) const {
  HEARTH_CHECK(variables.is_object(), value, name_, ": the variables of a template must be an object");
  std::vector<std::pair<std::string, Value>> values;
  for (const auto& item : variables.items()) values.emplace_back(item.key(), Value::from_json(item.value()));
  return Interpreter(*tree_, name_, options).run(values);
}

bool Template::has_generation() const { return tree_->has_generation; }

bool Template::mentions(std::string_view variable) const {
  for (const auto& expr : tree_->exprs)
    if (expr->kind == ExprKind::name && expr->text == variable) return true;
  return false;
}

}  // namespace hearth::jinja
