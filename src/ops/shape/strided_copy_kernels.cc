// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "ops/shape/strided_copy.h"

namespace hearth {
namespace {

constexpr int64_t kTile = 16;  // of f32 a cache line: every line is read and written whole, once

// The axis along which the input is contiguous; -1 when there is none beside the last.
int64_t contiguous_axis(const Dims& dims, const Dims& strides) {
  for (size_t axis = 0; axis + 1 < dims.size(); ++axis) {
    if (strides[axis] == 1 && dims[axis] > 1) return int64_t(axis);
  }
  return -1;
}

struct Element16 {
  uint64_t parts[2];
};

// One task copies a strip of kTile positions of axis a and all of the last axis, tile by tile through a buffer in L1:
// rows a power of two apart would otherwise evict each other before they are used up.
template <class T>
class Transposition {
 public:
  explicit Transposition(const KernelArgs& args)
      : dims_(args.attrs.list("dims")),
        strides_(args.attrs.list("strides")),
        to_strides_(row_major_strides(dims_)),
        a_(size_t(contiguous_axis(dims_, strides_))),
        from_(args.in[0].as<const T>() + args.attrs.integer("offset")),
        to_(args.out[0].as<T>()) {}

  void run() const {
    const int64_t strips = (dims_[a_] + kTile - 1) / kTile;
    parallel_for(num_elements(dims_) / dims_[a_] / dims_.back() * strips,
                 [&](int64_t task, int) { strip(task / strips, task % strips * kTile); });
  }

 private:
  void strip(int64_t outer, int64_t first) const {
    const T* from = from_ + first;
    T* to = to_ + first * to_strides_[a_];
    for (size_t axis = dims_.size() - 1; axis-- > 0;) {
      if (axis == a_) continue;
      from += outer % dims_[axis] * strides_[axis];
      to += outer % dims_[axis] * to_strides_[axis];
      outer /= dims_[axis];
    }
    const int64_t rows = std::min(kTile, dims_[a_] - first), columns = dims_.back(), step = strides_.back();
    for (int64_t c = 0; c < columns; c += kTile) tile(from + c * step, to + c, rows, std::min(kTile, columns - c));
  }

  void tile(const T* from, T* to, int64_t rows, int64_t columns) const {
    T buffer[kTile][kTile];
    for (int64_t c = 0; c < columns; ++c) std::memcpy(buffer[c], from + c * strides_.back(), size_t(rows) * sizeof(T));
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) to[r * to_strides_[a_] + c] = buffer[c][r];
    }
  }

  const Dims &dims_, &strides_;
  const Dims to_strides_;
  const size_t a_;
  const T* from_;
  T* to_;
};

void strided_copy(const KernelArgs& args) {
  if (args.out[0].type->elements() == 0) return;
  switch (size_bytes(args.out[0].dtype())) {
    case 1: return Transposition<uint8_t>(args).run();
    case 2: return Transposition<uint16_t>(args).run();
    case 4: return Transposition<uint32_t>(args).run();
    case 8: return Transposition<uint64_t>(args).run();
    default: return Transposition<Element16>(args).run();
  }
}

void check_strided_copy(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  const Dims &dims = attrs.list("dims"), &strides = attrs.list("strides");
  HEARTH_CHECK(in.size() == 1 && out.size() == 1 && in[0].dtype == out[0].dtype, format,
               "strided_copy: needs an input and an output of one dtype");
  HEARTH_CHECK(dims.size() == strides.size() && contiguous_axis(dims, strides) >= 0, format, "strided_copy: sizes ",
               ShowDims{dims}, " with strides ", ShowDims{strides}, " are no transposition");
  int64_t elements = 1, first = attrs.integer("offset"), last = first;
  const int64_t inside = in[0].elements(), wanted = out[0].elements();
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    HEARTH_CHECK(dims[axis] > 0 && dims[axis] <= wanted && elements <= wanted / dims[axis] &&
                     std::abs(strides[axis]) <= inside &&
                     (dims[axis] == 1 || strides[axis] == 0 || dims[axis] <= inside),
                 format, "strided_copy: sizes ", ShowDims{dims}, " with strides ", ShowDims{strides}, " do not fit ",
                 in[0], " and ", out[0]);
    elements *= dims[axis];
    const int64_t reach = (dims[axis] - 1) * strides[axis];
    (reach < 0 ? first : last) += reach;
    HEARTH_CHECK(first >= 0 && last < inside, format, "strided_copy: reads outside of ", in[0]);
  }
  HEARTH_CHECK(elements == wanted, format, "strided_copy: sizes ", ShowDims{dims}, " do not fill ", out[0]);
}

}  // namespace

bool is_transposition(const Dims& dims, const Dims& strides) {
  constexpr int64_t kEnough = 4096, kLong = 8;
  const int64_t axis = contiguous_axis(dims, strides);
  return axis >= 0 && strides.back() != 1 && dims[size_t(axis)] >= kLong && dims.back() >= kLong &&
         num_elements(dims) >= kEnough;
}

std::vector<KernelInfo> strided_copy_kernels() { return {{"strided_copy", strided_copy, check_strided_copy}}; }

}  // namespace hearth
