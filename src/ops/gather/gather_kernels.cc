// SPDX-License-Identifier: Apache-2.0
// Kernel "gather". Bound by memory: a run of elements that lie side by side in the operand and in the result is copied
// whole; threads own parts of one axis of the result.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "ops/gather/index_walk.h"

namespace hearth {
namespace {

struct Copy {
  const char* from;
  char* to;
  int64_t stride, run;  // bytes between runs in the result, bytes of a run
};

template <class T>
void copy_elements(const Copy& c, const int64_t* offsets, int64_t count) {
  const T* from = reinterpret_cast<const T*>(c.from);
  for (int64_t j = 0; j < count; ++j) {
    const T value = offsets[j] < 0 ? T{} : from[offsets[j]];
    std::memcpy(c.to + j * c.stride, &value, sizeof(T));
  }
}

void copy_runs(const Copy& c, const int64_t* offsets, int64_t count, int64_t element) {
  for (int64_t j = 0; j < count; ++j) {
    char* to = c.to + j * c.stride;
    if (offsets[j] < 0)
      std::memset(to, 0, size_t(c.run));
    else
      std::memcpy(to, c.from + offsets[j] * element, size_t(c.run));
  }
}

struct Pair {
  uint64_t low, high;
};

void copy_block(const Copy& c, const int64_t* offsets, int64_t count, int64_t element) {
  if (c.run != element) return copy_runs(c, offsets, count, element);
  switch (element) {
    case 1: return copy_elements<uint8_t>(c, offsets, count);
    case 2: return copy_elements<uint16_t>(c, offsets, count);
    case 4: return copy_elements<uint32_t>(c, offsets, count);
    case 8: return copy_elements<uint64_t>(c, offsets, count);
    default: return copy_elements<Pair>(c, offsets, count);
  }
}

void gather_part(const KernelArgs& args, const IndexWalk& walk) {
  const int64_t element = size_bytes(args.in[0].dtype());
  const auto* from = args.in[0].as<const char>();
  auto* to = args.out[0].as<char>();
  for_each_block(walk, args.in[1], [&](int64_t data, const int64_t* offsets, int64_t count) {
    copy_block({from, to + data * element, walk.axes.back().data * element, walk.run.size * element}, offsets, count,
               element);
  });
}

void gather(const KernelArgs& args) {
  const TensorArg& y = args.out[0];
  if (y.type->bytes() == 0) return;
  const IndexAxes axes = gather_axes(args.attrs);
  // A slice of a collapsed axis may have size 0, and then there is nothing to copy.
  if (num_elements(args.in[0].dims()) == 0 || num_elements(axes.sizes) == 0) {
    std::memset(y.data, 0, size_t(y.type->bytes()));
    return;
  }
  for_each_part(index_walk(args.in[0].dims(), args.in[1].dims(), axes, clamps(args.attrs)), false,
                [&](const IndexWalk& walk) { gather_part(args, walk); });
}

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 2 && out.size() == 1 && is_index_dtype(in[1].dtype), format, "gather: wrong tensors");
  clamps(attrs);
  const IndexAxes axes = gather_axes(attrs);
  const std::string problem = index_problem(in[0].dims, in[1].dims, axes);
  HEARTH_CHECK(problem.empty(), format, "gather: ", problem);
  HEARTH_CHECK((out[0] == TensorType{in[0].dtype, data_dims(in[1].dims, axes)}), format, "gather: result ", out[0],
               " does not fit operand ", in[0], " and indices ", in[1]);
}

}  // namespace

std::vector<KernelInfo> gather_kernels() { return {{"gather", gather, check}}; }

}  // namespace hearth
