// SPDX-License-Identifier: Apache-2.0
#include "ops/window/window.h"

#include "base/error.h"
#include "ir/op.h"
#include "ops/window/window_axes.h"
#include "ops/window/window_rules.h"

namespace hearth {

static Dims list_or(const Dims& list, int64_t rank, int64_t otherwise) {
  return list.empty() ? Dims(size_t(rank), otherwise) : list;
}

Attrs window_attrs(const WindowDims& window, int64_t rank) {
  return {{"window_dimensions", list_or(window.size, rank, 1)},
          {"window_strides", list_or(window.strides, rank, 1)},
          {"base_dilations", list_or(window.base_dilations, rank, 1)},
          {"window_dilations", list_or(window.window_dilations, rank, 1)},
          {"padding_low", list_or(window.padding_low, rank, 0)},
          {"padding_high", list_or(window.padding_high, rank, 0)}};
}

WindowDims window_dims(const Attrs& attrs) {
  const WindowAxes axes = window_axes(attrs);
  return {axes.size, axes.strides, axes.base_dilations, axes.window_dilations, axes.low, axes.high};
}

Value reduce_window(const Value& x, const std::string& kind, const WindowDims& window) {
  return x.graph->add("reduce_window", {x}, window_attrs(window, x.rank()).set("kind", kind));
}
Value select_and_scatter(const Value& x, const Value& source, const std::string& select, const WindowDims& window) {
  return x.graph->add("select_and_scatter", {x, source}, window_attrs(window, x.rank()).set("select", select));
}
Value select_and_gather(const Value& x, const Value& values, const std::string& select, const WindowDims& window) {
  return x.graph->add("select_and_gather", {x, values}, window_attrs(window, x.rank()).set("select", select));
}

// --- shape rules ----------------------------------------------------------------------------------------------------

static std::vector<TensorType> infer_reduce(const InferArgs& args) {
  const Value& x = args.in[0];
  const std::string& kind = args.attrs.text("kind");
  WindowKind known{};
  HEARTH_CHECK(parse_window_kind(kind, &known), value, "reduce_window: unknown kind '", kind,
               "'; there are sum product max min and or");
  HEARTH_CHECK(takes(known, x.dtype()), dtype, "reduce_window ", kind, ": has no meaning for ", x.dtype(), "\n  x is ",
               x);
  const WindowAxes axes = window_axes(args.attrs);
  const std::string problem = window_problem(x.dims(), axes);
  HEARTH_CHECK(problem.empty(), shape, "reduce_window ", kind, ": ", problem, "\n  x is ", x);
  return {{x.dtype(), window_counts(x.dims(), axes)}};
}

// `whole` are the sizes that the second operand must have: x's, or those of the windows.
static void check_select(const InferArgs& args, bool per_window) {
  const Value &x = args.in[0], &other = args.in[1];
  const std::string operands = cat("\n  x is ", x, "\n  ", per_window ? "source" : "values", " is ", other);
  selects_largest(args.attrs);
  HEARTH_CHECK(takes(WindowKind::max, x.dtype()), dtype, args.op, ": needs real numbers", operands);
  HEARTH_CHECK(other.dtype() == x.dtype(), dtype, args.op, ": dtypes differ: ", x.dtype(), " != ", other.dtype(),
               operands);
  const WindowAxes axes = window_axes(args.attrs);
  const std::string problem = window_problem(x.dims(), axes);
  HEARTH_CHECK(problem.empty(), shape, args.op, ": ", problem, operands);
  const Dims wanted = per_window ? window_counts(x.dims(), axes) : x.dims();
  HEARTH_CHECK(other.dims() == wanted, shape, args.op, ": ", per_window ? "source" : "values", " must have the sizes ",
               ShowDims{wanted}, operands);
}

static std::vector<TensorType> infer_scatter(const InferArgs& args) {
  check_select(args, true);
  return {args.in[0].type()};
}

static std::vector<TensorType> infer_gather(const InferArgs& args) {
  check_select(args, false);
  return {{args.in[0].dtype(), window_counts(args.in[0].dims(), window_axes(args.attrs))}};
}

// --- batches: one more axis, of windows of one element
// ----------------------------------------------------------------

static void batch(BatchArgs& b) {
  Attrs attrs = b.node.attrs;
  for (const char* name :
       {"window_dimensions", "window_strides", "base_dilations", "window_dilations", "padding_low", "padding_high"}) {
    Dims list = attrs.list(name);
    list.insert(list.begin(), name[0] == 'p' ? 0 : 1);
    attrs.set(name, list);
  }
  std::vector<Value> in;
  for (size_t i = 0; i < b.in.size(); ++i) in.push_back(b.with_batch(i));
  b.out = {b.graph.add(b.node.op->name, in, attrs)};
}

// A selection is a constant, so the two that select are each other's transpose.
static void grad_scatter(VjpArgs& v) {
  if (v.wanted[1]) v.grad[1] = select_and_gather(v.in[0], v.cotangent[0], v.attrs.text("select"), window_dims(v.attrs));
}
static void grad_gather(VjpArgs& v) {
  if (v.wanted[1])
    v.grad[1] = select_and_scatter(v.in[0], v.cotangent[0], v.attrs.text("select"), window_dims(v.attrs));
}

std::vector<OpInfo> window_ops() {
  return {{.name = "reduce_window",
           .doc = "sum, product, max, min, and, or over sliding windows",
           .infer = infer_reduce,
           .vjp = reduce_window_vjp,
           .batch = batch,
           .offers = {{"cpu", "reduce_window", nullptr}}},
          {.name = "select_and_scatter",
           .doc = "adds to the largest or smallest element of each window",
           .infer = infer_scatter,
           .vjp = grad_scatter,
           .batch = batch,
           .offers = {{"cpu", "select_and_scatter", nullptr}}},
          {.name = "select_and_gather",
           .doc = "values at the largest or smallest element of each window",
           .infer = infer_gather,
           .vjp = grad_gather,
           .batch = batch,
           .offers = {{"cpu", "select_and_gather", nullptr}}}};
}

}  // namespace hearth
