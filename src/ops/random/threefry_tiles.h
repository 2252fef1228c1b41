// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inner loops of threefry_bits, once per instruction set.

#include <cstdint>

namespace hearth {

struct ThreefryTiles {
  // y[i], i < count, of unsigned integers `width` bits wide, from Threefry-2x32 for key and counter + i.
  void (*run)(uint64_t key, uint64_t counter, int width, int64_t count, void* y);
  // The same where every element has a key (two words) and a counter of its own.
  void (*each)(const uint32_t* keys, const uint64_t* counters, int width, int64_t count, void* y);
};

extern const ThreefryTiles threefry_scalar, threefry_avx2, threefry_avx512;

}  // namespace hearth
