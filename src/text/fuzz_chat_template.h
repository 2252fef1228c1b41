// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the fuzz entry does with bytes that claim to be a chat template: parse, render a conversation. Only Error may
// come out, soon and with little memory.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "text/chat_template.h"

namespace hearth {

inline void fuzz_chat_template(const uint8_t* data, size_t size) {
  static const Json variables = Json::parse(R"({
    "messages": [{"role": "system", "content": "s é"}, {"role": "user", "content": [{"type": "text", "text": " a\n"}]},
                 {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1.5}}}]},
                 {"role": "tool", "content": "{}"}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {"type": "string"}}}}}],
    "documents": null, "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>"})");
  try {
    const std::string_view source(reinterpret_cast<const char*>(data), size);
    const jinja::RenderOptions options{.max_steps = 200'000, .max_bytes = 32 << 20, .now = 1'700'000'000};
    const jinja::Rendering rendering = jinja::Template::parse(source, "fuzz.jinja").render(variables, options);
    for (const jinja::TextSpan& span : rendering.generated)
      if (span.begin > span.end) std::abort();
  } catch (const Error& error) {
    if (error.kind() == Kind::bug) std::abort();
  }
}

}  // namespace hearth
