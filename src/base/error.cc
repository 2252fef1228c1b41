// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <cstring>
#include <vector>

namespace hearth {

static thread_local std::vector<std::string> scope_stack;

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::shape: return "shape";
    case Kind::dtype: return "dtype";
    case Kind::value: return "value";
    case Kind::file: return "file";
    case Kind::format: return "format";
    case Kind::unsupported: return "unsupported";
    case Kind::memory: return "memory";
    case Kind::numeric: return "numeric";
    case Kind::state: return "state";
    case Kind::bug: return "bug";
  }
  return "?";
}

void fail(Kind kind, const std::string& message, const char* file, int line) {
  std::string text = message;
  const std::string place = Scope::current();
  if (!place.empty()) text += "\n  in " + place;
  if (kind == Kind::bug) {
    const char* base = std::strstr(file, "src/");
    text += cat("\n  this is a mistake in Hearth (", base ? base : file, ":", line, "); please report it");
  }
  throw Error(kind, text);
}

Scope::Scope(const std::string& name) { scope_stack.push_back(name); }
Scope::~Scope() { scope_stack.pop_back(); }

std::string Scope::current() {
  std::string text;
  for (const std::string& name : scope_stack) text += (text.empty() ? "" : ".") + name;
  return text;
}

}  // namespace hearth
