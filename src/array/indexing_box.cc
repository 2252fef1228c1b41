// SPDX-License-Identifier: Apache-2.0
#include "array/indexing_box.h"

#include <algorithm>

#include "array/recording.h"
#include "ops/dynamic_slice/dynamic_slice.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

using Axis = IndexPlan::Axis;

// Starts of dynamic slices are i32.
bool starts_fit(const Value& x) {
  return std::all_of(x.dims().begin(), x.dims().end(), [](int64_t n) { return n <= INT32_MAX; });
}

bool has_integer(const Box& box) {
  return std::any_of(box.axes.begin(), box.axes.end(),
                     [](const Axis& axis) { return axis.role == IndexPlan::Role::integer; });
}

Values starts_of(Graph& graph, const Box& box) {
  Values starts;
  for (const Axis& axis : box.axes)
    starts.push_back(axis.size == axis.of ? constant(graph, 0, DType::i32)
                                          : index_number(graph, axis.start, DType::i32));
  return starts;
}

// The first and the one after the last element of the axis in memory order, and the distance of neighbours.
struct Span {
  int64_t first, end, pace;
};
Span span_of(const Axis& axis) {
  if (axis.size == 0) return {0, 0, 1};
  const int64_t last = axis.start + (axis.size - 1) * axis.step;
  return {std::min(axis.start, last), std::max(axis.start, last) + 1, std::abs(axis.step)};
}

Value turned(const Value& x, const Box& box) {
  Dims axes;
  for (size_t i = 0; i < box.axes.size(); ++i)
    if (box.axes[i].step < 0) axes.push_back(int64_t(i));
  return axes.empty() ? x : reverse(x, axes);
}

}  // namespace

Dims Box::sizes() const {
  Dims all;
  for (const Axis& axis : axes) all.push_back(axis.size);
  return all;
}
bool Box::is_whole() const {
  return is_contiguous() && std::all_of(axes.begin(), axes.end(), [](const Axis& a) { return a.size == a.of; });
}
bool Box::is_contiguous() const {
  return std::all_of(axes.begin(), axes.end(), [](const Axis& axis) { return axis.step == 1; });
}

bool numbers_lie_in_memory() { return !is_tracing() && current_recording()->lazy; }

Value index_number(Graph& graph, int64_t number, DType dtype) {
  if (!numbers_lie_in_memory()) return constant(graph, double(number), dtype);
  const int32_t narrow = int32_t(number);
  return dtype == DType::i32 ? to_value(array_from_bytes({dtype, {}}, &narrow))
                             : to_value(array_from_bytes({dtype, {}}, &number));
}

Value read_box(const Value& x, const Box& box, bool evaluated) {
  if (box.is_whole()) return x;
  const bool piece = has_integer(box) || num_elements(box.sizes()) <= x.type().elements() / 4;
  if (evaluated && piece && box.is_contiguous() && starts_fit(x) && numbers_lie_in_memory())
    return dynamic_slice(x, starts_of(*x.graph, box), box.sizes());
  Dims start, limit, strides;
  for (const Axis& axis : box.axes) {
    const Span span = span_of(axis);
    start.push_back(span.first);
    limit.push_back(span.end);
    strides.push_back(span.pace);
  }
  return turned(slice(x, start, limit, strides), box);
}

Value write_box(const Value& x, const Box& box, const Value& values) {
  if (box.is_whole()) return values;
  if (num_elements(box.sizes()) == 0) return x;
  Graph& graph = *x.graph;
  if (box.is_contiguous() && starts_fit(x)) return dynamic_update_slice(x, values, starts_of(graph, box));
  Padding padding;
  for (const Axis& axis : box.axes) {
    const Span span = span_of(axis);
    padding.low.push_back(span.first);
    padding.high.push_back(axis.of - span.end);
    padding.interior.push_back(span.pace - 1);
  }
  const Value hit = pad(constant(graph, 1, DType::boolean, box.sizes()), constant(graph, 0, DType::boolean), padding);
  return select(hit, pad(turned(values, box), constant(graph, 0, x.dtype()), padding), x);
}

}  // namespace hearth
