// SPDX-License-Identifier: Apache-2.0
#pragma once
// Patterns of tokenizer.json files are written for Oniguruma in Ruby's syntax. This rewrites one for PCRE2.

#include <string>

namespace hearth::tokenizers {

// Sets inside sets and intersections are unfolded, ^ and $ become what they are at lines, \w \b \h \d \s get
// Oniguruma's members, and properties the characters that PCRE2's older Unicode lacks. Throws Error{unsupported} that
// shows the pattern for a construct that means something else in PCRE2 and is not rewritten (back references, \G, \X,
// {n}? and others): `where` names the place in the file.
std::string oniguruma_to_pcre(const std::string& pattern, const std::string& where);

}  // namespace hearth::tokenizers
