// SPDX-License-Identifier: Apache-2.0
// Included by one file per instruction set; the compiler turns the loops over lanes into vectors. All work is on 32-bit
// lanes in registers; a tile of kLanes elements is made in arrays on the stack, and written at its width.

#include "ops/random/threefry.h"
#include "ops/random/threefry_tiles.h"

namespace hearth {
namespace {

constexpr int64_t kLanes = 64;

template <class T>
T bits_of(uint32_t x0, uint32_t x1) {
  if constexpr (sizeof(T) == 8) return uint64_t(x0) << 32 | x1;
  return T(x0 ^ x1);
}

template <class T>
void run_of(uint64_t key, uint64_t counter, int64_t count, T* y) {
  const uint32_t key0 = uint32_t(key >> 32), key1 = uint32_t(key);
  for (int64_t begin = 0; begin < count; begin += kLanes) {
    const uint64_t first = counter + uint64_t(begin);
    const uint32_t low = uint32_t(first), high = uint32_t(first >> 32);
    uint32_t x0[kLanes], x1[kLanes];
    for (uint32_t i = 0; i < kLanes; ++i) {
      const ThreefryBlock block = threefry2x32(key0, key1, high + uint32_t(low + i < low), low + i);
      x0[i] = block.x0;
      x1[i] = block.x1;
    }
    const int64_t here = count - begin < kLanes ? count - begin : kLanes;
    if (here == kLanes) {
      for (int64_t i = 0; i < kLanes; ++i) y[begin + i] = bits_of<T>(x0[i], x1[i]);
    } else {
      for (int64_t i = 0; i < here; ++i) y[begin + i] = bits_of<T>(x0[i], x1[i]);
    }
  }
}

template <class T>
void each_of(const uint32_t* keys, const uint64_t* counters, int64_t count, T* y) {
  for (int64_t i = 0; i < count; ++i) {
    const ThreefryBlock block =
        threefry2x32(keys[2 * i], keys[2 * i + 1], uint32_t(counters[i] >> 32), uint32_t(counters[i]));
    y[i] = bits_of<T>(block.x0, block.x1);
  }
}

template <class F>
void with_width(int width, void* y, F&& f) {
  if (width == 8) return f(static_cast<uint8_t*>(y));
  if (width == 16) return f(static_cast<uint16_t*>(y));
  if (width == 32) return f(static_cast<uint32_t*>(y));
  f(static_cast<uint64_t*>(y));
}

void run(uint64_t key, uint64_t counter, int width, int64_t count, void* y) {
  with_width(width, y, [&](auto* bits) { run_of(key, counter, count, bits); });
}

void each(const uint32_t* keys, const uint64_t* counters, int width, int64_t count, void* y) {
  with_width(width, y, [&](auto* bits) { each_of(keys, counters, count, bits); });
}

}  // namespace
}  // namespace hearth
