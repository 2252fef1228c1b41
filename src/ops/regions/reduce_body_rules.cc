// SPDX-License-Identifier: Apache-2.0
// reduce_with_body         inputs [x..., init..., captured...]  attrs operands, dims
// reduce_window_with_body  inputs [x..., init..., captured...]  attrs operands, those of reduce_window
// body {a..., b..., captured...} -> one of each operand
#include <algorithm>

#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/regions/region_body.h"
#include "ops/shape/shape.h"
#include "ops/window/window_rules.h"

namespace hearth {

// --- steps on whole arrays ------------------------------------------------------------------------------------------

// count elements along axis: first, first + step ...
static Values every(const Values& xs, int64_t axis, int64_t first, int64_t count, int64_t step) {
  Values out;
  for (const Value& x : xs) {
    Dims start(size_t(x.rank()), 0), limit = x.dims(), strides(size_t(x.rank()), 1);
    start[size_t(axis)] = first;
    limit[size_t(axis)] = first + (count - 1) * step + 1;
    strides[size_t(axis)] = step;
    out.push_back(slice(x, start, limit, strides));
  }
  return out;
}

// Neighbours in pairs, and the last one as it is when it has none: order is kept, and nothing is added.
Values combine_along(const Combine& f, Values xs, int64_t axis) {
  for (int64_t n = xs[0].dim(axis); n > 1; n = xs[0].dim(axis)) {
    Values pairs = f(every(xs, axis, 0, n / 2, 2), every(xs, axis, 1, n / 2, 2));
    if (n % 2 == 1) {
      const Values last = every(xs, axis, n - 1, 1, 1);
      for (size_t i = 0; i < xs.size(); ++i) pairs[i] = concatenate({pairs[i], last[i]}, axis);
    }
    xs = std::move(pairs);
  }
  for (Value& x : xs) {
    Dims dims = x.dims();
    dims.erase(dims.begin() + axis);
    x = reshape(x, dims);
  }
  return xs;
}

struct AxisWindows {
  int64_t axis, size, stride, dilation, count;
};

static Values tap_by_tap(const Combine& f, const Values& xs, const AxisWindows& w) {
  Values out = every(xs, w.axis, 0, w.count, w.stride);
  for (int64_t k = 1; k < w.size; ++k) out = f(out, every(xs, w.axis, k * w.dilation, w.count, w.stride));
  return out;
}

// Windows of 1, 2, 4 ... elements at every place, each from two of those before; w.size from the powers it is made of.
static Values by_doubling(const Combine& f, const Values& xs, const AxisWindows& w) {
  std::vector<Values> powers = {xs};
  for (int64_t size = 1; 2 * size <= w.size; size *= 2) {
    const Values& half = powers.back();
    const int64_t count = half[0].dim(w.axis) - size * w.dilation;
    powers.push_back(f(every(half, w.axis, 0, count, 1), every(half, w.axis, size * w.dilation, count, 1)));
  }
  Values out;
  int64_t done = 0;
  for (size_t i = powers.size(); i-- > 0;) {
    if ((w.size >> i & 1) == 0) continue;
    const Values taps = every(powers[i], w.axis, done * w.dilation, w.count, w.stride);
    out = out.empty() ? taps : f(out, taps);
    done += int64_t{1} << i;
  }
  return out;
}

static Values windows_along(const Combine& f, const Values& xs, const AxisWindows& w) {
  if (w.size == 1 && w.stride == 1 && w.count == xs[0].dim(w.axis)) return xs;
  int64_t log2 = 0;
  while (w.size >> (log2 + 1)) ++log2;
  // Steps of the graph matter too: at most 32 for one axis.
  const bool few = w.size <= 33 && (w.size - 1) * w.count <= 2 * log2 * xs[0].dim(w.axis);
  return few ? tap_by_tap(f, xs, w) : by_doubling(f, xs, w);
}

Values combine_windows(const Combine& f, Values xs, const Values& fills, const WindowAxes& window) {
  const Dims counts = window_counts(xs[0].dims(), window);
  if (num_elements(counts) == 0) return stretched(fills, counts);
  Padding padding{window.low, window.high, window.base_dilations};
  for (int64_t& gap : padding.interior) --gap;
  for (size_t i = 0; i < xs.size(); ++i) xs[i] = pad(xs[i], fills[i], padding);
  // The last axis first: elements are combined in row-major order.
  for (size_t i = counts.size(); i-- > 0;)
    xs = windows_along(f, xs, {int64_t(i), window.size[i], window.strides[i], window.window_dilations[i], counts[i]});
  return xs;
}

// --- shape rules ----------------------------------------------------------------------------------------------------

static size_t check_operands(const InferArgs& args) {
  const size_t n = operand_count(args);
  HEARTH_CHECK(2 * n <= args.in.size(), value, args.op, ": needs an init for each of ", n, " operands");
  check_same_sizes(args, n);
  for (size_t i = 0; i < n; ++i)
    HEARTH_CHECK(args.in[n + i].type() == (TensorType{args.in[i].dtype(), {}}), shape, args.op, ": init ", i, " is ",
                 args.in[n + i], "; it must be a scalar of operand ", i, "'s dtype, ", args.in[i].dtype());
  const Types one = scalars_of(part(args.in, 0, n));
  check_body(args, {.own = scalars_of(part(args.in, 0, 2 * n)), .gives = one, .captured = part(args.in, 2 * n)});
  return n;
}

static Types with_sizes(const Values& xs, const Dims& dims) {
  Types out;
  for (const Value& x : xs) out.push_back({x.dtype(), dims});
  return out;
}

Types infer_reduce_with_body(const InferArgs& args) {
  const Value& x = args.in.at(0);
  const Dims& axes = args.attrs.list("dims");
  for (size_t i = 0; i < axes.size(); ++i)
    HEARTH_CHECK(axes[i] >= 0 && axes[i] < x.rank() && (i == 0 || axes[i] > axes[i - 1]), value, args.op, ": axes ",
                 ShowDims{axes}, " must rise and exist in x ", x);
  Dims dims;
  for (int64_t i = 0; i < x.rank(); ++i)
    if (!std::binary_search(axes.begin(), axes.end(), i)) dims.push_back(x.dim(i));
  return with_sizes(part(args.in, 0, check_operands(args)), dims);
}

Types infer_window_with_body(const InferArgs& args) {
  const Value& x = args.in.at(0);
  const WindowAxes axes = window_axes(args.attrs);
  const std::string problem = window_problem(x.dims(), axes);
  HEARTH_CHECK(problem.empty(), shape, args.op, ": ", problem, "\n  x is ", x);
  return with_sizes(part(args.in, 0, check_operands(args)), window_counts(x.dims(), axes));
}

// --- decompositions -------------------------------------------------------------------------------------------------

static Value reduce_by_kind(const Value& x, const Dims& axes, const std::string& kind) {
  return axes.empty() ? x : x.graph->add("reduce", {x}, {{"dims", axes}, {"kind", kind}});
}

// f(init, x), left out for each operand whose init changes nothing.
static Values begun_with(const Combine& f, const Values& inits, const Values& xs,
                         const std::vector<std::string>& kinds) {
  Values begun;
  for (size_t i = 0; i < xs.size(); ++i) {
    const bool skip = !kinds.empty() && is_neutral(inits[i], kinds[i]);
    if (!skip && begun.empty()) begun = f(stretched(inits, xs[0].dims()), xs);
  }
  if (begun.empty()) return xs;
  for (size_t i = 0; i < xs.size(); ++i)
    if (!kinds.empty() && is_neutral(inits[i], kinds[i])) begun[i] = xs[i];
  return begun;
}

Values decompose_reduce_with_body(Graph& graph, const Node& node, const Values& in) {
  const size_t n = size_t(node.attrs.integer("operands"));
  const Dims& axes = node.attrs.list("dims");
  Values xs = part(in, 0, n);
  const Values inits = part(in, n, n);
  const Combine f = combine_of(graph, *node.bodies[0], part(in, 2 * n));
  const std::vector<std::string> kinds = reduce_kinds(*node.bodies[0], n);
  if (!kinds.empty()) {
    for (size_t i = 0; i < n; ++i) xs[i] = reduce_by_kind(xs[i], axes, kinds[i]);
    return begun_with(f, inits, xs, kinds);
  }
  for (const int64_t axis : axes)
    if (xs[0].dim(axis) == 0) return stretched(inits, node.types[0].dims);
  for (size_t i = axes.size(); i-- > 0;) xs = combine_along(f, xs, axes[i]);
  return begun_with(f, inits, xs, {});
}

// The kinds know their own start value only: padding with another is for the general way.
static bool kinds_pad_alike(const Values& inits, const std::vector<std::string>& kinds, const WindowAxes& window) {
  const auto positive = [](int64_t n) { return n > 0; };
  const bool pads =
      std::any_of(window.low.begin(), window.low.end(), positive) ||
      std::any_of(window.high.begin(), window.high.end(), positive) ||
      std::any_of(window.base_dilations.begin(), window.base_dilations.end(), [](int64_t n) { return n > 1; });
  for (size_t i = 0; i < kinds.size(); ++i)
    if (pads && !is_neutral(inits[i], kinds[i])) return false;
  return !kinds.empty();
}

Values decompose_window_with_body(Graph& graph, const Node& node, const Values& in) {
  const size_t n = size_t(node.attrs.integer("operands"));
  const WindowAxes window = window_axes(node.attrs);
  Values xs = part(in, 0, n);
  const Values inits = part(in, n, n);
  const Combine f = combine_of(graph, *node.bodies[0], part(in, 2 * n));
  const std::vector<std::string> kinds = reduce_kinds(*node.bodies[0], n);
  if (!kinds_pad_alike(inits, kinds, window)) return begun_with(f, inits, combine_windows(f, xs, inits, window), {});
  for (size_t i = 0; i < n; ++i) xs[i] = reduce_window(xs[i], kinds[i], window_dims(node.attrs));
  return begun_with(f, inits, xs, kinds);
}

}  // namespace hearth
