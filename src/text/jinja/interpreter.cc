// SPDX-License-Identifier: Apache-2.0
// Statements.
#include "text/jinja/interpreter.h"

#include "base/error.h"
#include "text/jinja/loop.h"

namespace hearth::jinja {

namespace {
// A macro, or the body of a call block, with the names it was defined among.
class MacroValue : public Object {
 public:
  MacroValue(const Macro& macro, std::shared_ptr<Scope> around) : macro_(macro), around_(std::move(around)) {}
  std::string type_name() const override { return "Macro"; }
  Value call(Interpreter& interpreter, Arguments& arguments) override {
    return interpreter.make_text(interpreter.call_macro(macro_, around_.lock(), arguments));
  }
  bool attribute(const std::string& name, Value* value) override {
    if (name != "name") return false;
    *value = Value::text(macro_.name);
    return true;
  }

 private:
  const Macro& macro_;
  std::weak_ptr<Scope> around_;  // kept by the interpreter, so that no ring of owners arises
};
}  // namespace

Interpreter::Interpreter(const Tree& tree, const std::string& name, const RenderOptions& options)
    : tree_(tree), name_(name), options_(options), scope_(std::make_shared<Scope>()) {}

// Namespaces and scopes may hold each other.
Interpreter::~Interpreter() {
  for (const auto& space : spaces_) space->items.clear();
  for (const auto& scope : kept_) scope->names.items.clear();
}

Rendering Interpreter::run(const std::vector<std::pair<std::string, Value>>& variables) {
  std::string out;
  out_ = &out;
  try {
    scope_->names.items = global_functions();
    for (const auto& [name, value] : variables) scope_->names.set(name, value);
    kept_.push_back(scope_);
    scope_ = std::make_shared<Scope>(Scope{.parent = scope_, .names = {}});
    run_body(tree_.body);
  } catch (const Error& error) {
    throw Error(error.kind(), cat(name_, ": line ", line_, ": ", error.what()));
  }
  return {std::move(out), std::move(spans_)};
}

void Interpreter::charge(size_t steps, size_t bytes) {
  steps_ += static_cast<int64_t>(steps);
  bytes_ += static_cast<int64_t>(bytes);
  HEARTH_CHECK(steps_ <= options_.max_steps, value, "the template takes more than ", options_.max_steps, " steps");
  HEARTH_CHECK(bytes_ <= options_.max_bytes, value, "the template makes more than ", options_.max_bytes >> 20,
               " MiB of text");
}

Value Interpreter::make_text(std::string text, bool markup) {
  charge(1 + text.size() / 256, text.size() + sizeof(std::string));
  return markup ? Value::markup(std::move(text)) : Value::text(std::move(text));
}

Value Interpreter::make_list(std::vector<Value> items, ListForm form) {
  charge(1 + items.size() / 16, items.size() * sizeof(Value) + sizeof(List));
  return Value::sequence({.form = form, .items = std::move(items)});
}

Namespace* Interpreter::new_space() {
  charge(1, 4 * sizeof(Namespace));
  spaces_.push_back(std::make_unique<Namespace>());
  return spaces_.back().get();
}

void Interpreter::write(std::string_view text) {
  charge(1 + text.size() / 256, text.size());
  out_->append(text);
}

// --- statements
// --------------------------------------------------------------------------------------------------------

Interpreter::Flow Interpreter::run_body(const Body& body) {
  for (const Statement* statement : body) {
    const Flow flow = run(*statement);
    if (flow != Flow::on) return flow;
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::run(const Statement& statement) {
  charge(1);
  line_ = statement.line;
  switch (statement.kind) {
    case StatementKind::text: write(statement.text); break;
    case StatementKind::output: {
      const Value value = eval(*statement.expr);
      if (value.is(Kind::text))
        write(value.as_text());
      else
        write(to_text(value));
      break;
    }
    case StatementKind::set: assign(statement.targets[0], eval(*statement.expr)); break;
    case StatementKind::set_block: run_set_block(statement); break;
    case StatementKind::branch: return run_branch(statement);
    case StatementKind::loop: run_loop(statement, eval(*statement.expr), 0); break;
    case StatementKind::with: run_with(statement); break;
    case StatementKind::macro: run_macro(statement); break;
    case StatementKind::call_block: run_call_block(statement); break;
    case StatementKind::filter_block:
      write(to_text(filtered(statement.expr, make_text(capture(statement.body)))));
      break;
    case StatementKind::generation: run_generation(statement); break;
    case StatementKind::leave: return Flow::leave;
    case StatementKind::next: return Flow::next;
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::run_branch(const Statement& first) {
  const Statement* branch = &first;
  for (;;) {
    line_ = branch->line;
    if (truth(eval(*branch->expr))) return run_body(branch->body);
    const bool is_elif = branch->otherwise.size() == 1 && branch->otherwise[0]->kind == StatementKind::branch;
    if (!is_elif) return run_body(branch->otherwise);
    branch = branch->otherwise[0];
  }
}

// Sets the scope while it lives; the one before comes back also when an error is thrown.
struct ScopeGuard {
  ScopeGuard(std::shared_ptr<Scope>& place, std::shared_ptr<Scope> scope)
      : place(place), before(std::exchange(place, std::move(scope))) {}
  ~ScopeGuard() { place = std::move(before); }
  std::shared_ptr<Scope>& place;
  std::shared_ptr<Scope> before;
};

static std::shared_ptr<Scope> inside(std::shared_ptr<Scope> parent) {
  return std::make_shared<Scope>(Scope{.parent = std::move(parent), .names = {}});
}

Interpreter::Flow Interpreter::run_in_scope(const Body& body) {
  const ScopeGuard guard(scope_, inside(scope_));
  return run_body(body);
}

void Interpreter::run_loop(const Statement& statement, const Value& items, int depth) {
  const auto loop = std::make_shared<Loop>(*this, statement, items_of(items), depth);
  loop->set_around(scope_);
  const Value loop_value = Value::object(loop);
  if (statement.condition)
    loop->set_condition([&, around = scope_](const Value& item) {
      const ScopeGuard guard(scope_, inside(around));
      assign(statement.targets[0], item);
      return truth(eval(*statement.condition));
    });
  bool completed = false;  // as in jinja2, rounds that end by break or continue leave the else to be run
  while (loop->next()) {
    charge(1);
    const ScopeGuard guard(scope_, inside(scope_));
    assign(statement.targets[0], loop->current());
    scope_->names.set("loop", loop_value);
    const Flow flow = run_body(statement.body);
    completed |= flow == Flow::on;
    if (flow == Flow::leave) break;
  }
  loop->finish();
  if (!completed) run_in_scope(statement.otherwise);
}

Value Interpreter::loop_again(const Statement& loop, const std::shared_ptr<Scope>& around, const Value& items,
                              int depth) {
  const ScopeGuard guard(scope_, around);
  return make_text(captured([&] { run_loop(loop, items, depth); }));
}

void Interpreter::run_with(const Statement& with) {
  std::vector<Value> values;
  for (const Expr* expr : with.exprs) values.push_back(eval(*expr));
  const ScopeGuard guard(scope_, inside(scope_));
  for (size_t i = 0; i < values.size(); ++i) assign(with.targets[i], values[i]);
  run_body(with.body);
}

void Interpreter::run_set_block(const Statement& block) {
  const Value text = make_text(capture(block.body));
  assign(block.targets[0], filtered(block.expr, text));
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (target.is_tuple) {
    const std::vector<Value> items = items_of(value);
    HEARTH_CHECK(items.size() >= target.parts.size(), value, "not enough values to unpack (expected ",
                 target.parts.size(), ", got ", items.size(), ")");
    HEARTH_CHECK(items.size() == target.parts.size(), value, "too many values to unpack (expected ",
                 target.parts.size(), ")");
    for (size_t i = 0; i < items.size(); ++i) assign(target.parts[i], items[i]);
  } else if (target.attribute.empty()) {
    scope_->names.set(target.name, value);
  } else {
    Value space = Value::undefined("'" + target.name + "' is undefined");
    for (const Scope* scope = scope_.get(); scope; scope = scope->parent.get())
      if (const Value* found = scope->names.find(target.name)) {
        space = *found;
        break;
      }
    HEARTH_CHECK(space.is(Kind::space), value, "cannot assign attribute on non-namespace object");
    charge(1, sizeof(Value) + target.attribute.size());
    space.as_space().set(target.attribute, value);
  }
}

// --- output that is kept instead of written
// ----------------------------------------------------------------------------

template <class Work>
std::string Interpreter::captured(const Work& work) {
  std::string text;
  struct Guard {
    Interpreter& i;
    std::string* out;
    size_t base;
    ~Guard() {
      i.out_ = out;
      i.out_base_ = base;
    }
  } guard{*this, out_, out_base_};
  out_base_ += out_->size();
  out_ = &text;
  work();
  return text;
}

std::string Interpreter::capture(const Body& body) {
  return captured([&] { run_in_scope(body); });
}

void Interpreter::run_generation(const Statement& block) {
  const size_t begin = out_base_ + out_->size();
  run_in_scope(block.body);
  spans_.push_back({begin, out_base_ + out_->size()});
}

// `filters` is a chain whose innermost part is missing: it gets `value`.
Value Interpreter::filtered(const Expr* filters, Value value) {
  if (!filters) return value;
  value = filtered(filters->parts[0], std::move(value));
  line_ = filters->line;
  return filter(filters->text, value, eval_arguments(filters->text, filters->arguments));
}

// --- macros
// ------------------------------------------------------------------------------------------------------------

void Interpreter::run_macro(const Statement& statement) {
  charge(1, 2 * sizeof(Scope));
  if (kept_.back() != scope_) kept_.push_back(scope_);
  scope_->names.set(statement.macro.name, Value::object(std::make_shared<MacroValue>(statement.macro, scope_)));
}

void Interpreter::run_call_block(const Statement& block) {
  charge(1, 2 * sizeof(Scope));
  if (kept_.back() != scope_) kept_.push_back(scope_);
  const Value caller = Value::object(std::make_shared<MacroValue>(block.macro, scope_));
  const Value callee = eval(*block.expr->parts[0]);
  Arguments arguments = eval_arguments("", block.expr->arguments);
  arguments.named.emplace_back("caller", caller);
  line_ = block.line;
  write(to_text(call(callee, arguments)));
}

static const Value* named_argument(const Arguments& arguments, const std::string& name) {
  for (const auto& [key, value] : arguments.named)
    if (key == name) return &value;
  return nullptr;
}

static bool is_parameter(const Macro& macro, const std::string& name) {
  for (const Parameter& parameter : macro.parameters)
    if (parameter.name == name) return true;
  return false;
}

// Sets the parameters in the current scope.
void Interpreter::bind_macro(const Macro& macro, const Arguments& arguments) {
  const size_t count = arguments.positional.size(), known = macro.parameters.size();
  HEARTH_CHECK(count <= known || macro.uses_varargs, value, "macro '", macro.name, "' takes not more than ", known,
               " argument(s)");
  std::vector<const Value*> given(known, nullptr);
  for (size_t i = 0; i < known; ++i) {
    const std::string& name = macro.parameters[i].name;
    given[i] = i < count ? &arguments.positional[i] : named_argument(arguments, name);
    HEARTH_CHECK(i >= count || !named_argument(arguments, name), value, "macro '", macro.name,
                 "' got two values for the argument '", name, "'");
    scope_->names.set(name, given[i] ? *given[i] : Value::undefined("'" + name + "' is undefined"));
  }
  for (size_t i = 0; i < known; ++i) {  // defaults see all parameters, those behind them only where they are given
    const Parameter& parameter = macro.parameters[i];
    if (given[i]) continue;
    scope_->names.set(parameter.name, parameter.otherwise
                                          ? eval(*parameter.otherwise)
                                          : Value::undefined("parameter '" + parameter.name + "' was not provided"));
  }
  std::vector<std::pair<Value, Value>> rest;
  for (const auto& [name, value] : arguments.named) {
    if (is_parameter(macro, name)) continue;
    if (name == "caller" && macro.uses_caller) continue;
    HEARTH_CHECK(macro.uses_kwargs, value, "macro '", macro.name, "' takes no keyword argument '", name, "'");
    rest.emplace_back(Value::text(name), value);
  }
  if (macro.uses_kwargs) scope_->names.set("kwargs", Value::dict(std::move(rest)));
  if (macro.uses_varargs) {
    const auto begin = arguments.positional.begin() + static_cast<std::ptrdiff_t>(std::min(count, known));
    scope_->names.set("varargs", Value::tuple({begin, arguments.positional.end()}));
  }
  if (!macro.uses_caller || is_parameter(macro, "caller")) return;
  const Value* caller = named_argument(arguments, "caller");
  scope_->names.set("caller", caller ? *caller : Value::undefined("No caller defined"));
}

std::string Interpreter::call_macro(const Macro& macro, const std::shared_ptr<Scope>& around,
                                    const Arguments& arguments) {
  const ScopeGuard guard(scope_, inside(around));
  bind_macro(macro, arguments);
  return captured([&] { run_body(macro.body); });
}

}  // namespace hearth::jinja
