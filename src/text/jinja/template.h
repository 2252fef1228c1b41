// SPDX-License-Identifier: Apache-2.0
#pragma once
// A chat template in the language of jinja2, set up as transformers does it: trim_blocks, lstrip_blocks, break and
// continue, {% generation %}, raise_exception, strftime_now, tojson without escapes, lists and dicts that cannot be
// changed. Equal to jinja2 on what templates use; what it does not know is refused by name and line.

#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"

namespace hearth::jinja {

struct TextSpan {
  size_t begin = 0, end = 0;  // bytes
};

struct RenderOptions {
  int64_t max_steps = 10'000'000;        // operations of the template
  int64_t max_bytes = int64_t{1} << 29;  // of all texts and lists it makes, also those it drops again
  int max_depth = 1000;                  // calls and operations inside of each other
  std::time_t now = 0;                   // for strftime_now; 0: the clock
};

struct Rendering {
  std::string text;
  std::vector<TextSpan> generated;  // what {% generation %} blocks wrote, in order
};

// Immutable; copies share the tree; render() may be called from several threads.
class Template {
 public:
  // `name` stands for the template in errors: "chat_template.jinja: line 3: ...". Error{format} where the grammar is
  // broken, Error{unsupported} for a tag, filter or test that Hearth does not have.
  static Template parse(std::string_view source, std::string name);

  // `variables` is an object. Error{value} for what the template raises, for undefined names that are used, and when a
  // limit is reached.
  Rendering render(const Json& variables, const RenderOptions& options) const;
  Rendering render(const Json& variables) const { return render(variables, RenderOptions{}); }

  bool has_generation() const;  // a {% generation %} block
  bool mentions(std::string_view variable) const;

 private:
  std::string name_;
  std::shared_ptr<const struct Tree> tree_;
};

}  // namespace hearth::jinja
