// SPDX-License-Identifier: Apache-2.0
#pragma once
// Unicode normalization form C: characters decomposed, marks sorted, then composed again.
// Source: The Unicode Standard Annex 15; sections 3.11 and 3.12 of the standard.

#include <string>
#include <string_view>

namespace hearth::tokenizers {

std::string to_nfc(std::string_view text);  // text is valid UTF-8

}  // namespace hearth::tokenizers
