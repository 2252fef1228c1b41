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
  int64_t stride, run, element;  // bytes: between runs in the result, of a run, of an element
};

// kRun: the bytes of a run where the compiler may know them, else 0.
template <int kRun>
void copy_runs(const Copy& c, const int64_t* offsets, int64_t count) {
  const size_t run = kRun ? kRun : size_t(c.run);
  for (int64_t j = 0; j < count; ++j) {
    char* to = c.to + j * c.stride;
    if (offsets[j] < 0)
      std::memset(to, 0, run);
    else
      std::memcpy(to, c.from + offsets[j] * c.element, run);
  }
}

using CopyFunction = void (*)(const Copy&, const int64_t*, int64_t);
CopyFunction copy_function(int64_t run) {
  switch (run) {
    case 4: return copy_runs<4>;
    case 8: return copy_runs<8>;
    case 12: return copy_runs<12>;
    case 16: return copy_runs<16>;
    case 32: return copy_runs<32>;
    case 64: return copy_runs<64>;
    case 128: return copy_runs<128>;
    default: return copy_runs<0>;
  }
}

void gather_part(const KernelArgs& args, const IndexWalk& walk) {
  const TensorArg& indices = args.in[1];
  const int64_t element = size_bytes(args.in[0].dtype()), index_size = size_bytes(indices.dtype());
  const IndexWalk::Axis& inner = walk.axes.back();
  const auto* from = args.in[0].as<const char>();
  auto* to = args.out[0].as<char>();
  const bool single = walk.run.size == 1 && (inner.data == 1 || inner.size == 1);
  const IndexFunctions f = index_functions(indices.dtype(), element);
  if (single && walk.clamp && walk.components.size() == 1 && f.take) {
    const IndexWalk::Component& c = walk.components[0];
    for_each_line(walk, [&](int64_t data, int64_t operand, int64_t index) {
      f.take({indices.as<const char>() + (index + c.indices) * index_size, inner.indices, c.last, c.operand, true, true,
              operand, inner.operand, inner.size, nullptr},
             from, to + data * element);
    });
    return;
  }
  const CopyFunction copy = copy_function(walk.run.size * element);
  for_each_block(walk, indices, [&](int64_t data, const int64_t* offsets, int64_t count) {
    char* at = to + data * element;
    if (single)
      f.elements({from, at, offsets, count, walk.clamp});
    else
      copy({from, at, inner.data * element, walk.run.size * element, element}, offsets, count);
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
