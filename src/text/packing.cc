// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.h"
#include "text/examples.h"

namespace hearth {

std::vector<std::vector<int64_t>> pack_rows(const std::vector<int64_t>& lengths, int64_t room) {
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return lengths[size_t(a)] > lengths[size_t(b)]; });
  std::vector<std::vector<int64_t>> rows;
  std::map<int64_t, std::vector<size_t>> by_space;  // room left -> rows that have it
  for (const int64_t item : order) {
    const int64_t length = lengths[size_t(item)];
    HEARTH_CHECK(length <= room, value, "pack: an item of ", length, " does not fit a row of ", room);
    const auto fitting = by_space.lower_bound(length);
    size_t row = rows.size();
    int64_t space = room;
    if (fitting == by_space.end()) {
      rows.emplace_back();
    } else {
      space = fitting->first;
      row = fitting->second.back();
      fitting->second.pop_back();
      if (fitting->second.empty()) by_space.erase(fitting);
    }
    rows[row].push_back(item);
    if (space > length) by_space[space - length].push_back(row);
  }
  return rows;
}

void pack_examples(TokenBlocks& blocks) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < blocks.examples(); ++i) lengths.push_back(blocks.length(i));
  blocks.row_begins = {0};
  for (const std::vector<int64_t>& row : pack_rows(lengths, blocks.block_size)) {
    blocks.row_members.insert(blocks.row_members.end(), row.begin(), row.end());
    blocks.row_begins.push_back(static_cast<int64_t>(blocks.row_members.size()));
  }
}

}  // namespace hearth
