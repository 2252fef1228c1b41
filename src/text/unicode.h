// SPDX-License-Identifier: Apache-2.0
#pragma once
// Properties of characters as the tokenizers library knows them: utf8proc's tables, and where that library's crates
// know an older or a newer Unicode, the difference (unicode_differences.inc). Cost: a table look-up, and beyond U+02FF
// mostly one binary search.

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::tokenizers {

bool is_numeric(uint32_t code_point);          // Rust's char::is_numeric: Nd, Nl, No
bool is_punctuation(uint32_t code_point);      // ASCII punctuation and symbols, other characters of class P
bool is_word_character(uint32_t code_point);   // \w of Rust's regular expressions
bool is_combining_mark(uint32_t code_point);   // Mn, Mc, Me
bool is_nonspacing_mark(uint32_t code_point);  // Mn
bool is_cleaned_by_bert(uint32_t code_point);  // control characters but \t \n \r, formats, private use, U+FFFD
bool is_cjk_ideograph(uint32_t code_point);    // what BERT sets between spaces

// U+0130 becomes two characters, every other one.
void append_lower_case(std::string& out, uint32_t code_point);

// Length in bytes of the extended grapheme cluster (what a reader takes for one character) at text[at]; text is valid.
// Source: The Unicode Standard Annex 29.
size_t grapheme_size(std::string_view text, size_t at);

// The script of a character, a number that means nothing else; hiragana and katakana count as Han. kNoScript for a
// space and for what Unicode 9 did not know.
inline constexpr int kNoScript = 0;
int script_of(uint32_t code_point);

// What PCRE2's Unicode 14 lacks of a general category ("L", "Lu") or a script ("Han"), as members of a set:
// "\x{1c8a}\x{10d4a}-\x{10d4d}". Empty for a property that got nothing new.
std::string newer_members(std::string_view property);

enum class NormalForm { nfc, nfd, nfkc, nfkd };
// Source: The Unicode Standard Annex 15. Of Unicode 9, like the tokenizers library: later characters stay as they are.
// Cost: linear, but for the sorting of runs of marks.
std::string normalize_unicode(std::string_view text, NormalForm form);

}  // namespace hearth::tokenizers
