// SPDX-License-Identifier: Apache-2.0
// Kernel "rng_bit_generator": elements 2i and 2i+1 are the words of Threefry-2x32 for the key and counter + advance +
// i.
#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/random/threefry.h"

namespace hearth {

// Threads own runs of blocks; every block depends on its number only, so the split does not show. Bound by arithmetic.
static void random_bits(const KernelArgs& args) {
  const auto* state = args.in[0].as<const uint64_t>();
  const uint64_t key = state[0], counter = state[1] + uint64_t(args.attrs.integer_or("advance", 0));
  auto* bits = args.out[1].as<uint32_t>();
  const int64_t count = args.out[1].type->elements(), blocks = (count + 1) / 2;
  parallel_ranges(blocks, 1024, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const uint64_t at = counter + uint64_t(i);
      const ThreefryBlock block = threefry2x32(uint32_t(key), uint32_t(key >> 32), uint32_t(at), uint32_t(at >> 32));
      bits[2 * i] = block.x0;
      if (2 * i + 1 < count) bits[2 * i + 1] = block.x1;
    }
  });
  auto* next = args.out[0].as<uint64_t>();
  next[0] = key;
  next[1] = counter + uint64_t(blocks);
}

static void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  const TensorType state{DType::u64, {2}};
  HEARTH_CHECK(in.size() == 1 && out.size() == 2 && in[0] == state && out[0] == state && out[1].dtype == DType::u32,
               format, "rng_bit_generator: tensors do not fit");
  attrs.integer_or("advance", 0);
}

std::vector<KernelInfo> random_kernels() { return {{"rng_bit_generator", random_bits, check}}; }

}  // namespace hearth
