// SPDX-License-Identifier: Apache-2.0
#pragma once
// Characters as Python's str knows them: classes and changes of case. Texts are valid UTF-8.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::jinja {

bool is_space(uint32_t c);  // str.isspace: White_Space and the separators 0x1C..0x1F
bool is_alpha(uint32_t c);
bool is_decimal(uint32_t c);
bool is_digit(uint32_t c);
bool is_numeric(uint32_t c);
bool is_alnum(uint32_t c);
bool is_upper(uint32_t c);
bool is_lower(uint32_t c);
bool is_title(uint32_t c);
bool is_printable(uint32_t c);  // repr() writes it as it is

std::string to_lower(std::string_view text);  // a sigma at the end of a word becomes the final one
std::string to_upper(std::string_view text);
std::string to_capitalized(std::string_view text);  // first character in title case, the others in lower case
std::string to_title(std::string_view text);        // the first letter of each run of letters
std::string swap_case(std::string_view text);

bool is_ascii(std::string_view text);
size_t code_points(std::string_view text);
std::vector<uint32_t> to_code_points(std::string_view text);
std::string to_utf8(const std::vector<uint32_t>& points);
// Byte at which character number `index` begins; the size when there are not so many.
size_t byte_of(std::string_view text, size_t index);

// Without the characters at both ends, or one, that are white space, or that stand in `characters`.
enum class Side { left, right, both };
std::string_view strip(std::string_view text, Side side, const std::string_view* characters = nullptr);

}  // namespace hearth::jinja
