// SPDX-License-Identifier: Apache-2.0
// Kernel "reduce_window". A task is a part of the first axis that has windows, of one plane; it reduces axis after axis
// in buffers that stay in its core's cache, so that memory sees x and y once. Sums of 16-bit floats are kept in f32.
#include <algorithm>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/window/select_kernels.h"
#include "ops/window/window_plane.h"

namespace hearth {
namespace {

constexpr int64_t kTaskBytes = 1 << 17;  // of x: half of a core's second-level cache or less

bool is_half(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }
int64_t ceil_divide(int64_t a, int64_t b) { return a / b + (a % b > 0); }
int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

struct Reduction {
  WindowPlane plane;
  DType dtype, kept;  // of x and y, and of sums
  WindowFunction function;
  const char* x;
  char* y;
  int64_t chunk = 1, chunks = 1;  // windows of the first axis a task has, and tasks a plane

  const WindowPlane::Axis& first() const { return plane.axes[0]; }

  void choose_chunk() {
    const int64_t row = std::max<int64_t>(1, plane.elements(1) * size_bytes(kept)) * first().stride;
    // Neighbours read the same elements where windows overlap: a task is some windows long at least.
    chunk = std::max(kTaskBytes / row, 4 * ceil_divide(first().size * first().dilation, first().stride));
    chunk = std::clamp<int64_t>(chunk, 1, std::max<int64_t>(1, first().windows));
    chunks = ceil_divide(first().windows, chunk);
  }

  // The largest that an axis-after-axis reduction holds between two passes.
  int64_t buffer_elements() const {
    const int64_t rows =
        std::min(first().elements,
                 ceil_divide((chunk - 1) * first().stride + (first().size - 1) * first().dilation, first().base) + 2);
    int64_t most = std::max(rows * plane.elements(1), chunk * plane.elements(1)), outer = chunk;
    for (size_t i = 1; i < plane.axes.size(); ++i) {
      outer *= plane.axes[i].windows;
      most = std::max(most, outer * plane.elements(i + 1));
    }
    return most;
  }

  void run(int64_t task, char* buffers[2]) const {
    const int64_t begin = task % chunks * chunk, end = std::min(first().windows, begin + chunk);
    const int64_t rows_begin =
        std::clamp<int64_t>(ceil_divide(begin * first().stride - first().low, first().base), 0, first().elements);
    const int64_t reach = (end - 1) * first().stride + (first().size - 1) * first().dilation - first().low;
    const int64_t rows_end = std::clamp(floor_divide(reach, first().base) + 1, rows_begin, first().elements);
    const int64_t inner = plane.elements(1), element = size_bytes(dtype), which = task / chunks;
    const char* from = x + (which * first().elements + rows_begin) * inner * element;
    char* to = y + (which * first().windows + begin) * plane.windows(1) * element;
    int side = 0;
    if (kept != dtype) {
      widen(dtype, from, reinterpret_cast<float*>(buffers[0]), (rows_end - rows_begin) * inner);
      from = buffers[0];
      side = 1;
    }
    WindowPlane part = plane;
    part.axes[0].elements = rows_end - rows_begin;
    part.axes[0].windows = end - begin;
    part.axes[0].low += rows_begin * first().base - begin * first().stride;
    size_t last = 0;
    for (size_t i = 0; i < part.axes.size(); ++i)
      if (!part.axes[i].plain) last = i;
    int64_t outer = 1;
    for (size_t i = 0; i < part.axes.size(); ++i) {
      const WindowPlane::Axis& a = part.axes[i];
      if (!a.plain) {
        char* result = i == last && kept == dtype ? to : buffers[side];
        function({outer, a.elements, part.elements(i + 1), a.windows, a.size, a.stride, a.base, a.dilation, a.low, from,
                  result});
        from = result;
        side = 1 - side;
      }
      outer *= a.windows;
    }
    if (kept != dtype) narrow(dtype, reinterpret_cast<const float*>(from), to, outer);
  }
};

void reduce_window(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  if (y.type->elements() == 0) return;
  const WindowAxes axes = window_axes(args.attrs);
  WindowKind kind{};
  parse_window_kind(args.attrs.text("kind"), &kind);
  const DType kept = is_half(x.dtype()) ? DType::f32 : x.dtype();
  Reduction r{window_plane(x.dims(), axes), x.dtype(),          kept,
              window_function(kind, kept),  x.as<const char>(), y.as<char>()};
  if (r.plane.axes.size() == 1 && r.first().plain) {  // windows of one element
    std::memcpy(y.data, x.data, size_t(y.type->bytes()));
    return;
  }
  r.choose_chunk();
  const int64_t buffer = r.buffer_elements() * size_bytes(kept), task_elements = r.chunk * r.plane.windows(1);
  const int64_t grain = std::max<int64_t>(1, (1 << 13) / std::max<int64_t>(1, task_elements));
  parallel_ranges(r.plane.planes * r.chunks, grain, [&](int64_t begin, int64_t end, int) {
    const auto a = std::make_unique_for_overwrite<char[]>(size_t(buffer)),
               b = std::make_unique_for_overwrite<char[]>(size_t(buffer));
    char* buffers[2] = {a.get(), b.get()};
    for (int64_t task = begin; task < end; ++task) r.run(task, buffers);
  });
}

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 1 && out.size() == 1, format, "reduce_window: wrong number of tensors");
  WindowKind kind{};
  HEARTH_CHECK(parse_window_kind(attrs.text("kind"), &kind) && takes(kind, in[0].dtype), format,
               "reduce_window: kind '", attrs.text("kind"), "' has no meaning for ", in[0]);
  const WindowAxes axes = window_axes(attrs);
  const std::string problem = window_problem(in[0].dims, axes);
  HEARTH_CHECK(problem.empty(), format, "reduce_window: ", problem);
  HEARTH_CHECK((out[0] == TensorType{in[0].dtype, window_counts(in[0].dims, axes)}), format, "reduce_window: result ",
               out[0], " does not fit ", in[0]);
}

}  // namespace

template <class T>
static void widen_as(const void* x, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = float(static_cast<const T*>(x)[i]);
}
template <class T>
static void narrow_as(const float* x, void* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) static_cast<T*>(y)[i] = T(x[i]);
}
void widen(DType from, const void* x, float* y, int64_t count) {
  from == DType::bf16 ? widen_as<bf16>(x, y, count) : widen_as<f16>(x, y, count);
}
void narrow(DType to, const float* x, void* y, int64_t count) {
  to == DType::bf16 ? narrow_as<bf16>(x, y, count) : narrow_as<f16>(x, y, count);
}

std::vector<KernelInfo> window_kernels() {
  return {{"reduce_window", reduce_window, check},
          {"select_and_scatter", select_and_scatter, check_select_and_scatter},
          {"select_and_gather", select_and_gather, check_select_and_gather}};
}

}  // namespace hearth
