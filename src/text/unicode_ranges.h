// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sets of characters as sorted ranges: what unicode*.cc share.

#include <cstdint>
#include <span>

namespace hearth::tokenizers {

struct Range {
  uint32_t begin, end;  // both included
};

bool is_in_ranges(std::span<const Range> ranges, uint32_t code_point);

// Does a normal form of Unicode 9 leave this character alone, though today's would decompose or move it?
bool is_after_unicode_9(uint32_t code_point);

}  // namespace hearth::tokenizers
