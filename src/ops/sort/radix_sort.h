// SPDX-License-Identifier: Apache-2.0
#pragma once
// Stable radix sort, least significant byte first: per byte of the key one pass that counts and one that moves, and
// none where all keys share the byte. Bound by memory above the second cache, else by the moves (about 1 ns each).
// A long row is sorted by all threads: each counts and moves one contiguous part, so the result is the serial one.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/threads.h"

namespace hearth {

constexpr int64_t kInsertionSorted = 40;     // shorter rows are sorted by insertion
constexpr int64_t kParallelItems = 1 << 16;  // longer rows may be sorted by several threads

// Items: the key alone, a short key with the element's number, a long one with it.
template <class U>
struct PlainItem {
  using Item = U;
  using Key = U;
  static Key key(Item item) { return item; }
};
struct PackedItem {
  using Item = uint64_t;
  using Key = uint32_t;
  static Key key(Item item) { return Key(item >> 32); }
  static Item make(uint64_t key, uint32_t number) { return key << 32 | number; }
  static uint32_t number(Item item) { return uint32_t(item); }
};
struct WideItem {
  struct Item {
    uint64_t key;
    uint64_t number;
  };
  using Key = uint64_t;
  static Key key(const Item& item) { return item.key; }
  static Item make(uint64_t key, uint32_t number) { return {key, number}; }
  static uint32_t number(const Item& item) { return uint32_t(item.number); }
};

namespace radix {

using Counts = uint32_t[256];

inline bool shares_byte(const Counts& counts, int64_t n) {
  for (const uint32_t count : counts) {
    if (count != 0) return count == n;
  }
  return true;
}

template <class A>
int byte_of(const typename A::Item& item, int byte) {
  return int(uint64_t(A::key(item)) >> (8 * byte) & 255);
}

// Moves items to where their byte's run stands; `place` is advanced.
template <class A>
void move(const typename A::Item* from, typename A::Item* to, int64_t n, int byte, uint32_t* place) {
  for (int64_t i = 0; i < n; ++i) {
    const typename A::Item item = from[i];
    to[place[byte_of<A>(item, byte)]++] = item;
  }
}

template <class A>
void insertion_sort(typename A::Item* items, int64_t n) {
  for (int64_t i = 1; i < n; ++i) {
    const typename A::Item item = items[i];
    int64_t at = i;
    for (; at > 0 && A::key(item) < A::key(items[at - 1]); --at) items[at] = items[at - 1];
    items[at] = item;
  }
}

template <class A>
typename A::Item* sort_alone(typename A::Item* from, typename A::Item* to, int64_t n, int key_bytes) {
  Counts counts[sizeof(typename A::Key)] = {};
  for (int64_t i = 0; i < n; ++i) {
    for (int byte = 0; byte < key_bytes; ++byte) ++counts[byte][byte_of<A>(from[i], byte)];
  }
  for (int byte = 0; byte < key_bytes; ++byte) {
    if (shares_byte(counts[byte], n)) continue;
    uint32_t place = 0;
    for (uint32_t& count : counts[byte]) {
      const uint32_t here = count;
      count = place;
      place += here;
    }
    move<A>(from, to, n, byte, counts[byte]);
    std::swap(from, to);
  }
  return from;
}

template <class A>
typename A::Item* sort_together(typename A::Item* from, typename A::Item* to, int64_t n, int key_bytes) {
  const int64_t parts = num_threads();
  std::vector<uint32_t> places(size_t(parts * 256));
  for (int byte = 0; byte < key_bytes; ++byte) {
    parallel_for(parts, [&](int64_t part, int) {
      Counts counts = {};
      for (int64_t i = n * part / parts; i < n * (part + 1) / parts; ++i) ++counts[byte_of<A>(from[i], byte)];
      std::memcpy(&places[size_t(part * 256)], counts, sizeof counts);
    });
    uint32_t place = 0;
    bool shared = false;
    for (int64_t digit = 0; digit < 256; ++digit) {
      const uint32_t before = place;
      for (int64_t part = 0; part < parts; ++part) {
        uint32_t& count = places[size_t(part * 256 + digit)];
        const uint32_t here = count;
        count = place;
        place += here;
      }
      shared = shared || place - before == n;
    }
    if (shared) continue;
    parallel_for(parts, [&](int64_t part, int) {
      const int64_t begin = n * part / parts, end = n * (part + 1) / parts;
      move<A>(from + begin, to, end - begin, byte, &places[size_t(part * 256)]);
    });
    std::swap(from, to);
  }
  return from;
}

}  // namespace radix

// Sorts n < 2^32 items by the low `key_bytes` of their keys. The result lies in one of the two buffers, which is
// returned.
template <class A>
typename A::Item* radix_sort(typename A::Item* items, typename A::Item* spare, int64_t n, int key_bytes,
                             bool all_threads) {
  if (n <= kInsertionSorted) {
    radix::insertion_sort<A>(items, n);
    return items;
  }
  if (all_threads && n >= kParallelItems && num_threads() > 1)
    return radix::sort_together<A>(items, spare, n, key_bytes);
  return radix::sort_alone<A>(items, spare, n, key_bytes);
}

}  // namespace hearth
