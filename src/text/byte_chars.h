// SPDX-License-Identifier: Apache-2.0
#pragma once
// The visible characters that stand for bytes in byte-level vocabularies.
// Source: GPT-2's bytes_to_unicode: visible Latin-1 bytes stand for themselves, the others get 256, 257, ... in order.

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::tokenizers {

void append_byte_chars(std::string& out, std::string_view bytes);  // one or two bytes for each byte
int char_to_byte(uint32_t code_point);                             // -1: stands for none

}  // namespace hearth::tokenizers
