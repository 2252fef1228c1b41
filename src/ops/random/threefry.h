// SPDX-License-Identifier: Apache-2.0
#pragma once
// Threefry-2x32 with 20 rounds: 64 random bits from a 64-bit key and a 64-bit counter, the same bits as JAX's
// threefry2x32 for the same words. Header of its own so that every kernel of the random operations shares it.
// Source: Salmon, Moraes, Dror, Shaw 2011, doi:10.1145/2063384.2063405, section 4.3 and table 2.

#include <cstdint>

namespace hearth {

struct ThreefryBlock {
  uint32_t x0, x1;
};

inline ThreefryBlock threefry2x32(uint32_t key0, uint32_t key1, uint32_t counter0, uint32_t counter1) {
  constexpr int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const uint32_t keys[3] = {key0, key1, key0 ^ key1 ^ 0x1bd11bdau};
  uint32_t x0 = counter0 + keys[0], x1 = counter1 + keys[1];
#pragma GCC unroll 5  // unrolled, so that loops over blocks become vectors
  for (uint32_t group = 0; group < 5; ++group) {
#pragma GCC unroll 4
    for (int rotation : rotations[group % 2]) {
      x0 += x1;
      x1 = ((x1 << rotation) | (x1 >> (32 - rotation))) ^ x0;
    }
    x0 += keys[(group + 1) % 3];
    x1 += keys[(group + 2) % 3] + group + 1;
  }
  return {x0, x1};
}

}  // namespace hearth
