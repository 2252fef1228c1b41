// SPDX-License-Identifier: Apache-2.0
#include "compiler/view.h"

#include "base/error.h"

namespace hearth {

View collapsed(View view) {
  View small{view.base, {}, {}, view.offset};
  for (size_t i = 0; i < view.dims.size(); ++i) {
    const int64_t n = view.dims[i], stride = view.strides[i];
    if (n == 1) continue;
    if (!small.dims.empty() && small.strides.back() == n * stride) {
      small.dims.back() *= n;
      small.strides.back() = stride;
    } else {
      small.dims.push_back(n);
      small.strides.push_back(stride);
    }
  }
  return small;
}

bool is_identity(const View& view) {
  if (view.offset != 0 || num_elements(view.dims) != view.base.type().elements()) return false;
  if (num_elements(view.dims) <= 1) return true;
  const View small = collapsed(view);
  return small.dims.size() == 1 && small.strides[0] == 1;
}

// A counted iota needs no memory: the position in its view is the value itself, so only its own axis counts.
static View whole(const Node& node, Value value, bool counted) {
  View view{value, value.dims(), row_major_strides(value.dims()), 0};
  if (counted) {
    view.strides.assign(view.dims.size(), 0);
    view.strides[size_t(node.attrs.integer("dimension"))] = 1;
  }
  return view;
}

// Strides that read `view` with other sizes in the same order, if there are such.
static std::optional<View> reshaped(const View& view, const Dims& shape) {
  const View small = collapsed(view);
  View out{view.base, shape, Dims(shape.size(), 0), view.offset};
  if (num_elements(shape) == 0) return out;
  size_t axis = small.dims.size();
  int64_t rest = 1, stride = 0;  // of the source axis being split, from its fast end
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;
    if (rest == 1) {
      if (axis == 0) return std::nullopt;
      --axis;
      rest = small.dims[axis];
      stride = small.strides[axis];
    }
    if (rest % shape[i] != 0) return std::nullopt;
    out.strides[i] = stride;
    stride *= shape[i];
    rest /= shape[i];
  }
  return out;
}

static std::optional<View> apply(const Node& node, const View& in) {
  const std::string& op = node.op->name;
  View out{in.base, node.types[0].dims, {}, in.offset};
  if (op == "reshape") return reshaped(in, out.dims);
  if (op == "broadcast_in_dim") {
    const Dims& to = node.attrs.list("dims");
    out.strides.assign(out.dims.size(), 0);
    for (size_t i = 0; i < to.size(); ++i) {
      if (in.dims[i] != 1) out.strides[size_t(to[i])] = in.strides[i];
    }
    return out;
  }
  if (op == "transpose") {
    for (int64_t from : node.attrs.list("permutation")) out.strides.push_back(in.strides[size_t(from)]);
    return out;
  }
  out.strides = in.strides;
  if (op == "slice") {
    const Dims &start = node.attrs.list("start"), &step = node.attrs.list("strides");
    for (size_t i = 0; i < start.size(); ++i) {
      out.offset += start[i] * in.strides[i];
      out.strides[i] *= step[i];
    }
    if (num_elements(out.dims) == 0) out.offset = 0;
    return out;
  }
  HEARTH_CHECK(op == "reverse", bug, "view: ", op, " is not one");
  for (int64_t axis : node.attrs.list("dims")) {
    out.offset += (out.dims[size_t(axis)] - 1) * in.strides[size_t(axis)];
    out.strides[size_t(axis)] = -in.strides[size_t(axis)];
  }
  if (num_elements(out.dims) == 0) out.offset = 0;
  return out;
}

Views::Views(const Graph& graph, std::vector<bool> see_through)
    : views_(size_t(graph.size())), copies_(size_t(graph.size())), counted_(size_t(graph.size()), false) {
  for (int32_t id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    std::vector<View>& views = views_[size_t(id)];
    counted_[size_t(id)] = see_through[size_t(id)] && node.op->name == "iota";
    if (see_through[size_t(id)] && !counted_[size_t(id)]) {
      const View& in = (*this)(node.inputs[0]);
      if (std::optional<View> view = apply(node, in)) {
        views.push_back(*view);
        continue;
      }
      copies_[size_t(id)] = in;
    }
    for (size_t i = 0; i < node.types.size(); ++i) {
      views.push_back(whole(node, {const_cast<Graph*>(&graph), id, int32_t(i)}, counted_[size_t(id)]));
    }
  }
}

}  // namespace hearth
