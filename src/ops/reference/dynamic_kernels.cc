// SPDX-License-Identifier: Apache-2.0
// Operations whose place or values depend on data: dynamic slices and random bits.

#include <algorithm>
#include <cstring>

#include "ops/random/threefry.h"
#include "ops/reference/elements.h"
#include "ops/reference/reference.h"

namespace hearth {
namespace {

using namespace reference;

// Starts of a box of `sizes` in x, from scalar inputs `first` and on; moved so that the box lies inside x.
Dims clamped_starts(const KernelArgs& args, size_t first, const Dims& sizes) {
  Dims starts;
  for (size_t k = 0; k < sizes.size(); ++k) {
    const int64_t start = load_integer(args.in[first + k], 0), last = args.in[0].dims()[k] - sizes[k];
    starts.push_back(std::clamp<int64_t>(start, 0, last));
  }
  return starts;
}

void expect_starts(const Types& in, size_t first, const TensorType& x, const Dims& sizes) {
  expect_per_axis("sizes", sizes, x.rank());
  HEARTH_CHECK(in.size() == first + sizes.size(), format, "has ", in.size() - first, " starts for ", x);
  for (size_t k = 0; k < sizes.size(); ++k) {
    HEARTH_CHECK(sizes[k] >= 0 && sizes[k] <= x.dims[k], format, "size ", sizes[k], " of axis ", k, " is not inside ",
                 x);
    const TensorType& start = in[first + k];
    HEARTH_CHECK(start.rank() == 0 && (start.dtype == DType::i32 || start.dtype == DType::i64), format, "start ", k,
                 " is ", start, " instead of i32[] or i64[]");
  }
}

// --- dynamic_slice(x, starts...) {sizes}, dynamic_update_slice(x, update, starts...) --------------------------------

void run_dynamic_slice(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  const Dims starts = clamped_starts(args, 1, args.attrs.list("sizes"));
  for_each_index(y.dims(), [&](const Dims& index, int64_t i) {
    Dims from = index;
    for (size_t k = 0; k < from.size(); ++k) from[k] += starts[k];
    copy_element(y, i, x, position(from, x.dims()));
  });
}
void check_dynamic_slice(const Types& in, const Types& out, const Attrs& attrs) {
  HEARTH_CHECK(!in.empty(), format, "has no inputs");
  expect_arguments(in, out, in.size(), 1);
  expect_starts(in, 1, in[0], attrs.list("sizes"));
  expect_type("output", out[0], {in[0].dtype, attrs.list("sizes")});
}

void run_dynamic_update_slice(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &update = args.in[1], &y = args.out[0];
  const Dims starts = clamped_starts(args, 2, update.dims());
  if (x.type->bytes() > 0) std::memmove(y.data, x.data, size_t(x.type->bytes()));  // the same memory when in place
  for_each_index(update.dims(), [&](const Dims& index, int64_t i) {
    Dims to = index;
    for (size_t k = 0; k < to.size(); ++k) to[k] += starts[k];
    copy_element(y, position(to, y.dims()), update, i);
  });
}
void check_dynamic_update_slice(const Types& in, const Types& out, const Attrs&) {
  HEARTH_CHECK(in.size() >= 2, format, "has ", in.size(), " inputs; needs x, update and starts");
  expect_arguments(in, out, in.size(), 1);
  expect_starts(in, 2, in[0], in[1].dims);
  expect_type("update", in[1], {in[0].dtype, in[1].dims});
  expect_type("output", out[0], in[0]);
}

// --- rng_bit_generator(state u64[2]) -> (new state u64[2], bits u32[...]) -------------------------------------------

// state = {key, counter}; `advance` is added to the counter. Elements 2i and 2i+1 of the bits (row-major) are the two
// words of Threefry-2x32 for that key and counter + i, low 32 bits as word 0, high as word 1. The new counter is the
// old one plus the blocks used.
void run_rng_bit_generator(const KernelArgs& args) {
  const uint64_t key = args.in[0].as<uint64_t>()[0];
  const uint64_t counter = args.in[0].as<uint64_t>()[1] + uint64_t(args.attrs.integer_or("advance", 0));
  const int64_t count = args.out[1].type->elements(), blocks = (count + 1) / 2;
  for (int64_t i = 0; i < blocks; ++i) {
    const uint64_t at = counter + uint64_t(i);
    const ThreefryBlock block = threefry2x32(uint32_t(key), uint32_t(key >> 32), uint32_t(at), uint32_t(at >> 32));
    args.out[1].as<uint32_t>()[2 * i] = block.x0;
    if (2 * i + 1 < count) args.out[1].as<uint32_t>()[2 * i + 1] = block.x1;
  }
  args.out[0].as<uint64_t>()[0] = key;
  args.out[0].as<uint64_t>()[1] = counter + uint64_t(blocks);
}
void check_rng_bit_generator(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 1, 2);
  expect_type("state", in[0], {DType::u64, {2}});
  expect_type("new state", out[0], {DType::u64, {2}});
  expect_type("bits", out[1], {DType::u32, out[1].dims});
}

// --- threefry_bits(key u32[K...,2], counter u64[K...]) {shape, width} -> unsigned [K...,shape...]
// ----------------------

void run_threefry_bits(const KernelArgs& args) {
  const int64_t groups = args.in[1].type->elements(), total = args.out[0].type->elements();
  const int64_t size = size_bytes(args.out[0].type->dtype);
  for (int64_t i = 0; i < total; ++i) {
    const int64_t each = total / groups, group = i / each;
    const uint32_t* key = args.in[0].as<uint32_t>() + 2 * group;
    const uint64_t at = args.in[1].as<uint64_t>()[group] + uint64_t(i % each);
    const ThreefryBlock block = threefry2x32(key[0], key[1], uint32_t(at >> 32), uint32_t(at));
    const uint32_t narrow = block.x0 ^ block.x1;
    if (size == 8) args.out[0].as<uint64_t>()[i] = uint64_t(block.x0) << 32 | block.x1;
    if (size == 4) args.out[0].as<uint32_t>()[i] = narrow;
    if (size == 2) args.out[0].as<uint16_t>()[i] = uint16_t(narrow);
    if (size == 1) args.out[0].as<uint8_t>()[i] = uint8_t(narrow);
  }
}
void check_threefry_bits(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 2, 1);
  Dims dims = in[1].dims;
  HEARTH_CHECK(is_unsigned_int(out[0].dtype) && out[0].rank() >= in[1].rank() &&
                   std::equal(dims.begin(), dims.end(), out[0].dims.begin()),
               format, "output is ", out[0], "; the counters are ", in[1]);
  expect_type("counter", in[1], {DType::u64, dims});
  dims.push_back(2);
  expect_type("key", in[0], {DType::u32, dims});
}

}  // namespace

std::vector<KernelInfo> reference_dynamic() {
  return {
      {"dynamic_slice", run_dynamic_slice, check_dynamic_slice},
      {"dynamic_update_slice", run_dynamic_update_slice, check_dynamic_update_slice},
      {"rng_bit_generator", run_rng_bit_generator, check_rng_bit_generator},
      {"threefry_bits", run_threefry_bits, check_threefry_bits},
  };
}

}  // namespace hearth
