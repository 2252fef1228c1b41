// SPDX-License-Identifier: Apache-2.0
#include "compiler/memory.h"

#include <algorithm>
#include <numeric>

#include "plan/plan.h"

namespace hearth {

Placement place(std::vector<Lifetime>& buffers, int devices, int32_t instructions) {
  Placement result;
  result.arena_bytes.assign(size_t(devices), 0);
  const auto padded = [](int64_t bytes) {
    return (std::max<int64_t>(bytes, 1) + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
  };
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return buffers[a].bytes != buffers[b].bytes ? buffers[a].bytes > buffers[b].bytes : a < b;
  });
  std::vector<std::vector<size_t>> placed(static_cast<size_t>(devices));  // by rising offset
  for (const size_t i : order) {
    Lifetime& b = buffers[i];
    std::vector<size_t>& others = placed[size_t(b.device)];
    int64_t offset = 0;
    for (const size_t j : others) {
      const Lifetime& other = buffers[j];
      if (other.last < b.first || b.last < other.first) continue;
      if (offset + padded(b.bytes) <= other.offset) break;
      offset = std::max(offset, other.offset + padded(other.bytes));
    }
    b.offset = offset;
    others.insert(std::upper_bound(others.begin(), others.end(), i,
                                   [&](size_t x, size_t y) { return buffers[x].offset < buffers[y].offset; }),
                  i);
    int64_t& arena = result.arena_bytes[size_t(b.device)];
    arena = std::max(arena, offset + padded(b.bytes));
  }
  std::vector<int64_t> change(size_t(instructions) + 1, 0);
  for (const Lifetime& b : buffers) {
    change[size_t(b.first)] += b.bytes;
    change[size_t(b.last) + 1] -= b.bytes;
  }
  int64_t live = 0;
  for (const int64_t c : change) result.live_bytes_max = std::max(result.live_bytes_max, live += c);
  return result;
}

}  // namespace hearth
