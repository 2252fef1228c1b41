// SPDX-License-Identifier: Apache-2.0
// Included by one file per instruction set; the compiler turns the inner loops into vectors.
// Elements are compared as unsigned keys of the same order (ops/sort/ordered_key.h), for argmin as their complements,
// with NaN above all: one comparison decides ties, zeros and NaN. A row is read twice, a piece at a time, so that the
// second reading, for the place of a piece's best key, comes from the first cache, and only where the piece has a
// better one.

#include <algorithm>

#include "ops/arg_reduce/arg_reduce_tiles.h"
#include "ops/sort/ordered_key.h"

namespace hearth {
namespace {

constexpr int64_t kPieceBytes = 1 << 12;

template <class Key>
typename Key::Bits rank_of(typename Key::Bits x, bool max) {
  using Bits = typename Key::Bits;
  const Bits key = Key::encode(x);
  if constexpr (Key::kExact) return max ? key : Bits(~key);
  return max ? key : Bits(Bits(~key) | Bits(0 - Bits(key == Bits(~Bits{}))));
}

template <class Key, bool kMax>
typename Key::Bits best_of(const typename Key::Bits* x, int64_t n) {
  using Bits = typename Key::Bits;
  constexpr int64_t kLanes = 256 / int64_t(sizeof(Bits));
  Bits best[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
#pragma GCC unroll 1  // unrolled whole it would not become vectors
    for (int64_t j = 0; j < kLanes; ++j) {
      const Bits rank = rank_of<Key>(x[i + j], kMax);
      best[j] = rank > best[j] ? rank : best[j];
    }
  }
  Bits most = 0;
  for (; i < n; ++i) most = std::max(most, rank_of<Key>(x[i], kMax));
  for (const Bits rank : best) most = std::max(most, rank);
  return most;
}

template <class Key, bool kMax>
int64_t first_of(const typename Key::Bits* x, int64_t n, typename Key::Bits wanted) {
  constexpr int64_t kLanes = 256 / int64_t(sizeof(typename Key::Bits));
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    unsigned found = 0;
    for (int64_t j = 0; j < kLanes; ++j) found |= unsigned(rank_of<Key>(x[i + j], kMax) == wanted);
    if (found) break;
  }
  while (i < n && rank_of<Key>(x[i], kMax) != wanted) ++i;
  return i;
}

template <class Key, bool kMax>
int64_t best_in_row(const typename Key::Bits* x, int64_t n) {
  using Bits = typename Key::Bits;
  constexpr int64_t kPiece = kPieceBytes / int64_t(sizeof(Bits));
  Bits most = 0;
  int64_t piece = 0;
  for (int64_t begin = 0; begin < n; begin += kPiece) {
    const Bits best = best_of<Key, kMax>(x + begin, std::min(kPiece, n - begin));
    if (best > most) {
      most = best;
      piece = begin;
    }
  }
  return piece + first_of<Key, kMax>(x + piece, std::min(kPiece, n - piece), most);
}

template <class Key, bool kMax>
void best_in_columns(const typename Key::Bits* x, int64_t n, int64_t pitch, int64_t columns, uint32_t* numbers) {
  using Bits = typename Key::Bits;
  using Rank = std::conditional_t<sizeof(Bits) == 8, uint64_t, uint32_t>;  // as wide as the numbers, where it can be
  Rank best[kArgColumns];
  for (int64_t c = 0; c < columns; ++c) {
    best[c] = rank_of<Key>(x[c], kMax);
    numbers[c] = 0;
  }
  for (int64_t i = 1; i < n; ++i) {
    const Bits* row = x + i * pitch;
    const uint32_t number = uint32_t(i);
    for (int64_t c = 0; c < columns; ++c) {
      const Rank rank = rank_of<Key>(row[c], kMax);
      const bool better = rank > best[c];
      best[c] = better ? rank : best[c];
      numbers[c] = better ? number : numbers[c];
    }
  }
}

int64_t arg_row(const ArgReduceTile& tile, const void* x, int64_t n) {
  return with_key(tile.dtype, [&](auto key) {
    using Key = decltype(key);
    const auto* bits = static_cast<const typename Key::Bits*>(x);
    return tile.max ? best_in_row<Key, true>(bits, n) : best_in_row<Key, false>(bits, n);
  });
}

void arg_columns(const ArgReduceTile& tile, const void* x, int64_t n, int64_t pitch, int64_t columns,
                 uint32_t* numbers) {
  with_key(tile.dtype, [&](auto key) {
    using Key = decltype(key);
    const auto* bits = static_cast<const typename Key::Bits*>(x);
    tile.max ? best_in_columns<Key, true>(bits, n, pitch, columns, numbers)
             : best_in_columns<Key, false>(bits, n, pitch, columns, numbers);
  });
}

}  // namespace
}  // namespace hearth
