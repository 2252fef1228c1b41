// SPDX-License-Identifier: Apache-2.0
#include "compiler/memory.h"

#include <algorithm>
#include <numeric>

#include "plan/plan.h"

namespace hearth {
namespace {

// Occupied bytes as ranges that do not touch each other. Densely packed buffers are few ranges, however many they are.
class Ranges {
 public:
  void add(int64_t begin, int64_t end) {
    auto first =
        std::lower_bound(all_.begin(), all_.end(), begin, [](const Range& r, int64_t at) { return r.end < at; });
    auto last = first;
    for (; last != all_.end() && last->begin <= end; ++last) {
      begin = std::min(begin, last->begin);
      end = std::max(end, last->end);
    }
    if (first == last) {
      all_.insert(first, {begin, end});
      return;
    }
    *first = {begin, end};
    all_.erase(first + 1, last);
  }

  // The lowest place from `offset` on with so many free bytes.
  int64_t free_from(int64_t offset, int64_t bytes) const {
    auto range =
        std::upper_bound(all_.begin(), all_.end(), offset, [](int64_t at, const Range& r) { return at < r.end; });
    for (; range != all_.end() && range->begin < offset + bytes; ++range) offset = std::max(offset, range->end);
    return offset;
  }

 private:
  struct Range {
    int64_t begin, end;
  };
  std::vector<Range> all_;  // rising
};

// What is occupied when: a binary tree over the instructions. A life is made of O(log) nodes; `whole` holds what lives
// through all of a node's instructions by way of such a node, `any` what lives in at least one of them.
class Arena {
 public:
  explicit Arena(int32_t instructions) {
    while (leaves_ < instructions) leaves_ *= 2;
    whole_.resize(size_t(2 * leaves_));
    any_.resize(size_t(2 * leaves_));
  }

  void occupy(const Lifetime& life, int64_t bytes) {
    visit(life, [&](size_t node, bool is_part) {
      any_[node].add(life.offset, life.offset + bytes);
      if (is_part) whole_[node].add(life.offset, life.offset + bytes);
    });
  }

  // The lowest place that is free during the whole life.
  int64_t lowest(const Lifetime& life, int64_t bytes) const {
    std::vector<const Ranges*> taken;
    visit(life, [&](size_t node, bool is_part) { taken.push_back(is_part ? &any_[node] : &whole_[node]); });
    int64_t offset = 0;
    for (size_t agree = 0, i = 0; agree < taken.size(); i = (i + 1) % taken.size()) {
      const int64_t next = taken[i]->free_from(offset, bytes);
      agree = next == offset ? agree + 1 : 1;
      offset = next;
    }
    return offset;
  }

 private:
  // Every node that shares an instruction with the life, down to those that lie inside of it (is_part).
  template <class F>
  void visit(const Lifetime& life, const F& f) const {
    struct Span {
      size_t node;
      int32_t begin, size;
    };
    Span stack[64] = {{1, 0, leaves_}};
    for (int top = 1; top > 0;) {
      const Span s = stack[--top];
      if (life.last < s.begin || life.first >= s.begin + s.size) continue;
      const bool is_part = life.first <= s.begin && s.begin + s.size - 1 <= life.last;
      f(s.node, is_part);
      if (is_part) continue;
      stack[top++] = {2 * s.node, s.begin, s.size / 2};
      stack[top++] = {2 * s.node + 1, s.begin + s.size / 2, s.size / 2};
    }
  }

  int32_t leaves_ = 1;
  std::vector<Ranges> whole_, any_;
};

}  // namespace

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
  std::vector<Arena> arenas(result.arena_bytes.size(), Arena(instructions));
  for (const size_t i : order) {
    Lifetime& b = buffers[i];
    const int64_t bytes = padded(b.bytes);
    b.offset = arenas[size_t(b.device)].lowest(b, bytes);
    arenas[size_t(b.device)].occupy(b, bytes);
    int64_t& arena = result.arena_bytes[size_t(b.device)];
    arena = std::max(arena, b.offset + bytes);
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
