// SPDX-License-Identifier: Apache-2.0
#include "compiler/memory.h"

#include <algorithm>
#include <numeric>

#include "plan/plan.h"

namespace hearth {
namespace {

// Other orders are tried where the first wastes more: limits of their number and of what they cost together.
constexpr double kCloseEnough = 1.02;
constexpr size_t kMostTries = 300, kBuffersTried = 100'000;

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

int64_t padded(int64_t bytes) {
  return (std::max<int64_t>(bytes, 1) + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

// Largest sum of live buffers over all instructions, each of size(buffer).
template <class F>
int64_t most_alive(const std::vector<Lifetime>& buffers, int32_t instructions, const F& size) {
  std::vector<int64_t> change(size_t(instructions) + 1, 0);
  for (const Lifetime& b : buffers) {
    change[size_t(b.first)] += size(b);
    change[size_t(b.last) + 1] -= size(b);
  }
  int64_t live = 0, most = 0;
  for (const int64_t c : change) most = std::max(most, live += c);
  return most;
}

// The sum of what each device cannot do without.
int64_t least_possible(const std::vector<Lifetime>& buffers, int devices, int32_t instructions) {
  int64_t sum = 0;
  for (int32_t device = 0; device < devices; ++device)
    sum +=
        most_alive(buffers, instructions, [&](const Lifetime& b) { return b.device == device ? padded(b.bytes) : 0; });
  return sum;
}

int64_t total(const std::vector<int64_t>& arena_bytes) {
  return std::accumulate(arena_bytes.begin(), arena_bytes.end(), int64_t{0});
}

// Exchanges a buffer that ends where its arena does with one that comes before it in the order.
void exchange_one(const std::vector<Lifetime>& buffers, const std::vector<int64_t>& arena_bytes,
                  std::vector<size_t>& order, uint64_t& seed) {
  const auto random = [&seed](size_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return size_t(seed >> 33) % below;
  };
  std::vector<size_t> highest;  // places in the order
  for (size_t k = 0; k < order.size(); ++k) {
    const Lifetime& b = buffers[order[k]];
    if (b.offset + padded(b.bytes) == arena_bytes[size_t(b.device)]) highest.push_back(k);
  }
  const size_t k = highest[random(highest.size())];
  std::swap(order[k], order[random(k > 0 ? k : order.size())]);
}

// By how long so many bytes are taken.
std::vector<size_t> longest_and_largest_first(const std::vector<Lifetime>& buffers) {
  std::vector<size_t> order = largest_first(buffers);
  const auto area = [&](size_t i) { return double(buffers[i].bytes) * (buffers[i].last - buffers[i].first + 1); };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return area(a) > area(b); });
  return order;
}

}  // namespace

std::vector<size_t> largest_first(const std::vector<Lifetime>& buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return buffers[a].bytes != buffers[b].bytes ? buffers[a].bytes > buffers[b].bytes : a < b;
  });
  return order;
}

std::vector<int64_t> place_in_order(std::vector<Lifetime>& buffers, const std::vector<size_t>& order, int devices,
                                    int32_t instructions) {
  std::vector<int64_t> arena_bytes(size_t(devices), 0);
  std::vector<Arena> arenas(arena_bytes.size(), Arena(instructions));
  for (const size_t i : order) {
    Lifetime& b = buffers[i];
    const int64_t bytes = padded(b.bytes);
    b.offset = arenas[size_t(b.device)].lowest(b, bytes);
    arenas[size_t(b.device)].occupy(b, bytes);
    int64_t& arena = arena_bytes[size_t(b.device)];
    arena = std::max(arena, b.offset + bytes);
  }
  return arena_bytes;
}

Placement place(std::vector<Lifetime>& buffers, int devices, int32_t instructions) {
  std::vector<size_t> order = largest_first(buffers);
  Placement result;
  result.arena_bytes = place_in_order(buffers, order, devices, instructions);
  result.live_bytes_max = most_alive(buffers, instructions, [](const Lifetime& b) { return b.bytes; });
  const double close = kCloseEnough * double(least_possible(buffers, devices, instructions));
  const size_t tries = buffers.empty() ? 0 : std::min(kMostTries, kBuffersTried / buffers.size());
  uint64_t seed = 1;
  for (size_t i = 0; i<tries&& double(total(result.arena_bytes))> close; ++i) {
    std::vector<size_t> next = i == 0 ? longest_and_largest_first(buffers) : order;
    if (i > 0) exchange_one(buffers, result.arena_bytes, next, seed);
    std::vector<Lifetime> tried = buffers;
    const std::vector<int64_t> arena_bytes = place_in_order(tried, next, devices, instructions);
    if (total(arena_bytes) > total(result.arena_bytes)) continue;
    result.arena_bytes = arena_bytes;
    buffers = std::move(tried);
    order = std::move(next);
  }
  return result;
}

}  // namespace hearth
