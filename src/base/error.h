// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth::Error: the one exception of Hearth. Message = operation, what disagrees with numbers, each operand, a hint
// only if it would work, the place in the model.

#include <sstream>
#include <stdexcept>
#include <string>

namespace hearth {

enum class Kind {
  shape,        // shapes, ranks or axes disagree
  dtype,        // element types disagree or are not supported there
  value,        // an argument has a value that makes no sense
  file,         // a file or folder is missing, unreadable, damaged
  format,       // a file was read, but what it says is wrong
  unsupported,  // meaningful, but Hearth does not do it
  memory,       // out of memory
  numeric,      // NaN or infinity where training cannot go on
  state,        // the call came at the wrong time (nothing to resume, already running)
  bug,          // Hearth's own mistake
};

const char* kind_name(Kind kind);

class Error : public std::runtime_error {
 public:
  Error(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

// Throws Error; appends the active scopes ("in layers.3.attn") and, for Kind::bug, file and line.
[[noreturn]] void fail(Kind kind, const std::string& message, const char* file, int line);

template <class... Values>
std::string cat(const Values&... values) {
  std::ostringstream out;
  (out << ... << values);
  return out.str();
}

// Names the place in a model while it lives: errors thrown inside end with "in layers.3.attn". One stack per thread.
class Scope {
 public:
  explicit Scope(const std::string& name);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  static std::string current();  // names joined by '.', empty outside any scope
};

}  // namespace hearth

#define HEARTH_CHECK(cond, kind, ...) \
  ((cond) ? void() : ::hearth::fail(::hearth::Kind::kind, ::hearth::cat(__VA_ARGS__), __FILE__, __LINE__))
#define HEARTH_FAIL(kind, ...) ::hearth::fail(::hearth::Kind::kind, ::hearth::cat(__VA_ARGS__), __FILE__, __LINE__)
#ifdef NDEBUG
#define HEARTH_DEBUG_CHECK(cond, ...) ((void)0)
#else
#define HEARTH_DEBUG_CHECK(cond, ...) HEARTH_CHECK(cond, bug, __VA_ARGS__)
#endif
