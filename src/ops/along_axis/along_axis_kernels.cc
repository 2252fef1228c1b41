// SPDX-License-Identifier: Apache-2.0
// Kernels "gather_along_axis" and "scatter_add_along_axis". Bound by memory. A task of gather is a range of result
// elements; one of scatter_add is a block of columns of one outer index, which nobody else adds to.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/threads.h"
#include "device/kernel.h"
#include "ops/along_axis/axis_view.h"

namespace hearth {
namespace {

constexpr int64_t kElementsPerTask = 1 << 14, kColumnsPerTask = 256;

struct Bytes16 {
  uint64_t halves[2];
};

template <class Body>
void with_bytes(int64_t size, Body body) {
  switch (size) {
    case 1: return body(uint8_t{});
    case 2: return body(uint16_t{});
    case 4: return body(uint32_t{});
    case 8: return body(uint64_t{});
    default: return body(Bytes16{});
  }
}
template <class Body>
void with_index(DType dtype, Body body) {
  dtype == DType::i32 ? body(int32_t{}) : body(int64_t{});
}

template <class T, class Index>
void gather_range(const KernelArgs& args, const AxisView& x, const AxisView& y, int64_t begin, int64_t end) {
  const T* from = args.in[0].as<const T>();
  const Index* index = args.in[1].as<const Index>();
  T* to = args.out[0].as<T>();
  for (int64_t at = begin; at < end;) {
    const int64_t o = at / (y.n * y.inner), c = at % y.inner, run = std::min(y.inner - c, end - at);
    const T* base = from + o * x.n * x.inner + c;
    if (y.inner == 1) {  // the whole rest of the row
      const int64_t stop = std::min(end, (o + 1) * y.n);
      for (; at < stop; ++at) to[at] = uint64_t(index[at]) < uint64_t(x.n) ? base[index[at]] : T{};
      continue;
    }
    for (int64_t k = 0; k < run; ++k, ++at)
      to[at] = uint64_t(index[at]) < uint64_t(x.n) ? base[int64_t(index[at]) * x.inner + k] : T{};
  }
}

void gather(const KernelArgs& args) {
  const int64_t axis = args.attrs.integer("dimension");
  const AxisView x(args.in[0].dims(), axis), y(args.out[0].dims(), axis);
  with_bytes(size_bytes(args.in[0].dtype()), [&](auto element) {
    with_index(args.in[1].dtype(), [&](auto number) {
      parallel_ranges(args.out[0].type->elements(), kElementsPerTask, [&](int64_t begin, int64_t end, int) {
        gather_range<decltype(element), decltype(number)>(args, x, y, begin, end);
      });
    });
  });
}

// Sums of [n, columns first .. first + count) of one outer index. Sum is what terms are added in.
template <class T, class Index, class Sum>
void add_columns(const T* x, const Index* index, T* y, const AxisView& in, const AxisView& out, int64_t first,
                 int64_t count) {
  std::vector<Sum> wide;
  Sum* sums;
  int64_t pitch = out.inner;
  if constexpr (std::is_same_v<T, Sum>) {
    sums = y + first;
    for (int64_t i = 0; i < out.n; ++i) std::fill_n(sums + i * pitch, count, T{});
  } else {
    wide.resize(size_t(out.n * count));
    sums = wide.data();
    pitch = count;
  }
  for (int64_t j = 0; j < in.n; ++j) {
    const int64_t row = j * in.inner + first;
    for (int64_t c = 0; c < count; ++c) {
      const Index to = index[row + c];
      if (uint64_t(to) < uint64_t(out.n)) sums[int64_t(to) * pitch + c] += Sum(x[row + c]);
    }
  }
  if constexpr (!std::is_same_v<T, Sum>) {
    for (int64_t i = 0; i < out.n; ++i) {
      for (int64_t c = 0; c < count; ++c) y[i * out.inner + first + c] = T(sums[i * count + c]);
    }
  }
}

template <class T, class Sum = T>
void scatter_as(const KernelArgs& args) {
  const int64_t axis = args.attrs.integer("dimension");
  const AxisView in(args.in[0].dims(), axis), out(args.out[0].dims(), axis);
  const int64_t blocks = (in.inner + kColumnsPerTask - 1) / kColumnsPerTask;
  with_index(args.in[1].dtype(), [&](auto number) {
    using Index = decltype(number);
    parallel_for(in.outer * blocks, [&](int64_t task, int) {
      const int64_t o = task / blocks, first = task % blocks * kColumnsPerTask, from = o * in.n * in.inner;
      add_columns<T, Index, Sum>(args.in[0].as<const T>() + from, args.in[1].as<const Index>() + from,
                                 args.out[0].as<T>() + o * out.n * out.inner, in, out, first,
                                 std::min(kColumnsPerTask, in.inner - first));
    });
  });
}

// Integers wrap around, so signed ones are added as unsigned.
void scatter_add(const KernelArgs& args) {
  switch (args.in[0].dtype()) {
    case DType::boolean:
    case DType::i8:
    case DType::u8: return scatter_as<uint8_t>(args);
    case DType::i16:
    case DType::u16: return scatter_as<uint16_t>(args);
    case DType::i32:
    case DType::u32: return scatter_as<uint32_t>(args);
    case DType::i64:
    case DType::u64: return scatter_as<uint64_t>(args);
    case DType::f16: return scatter_as<f16, float>(args);
    case DType::bf16: return scatter_as<bf16, float>(args);
    case DType::f32: return scatter_as<float>(args);
    case DType::f64: return scatter_as<double>(args);
    case DType::complex64: return scatter_as<std::complex<float>>(args);
    case DType::complex128: return scatter_as<std::complex<double>>(args);
  }
}

void check_index(const std::vector<TensorType>& in, const std::vector<TensorType>& out) {
  HEARTH_CHECK(in.size() == 2 && out.size() == 1, format, "needs 2 inputs and 1 output");
  HEARTH_CHECK(in[1].dtype == DType::i32 || in[1].dtype == DType::i64, format, "index is ", in[1]);
  HEARTH_CHECK(in[0].dtype == out[0].dtype && in[0].rank() == out[0].rank(), format, "output ", out[0],
               " does not fit ", in[0]);
}
void check_gather(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  check_index(in, out);
  const int64_t axis = expect_axis(in[0], attrs.integer("dimension"));
  HEARTH_CHECK(in[1].dims == out[0].dims && with_size(in[0], axis, out[0].dims[size_t(axis)]) == out[0], format,
               "index ", in[1], " and output ", out[0], " do not fit ", in[0]);
}
void check_scatter_add(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  check_index(in, out);
  const int64_t axis = expect_axis(in[0], attrs.integer("dimension"));
  HEARTH_CHECK(in[0].dtype != DType::boolean && in[1].dims == in[0].dims &&
                   with_size(in[0], axis, out[0].dims[size_t(axis)]) == out[0],
               format, "index ", in[1], " and output ", out[0], " do not fit ", in[0]);
}

}  // namespace

std::vector<KernelInfo> along_axis_kernels() {
  return {{"gather_along_axis", gather, check_gather}, {"scatter_add_along_axis", scatter_add, check_scatter_add}};
}

}  // namespace hearth
