// SPDX-License-Identifier: Apache-2.0
#include "ops/window/window_plane.h"

#include "base/isa.h"

namespace hearth {

WindowPlane window_plane(const Dims& x, const WindowAxes& axes) {
  const Dims windows = window_counts(x, axes);
  WindowPlane plane;
  for (size_t i = 0; i < x.size(); ++i) {
    const bool plain = is_plain(axes, i);
    if (plain && !plane.axes.empty() && plane.axes.back().plain) {
      plane.axes.back().elements *= x[i];
      plane.axes.back().windows *= x[i];
      continue;
    }
    plane.axes.push_back({x[i], windows[i], axes.size[i], axes.strides[i], axes.base_dilations[i],
                          axes.window_dilations[i], axes.low[i], plain});
  }
  if (plane.axes.empty()) plane.axes.push_back({1, 1});
  if (plane.axes.size() > 1 && plane.axes[0].plain) {
    plane.planes = plane.axes[0].elements;
    plane.axes.erase(plane.axes.begin());
  }
  return plane;
}

int64_t WindowPlane::elements(size_t from) const {
  int64_t product = 1;
  for (size_t i = from; i < axes.size(); ++i) product *= axes[i].elements;
  return product;
}

int64_t WindowPlane::windows(size_t from) const {
  int64_t product = 1;
  for (size_t i = from; i < axes.size(); ++i) product *= axes[i].windows;
  return product;
}

TapRun tap_run(const WindowPlane::Axis& a, int64_t tap) {
  const WindowAxes one{{a.size}, {a.stride}, {a.base}, {a.dilation}, {a.low}, {0}};
  return tap_run(one, 0, tap, a.elements, a.windows);
}

TapRun WindowPass::tap(int64_t k) const {
  return tap_run(WindowPlane::Axis{elements, windows, size, stride, base, dilation, low, false}, k);
}

template <class F, class... Args>
static F best_function(F (*scalar)(Args...), F (*avx2)(Args...), F (*avx512)(Args...), Args... args) {
  const F own = isa() >= Isa::avx512 ? avx512(args...) : isa() >= Isa::avx2 ? avx2(args...) : nullptr;
  return own ? own : scalar(args...);
}

WindowFunction window_function(WindowKind kind, DType dtype) {
  return best_function(window_function_scalar, window_function_avx2, window_function_avx512, kind, dtype);
}
SelectFunction select_function(DType dtype, bool large_plane) {
  return best_function(select_function_scalar, select_function_avx2, select_function_avx512, dtype, large_plane);
}

}  // namespace hearth
