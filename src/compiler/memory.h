// SPDX-License-Identifier: Apache-2.0
#pragma once
// Placing buffers in one arena a device.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth {

// A buffer lives from instruction `first` (which writes it) to instruction `last` (the last that reads it), both
// included.
struct Lifetime {
  int64_t bytes = 0;
  int32_t device = 0;
  int32_t first = 0, last = 0;
  int64_t offset = 0;  // result
};

struct Placement {
  std::vector<int64_t> arena_bytes;  // per device
  int64_t live_bytes_max = 0;        // largest sum of live buffers over all instructions
};

// Largest first, each at the lowest place that is free during its life: close to the largest sum of live buffers. Where
// it is not, the order of bytes times life is tried, then some hundred exchanges in the better of both, always the
// same. n buffers cost O(n log n) steps a try, each over the gaps that are left between buffers, which are few. Source:
// Pisarchyk & Lee 2020, arXiv:2001.03288, greedy by size. Differs: the further tries, as Apache TVM's USMP does
// (hill_climb.cc).
Placement place(std::vector<Lifetime>& buffers, int devices, int32_t instructions);

// One try: each buffer in this order. Gives the bytes per device.
std::vector<int64_t> place_in_order(std::vector<Lifetime>& buffers, const std::vector<size_t>& order, int devices,
                                    int32_t instructions);
std::vector<size_t> largest_first(const std::vector<Lifetime>& buffers);

}  // namespace hearth
