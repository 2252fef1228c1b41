// SPDX-License-Identifier: Apache-2.0
// Kernels that copy boxes. Bound by memory; rows of the last axis are copied whole.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"

namespace hearth {
namespace {

constexpr int64_t kBytesPerTask = 1 << 16;

// Copies a box of `sizes` elements between two row-major tensors; offsets in elements.
void copy_box(const char* from, const Dims& from_strides, char* to, const Dims& to_strides, const Dims& sizes,
              int64_t element) {
  const int64_t rank = int64_t(sizes.size());
  const int64_t row = rank == 0 ? 1 : sizes[size_t(rank - 1)];
  const int64_t rows = rank == 0 ? 1 : (row == 0 ? 0 : num_elements(sizes) / row);
  const int64_t grain = std::max<int64_t>(1, kBytesPerTask / std::max<int64_t>(1, row * element));
  parallel_ranges(rows, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t rest = r, source = 0, target = 0;
      for (int64_t axis = rank - 2; axis >= 0; --axis) {
        const int64_t i = rest % sizes[size_t(axis)];
        rest /= sizes[size_t(axis)];
        source += i * from_strides[size_t(axis)];
        target += i * to_strides[size_t(axis)];
      }
      std::memcpy(to + target * element, from + source * element, size_t(row * element));
    }
  });
}

// Element offset of the box whose starts are inputs first, first+1, ...: clamped so that it lies inside.
int64_t box_offset(const KernelArgs& args, size_t first, const Dims& whole, const Dims& sizes) {
  const Dims strides = row_major_strides(whole);
  int64_t offset = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    const int64_t start = *args.in[first + i].as<const int32_t>();
    offset += std::clamp<int64_t>(start, 0, whole[i] - sizes[i]) * strides[i];
  }
  return offset;
}

void slice(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  const int64_t element = size_bytes(x.dtype()), offset = box_offset(args, 1, x.dims(), y.dims());
  copy_box(x.as<const char>() + offset * element, row_major_strides(x.dims()), y.as<char>(),
           row_major_strides(y.dims()), y.dims(), element);
}

void update(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &part = args.in[1], &y = args.out[0];
  const int64_t element = size_bytes(x.dtype()), offset = box_offset(args, 2, x.dims(), part.dims());
  if (y.data != x.data) std::memcpy(y.data, x.data, size_t(x.type->bytes()));
  copy_box(part.as<const char>(), row_major_strides(part.dims()), y.as<char>() + offset * element,
           row_major_strides(y.dims()), part.dims(), element);
}

void check_starts(const std::vector<TensorType>& in, size_t first, int64_t rank) {
  HEARTH_CHECK(in.size() == first + size_t(rank), format, "needs ", first + size_t(rank), " inputs, has ", in.size());
  for (size_t i = first; i < in.size(); ++i) {
    HEARTH_CHECK(in[i] == (TensorType{DType::i32, {}}), format, "start ", i - first, " is ", in[i],
                 ", not an i32 scalar");
  }
}

void check_inside(const TensorType& whole, const TensorType& box) {
  HEARTH_CHECK(whole.dtype == box.dtype && whole.rank() == box.rank(), format, "box ", box, " does not belong to ",
               whole);
  for (size_t i = 0; i < box.dims.size(); ++i)
    HEARTH_CHECK(box.dims[i] <= whole.dims[i], format, "box ", box, " does not fit in ", whole);
}

void check_slice(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  HEARTH_CHECK(!in.empty() && out.size() == 1, format, "dynamic_slice: wrong number of tensors");
  check_starts(in, 1, in[0].rank());
  check_inside(in[0], out[0]);
}

void check_update(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  HEARTH_CHECK(in.size() >= 2 && out.size() == 1 && out[0] == in[0], format,
               "dynamic_update_slice: tensors do not fit");
  check_starts(in, 2, in[0].rank());
  check_inside(in[0], in[1]);
}

}  // namespace

std::vector<KernelInfo> dynamic_slice_kernels() {
  return {{"dynamic_slice", slice, check_slice}, {"dynamic_update_slice", update, check_update}};
}

}  // namespace hearth
