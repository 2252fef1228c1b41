// SPDX-License-Identifier: Apache-2.0
// Kernels "concatenate", "pad" and "copy". Bound by memory.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/shape/strided_copy.h"

namespace hearth {
namespace {

// Each part is `outer` runs of part.size * inner elements, interleaved with the other parts' in the result.
void concatenate(const KernelArgs& args) {
  const int64_t axis = args.attrs.integer("dimension"), element = size_bytes(args.out[0].dtype());
  const Dims& dims = args.out[0].dims();
  int64_t outer = 1, inner = element;
  for (int64_t i = 0; i < axis; ++i) outer *= dims[size_t(i)];
  for (size_t i = size_t(axis) + 1; i < dims.size(); ++i) inner *= dims[i];
  const int64_t whole = dims[size_t(axis)] * inner;
  int64_t start = 0;
  for (const TensorArg& part : args.in) {
    const int64_t run = part.dims()[size_t(axis)] * inner;
    for (int64_t o = 0; o < outer; ++o)
      std::memcpy(args.out[0].as<char>() + o * whole + start, part.as<const char>() + o * run, size_t(run));
    start += run;
  }
}

void check_concatenate(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(!in.empty() && out.size() == 1, format, "concatenate: wrong number of tensors");
  const int64_t axis = attrs.integer("dimension");
  HEARTH_CHECK(axis >= 0 && axis < out[0].rank(), format, "concatenate: axis ", axis, " does not exist in ", out[0]);
  int64_t size = 0;
  for (const TensorType& part : in) {
    HEARTH_CHECK(part.dtype == out[0].dtype && part.rank() == out[0].rank(), format, "concatenate: part ", part,
                 " does not fit ", out[0]);
    TensorType same = part;
    size += part.dims[size_t(axis)];
    same.dims[size_t(axis)] = out[0].dims[size_t(axis)];
    HEARTH_CHECK(same == out[0], format, "concatenate: part ", part, " does not fit ", out[0]);
  }
  HEARTH_CHECK(size == out[0].dims[size_t(axis)], format, "concatenate: parts hold ", size, " along axis ", axis,
               " of ", out[0]);
}

// Fills with the padding value, then copies each element of x whose place lies inside the result.
void pad(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  const Dims &low = args.attrs.list("low"), &interior = args.attrs.list("interior");
  const int64_t element = size_bytes(x.dtype()), rank = x.type->rank();
  for (int64_t i = 0; i < y.type->elements(); ++i)
    std::memcpy(y.as<char>() + i * element, args.in[1].data, size_t(element));
  const Dims strides = row_major_strides(y.dims());
  for (int64_t i = 0; i < x.type->elements(); ++i) {
    int64_t rest = i, target = 0;
    bool inside = true;
    for (int64_t axis = rank - 1; axis >= 0; --axis) {
      const int64_t at = low[size_t(axis)] + rest % x.dim(axis) * (interior[size_t(axis)] + 1);
      rest /= x.dim(axis);
      inside = inside && at >= 0 && at < y.dim(axis);
      target += at * strides[size_t(axis)];
    }
    if (inside) std::memcpy(y.as<char>() + target * element, x.as<const char>() + i * element, size_t(element));
  }
}

void check_pad(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 2 && out.size() == 1 && in[1].rank() == 0 && in[0].dtype == in[1].dtype &&
                   in[0].dtype == out[0].dtype && in[0].rank() == out[0].rank(),
               format, "pad: tensors do not fit");
  const size_t rank = in[0].dims.size();
  HEARTH_CHECK(
      attrs.list("low").size() == rank && attrs.list("high").size() == rank && attrs.list("interior").size() == rank,
      format, "pad: needs one amount an axis");
  for (int64_t i : attrs.list("interior"))
    HEARTH_CHECK(i >= 0 && i < (int64_t(1) << 40), format, "pad: interior amount ", i);
  for (int64_t i : attrs.list("low")) HEARTH_CHECK(std::abs(i) < (int64_t(1) << 40), format, "pad: low amount ", i);
}

void copy(const KernelArgs& args) { std::memcpy(args.out[0].data, args.in[0].data, size_t(args.in[0].type->bytes())); }

void check_copy(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  HEARTH_CHECK(in.size() == 1 && out.size() == 1 && in[0] == out[0], format, "copy: tensors do not fit");
}

}  // namespace

std::vector<KernelInfo> shape_kernels() {
  std::vector<KernelInfo> all = strided_copy_kernels();
  all.insert(all.end(),
             {{"concatenate", concatenate, check_concatenate}, {"pad", pad, check_pad}, {"copy", copy, check_copy}});
  return all;
}

}  // namespace hearth
