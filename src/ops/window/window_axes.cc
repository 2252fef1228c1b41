// SPDX-License-Identifier: Apache-2.0
#include "ops/window/window_axes.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace hearth {

WindowAxes window_axes(const Attrs& attrs) {
  return {attrs.list("window_dimensions"), attrs.list("window_strides"), attrs.list("base_dilations"),
          attrs.list("window_dilations"),  attrs.list("padding_low"),    attrs.list("padding_high")};
}

std::string window_problem(const Dims& x, const WindowAxes& axes) {
  const std::pair<const char*, const Dims*> lists[] = {{"window_dimensions", &axes.size},
                                                       {"window_strides", &axes.strides},
                                                       {"base_dilations", &axes.base_dilations},
                                                       {"window_dilations", &axes.window_dilations},
                                                       {"padding_low", &axes.low},
                                                       {"padding_high", &axes.high}};
  constexpr int64_t kMost = int64_t{1} << 30;  // products of two stay inside 64 bits
  for (const auto& [name, list] : lists) {
    if (list->size() != x.size())
      return cat(name, " ", ShowDims{*list}, " needs one number for each of ", x.size(), " axes");
    const bool may_be_negative = list == &axes.low || list == &axes.high;
    for (size_t i = 0; i < x.size(); ++i) {
      const int64_t n = (*list)[i];
      if (n > kMost || n < (may_be_negative ? -kMost : 1))
        return cat(name, " ", ShowDims{*list}, ": ", n, " makes no sense for axis ", i);
    }
  }
  for (size_t i = 0; i < x.size(); ++i)
    if (x[i] > (int64_t{1} << 62) / axes.base_dilations[i]) return cat("axis ", i, " is too long when dilated");
  return "";
}

Dims window_counts(const Dims& x, const WindowAxes& axes) {
  Dims counts;
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t padded = axes.low[i] + dilated(x[i], axes.base_dilations[i]) + axes.high[i];
    const int64_t window = dilated(axes.size[i], axes.window_dilations[i]);
    counts.push_back(padded < window ? 0 : (padded - window) / axes.strides[i] + 1);
  }
  return counts;
}

bool is_plain(const WindowAxes& axes, size_t i) {
  return axes.size[i] == 1 && axes.strides[i] == 1 && axes.base_dilations[i] == 1 && axes.low[i] == 0 &&
         axes.high[i] == 0;
}

bool parse_window_kind(const std::string& name, WindowKind* kind) {
  const std::pair<const char*, WindowKind> names[] = {
      {"sum", WindowKind::sum}, {"product", WindowKind::product}, {"max", WindowKind::max},
      {"min", WindowKind::min}, {"and", WindowKind::bitwise_and}, {"or", WindowKind::bitwise_or}};
  for (const auto& [text, value] : names) {
    if (name != text) continue;
    *kind = value;
    return true;
  }
  return false;
}

bool takes(WindowKind kind, DType dtype) {
  switch (kind) {
    case WindowKind::sum:
    case WindowKind::product: return dtype != DType::boolean;
    case WindowKind::max:
    case WindowKind::min: return dtype != DType::boolean && !is_complex(dtype);
    default: return dtype == DType::boolean || is_int(dtype);
  }
}

bool selects_largest(const Attrs& attrs) {
  const std::string& select = attrs.text("select");
  HEARTH_CHECK(select == "GE" || select == "LE", value, "select is '", select, "'; there are GE and LE");
  return select == "GE";
}

static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

TapRun tap_run(const WindowAxes& axes, size_t i, int64_t tap, int64_t elements, int64_t windows) {
  const int64_t stride = axes.strides[i], base = axes.base_dilations[i];
  const int64_t start = tap * axes.window_dilations[i] - axes.low[i];  // place of the tap of window 0
  const int64_t step = base / std::gcd(stride, base);
  TapRun run{0, 0, step, 0, stride * step / base};
  while (run.first < step && (run.first * stride + start) % base != 0) ++run.first;
  if (run.first == step) return run;  // never falls on an element
  const int64_t element = (run.first * stride + start) / base;
  // Skips those before element 0, then counts those before the end.
  const int64_t skip = element >= 0 ? 0 : -floor_divide(element, run.element_step);
  run.first += skip * step;
  run.element = element + skip * run.element_step;
  if (run.element >= elements || run.first >= windows) return run;
  run.count = std::min((elements - 1 - run.element) / run.element_step, (windows - 1 - run.first) / step) + 1;
  return run;
}

}  // namespace hearth
