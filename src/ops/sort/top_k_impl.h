// SPDX-License-Identifier: Apache-2.0
// Included by one file per instruction set. The k-th largest of the blocks' maxima bounds the k-th largest element from
// below, so only blocks that reach it are looked at: about k of random ones. Their elements are collected with their
// numbers, and the collection is cut to the k largest whenever it is full. The compiler turns the search for the maxima
// into vectors, which is where the time goes.

#include <algorithm>
#include <functional>
#include <vector>

#include "ops/sort/ordered_key.h"
#include "ops/sort/top_k_rows.h"

namespace hearth {
namespace {

constexpr int64_t kBlock = 32;

// A key above the number's complement: the largest is the largest element, of equals the one that stands first.
template <class Bits>
struct Candidate {
  using Word = uint64_t;
  static Word make(Bits key, int64_t number) { return Word(key) << 32 | uint32_t(~uint32_t(number)); }
  static Bits key(Word word) { return Bits(word >> 32); }
  static int64_t number(Word word) { return uint32_t(~uint32_t(word)); }
};
template <>
struct Candidate<uint64_t> {
  __extension__ using Word = unsigned __int128;
  static Word make(uint64_t key, int64_t number) { return Word(key) << 64 | uint64_t(~uint64_t(number)); }
  static uint64_t key(Word word) { return uint64_t(word >> 64); }
  static int64_t number(Word word) { return int64_t(~uint64_t(word)); }
};

template <class Key>
typename Key::Bits largest_key(const typename Key::Bits* x, int64_t n) {
  typename Key::Bits most = 0;
  for (int64_t i = 0; i < n; ++i) {
    const typename Key::Bits key = Key::encode(x[i]);
    most = key > most ? key : most;
  }
  return most;
}

template <class Key>
void top_k_row(const typename Key::Bits* x, int64_t n, int64_t k, typename Key::Bits* values, int32_t* numbers) {
  using Bits = typename Key::Bits;
  using C = Candidate<Bits>;
  thread_local std::vector<Bits> most, ranked;  // of each block
  most.clear();
  int64_t begin = 0;
  for (; begin + kBlock <= n; begin += kBlock) most.push_back(largest_key<Key>(x + begin, kBlock));
  if (begin < n) most.push_back(largest_key<Key>(x + begin, n - begin));

  Bits least = 0;  // what may still be among the k largest
  if (int64_t(most.size()) > k) {
    ranked = most;
    std::nth_element(ranked.begin(), ranked.begin() + (k - 1), ranked.end(), std::greater<>());
    least = ranked[size_t(k - 1)];
  }
  thread_local std::vector<typename C::Word> kept;
  kept.clear();
  for (size_t block = 0; block < most.size(); ++block) {
    if (most[block] < least) continue;
    const int64_t first = int64_t(block) * kBlock, end = std::min(n, first + kBlock);
    for (int64_t i = first; i < end; ++i) {
      const Bits key = Key::encode(x[i]);
      if (key >= least) kept.push_back(C::make(key, i));
    }
    if (int64_t(kept.size()) < 2 * k + 2 * kBlock) continue;
    std::nth_element(kept.begin(), kept.begin() + (k - 1), kept.end(), std::greater<>());
    kept.resize(size_t(k));
    const Bits last = C::key(kept[size_t(k - 1)]);  // a later one that equals it loses
    if (last == Bits(~Bits{})) break;
    least = Bits(last + 1);
  }
  std::partial_sort(kept.begin(), kept.begin() + k, kept.end(), std::greater<>());
  for (int64_t i = 0; i < k; ++i) {
    numbers[i] = int32_t(C::number(kept[size_t(i)]));
    values[i] = x[numbers[i]];
  }
}

void top_k_row_of(const TopKRow& row) {
  with_key(row.dtype, [&](auto key) {
    using Key = decltype(key);
    using Bits = typename Key::Bits;
    top_k_row<Key>(static_cast<const Bits*>(row.x), row.n, row.k, static_cast<Bits*>(row.values), row.numbers);
  });
}

}  // namespace
}  // namespace hearth
