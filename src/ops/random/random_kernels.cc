// SPDX-License-Identifier: Apache-2.0
// Kernel "rng_bit_generator": elements 2i and 2i+1 are the words of Threefry-2x32 for the key and counter + advance +
// i. Kernel "threefry_bits": ops/random/random.h.
#include <algorithm>

#include "base/error.h"
#include "base/isa.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/random/threefry.h"
#include "ops/random/threefry_tiles.h"

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

static const ThreefryTiles& tiles() {
  if (isa() >= Isa::avx512) return threefry_avx512;
  return isa() >= Isa::avx2 ? threefry_avx2 : threefry_scalar;
}

// Threads own runs of the result in row-major order, whichever key they belong to. Bound by arithmetic; by memory where
// the vectors are long.
static void threefry_bits(const KernelArgs& args) {
  const auto* keys = args.in[0].as<const uint32_t>();
  const auto* counters = args.in[1].as<const uint64_t>();
  auto* y = args.out[0].as<uint8_t>();
  const int64_t size = size_bytes(args.out[0].type->dtype);
  const int64_t total = args.out[0].type->elements(), groups = args.in[1].type->elements();
  if (total == 0) return;
  const int64_t each = total / groups;  // elements that share a key
  parallel_ranges(total, 4096, [&](int64_t begin, int64_t end, int) {
    if (each == 1)
      return tiles().each(keys + 2 * begin, counters + begin, int(8 * size), end - begin, y + begin * size);
    for (int64_t at = begin; at < end;) {
      const int64_t group = at / each, skip = at % each, count = std::min(each - skip, end - at);
      const uint64_t key = uint64_t(keys[2 * group]) << 32 | keys[2 * group + 1];
      tiles().run(key, counters[group] + uint64_t(skip), int(8 * size), count, y + at * size);
      at += count;
    }
  });
}

static void check_threefry_bits(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  HEARTH_CHECK(in.size() == 2 && out.size() == 1, format, "threefry_bits: ", in.size(), " inputs, ", out.size(),
               " outputs; needs 2 and 1");
  Dims dims = in[1].dims;
  const bool begins = out[0].rank() >= in[1].rank() && std::equal(dims.begin(), dims.end(), out[0].dims.begin());
  dims.push_back(2);
  HEARTH_CHECK(
      in[0] == (TensorType{DType::u32, dims}) && in[1].dtype == DType::u64 && begins && is_unsigned_int(out[0].dtype),
      format, "threefry_bits: tensors do not fit");
}

std::vector<KernelInfo> random_kernels() {
  return {{"rng_bit_generator", random_bits, check}, {"threefry_bits", threefry_bits, check_threefry_bits}};
}

}  // namespace hearth
