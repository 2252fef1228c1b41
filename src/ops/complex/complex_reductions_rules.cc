// SPDX-License-Identifier: Apache-2.0
// Sums, products and matrix products of complex numbers in terms of real ones.
#include <algorithm>

#include "ops/complex/complex_parts.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

// x[..., n] with the reduced axes moved last and joined.
static Value reduced_axes_last(const Value& x, const Dims& axes) {
  Dims order, kept;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) order.push_back(i), kept.push_back(x.dim(i));
  }
  int64_t n = 1;
  for (const int64_t axis : axes) order.push_back(axis), n *= x.dim(axis);
  kept.push_back(n);
  return reshape(transpose(x, order), kept);
}

// A tree of products: log2(n) multiplications of halves.
static Value product_of_last(Value x) {
  while (x.dim(-1) != 1) {
    const int64_t axis = x.rank() - 1, n = x.dim(-1), half = n / 2;
    if (n == 0) {
      Dims dims = x.dims();
      dims.back() = 1;
      return constant(*x.graph, 1.0, x.dtype(), dims);
    }
    const Value pairs = slice_axis(x, axis, 0, half) * slice_axis(x, axis, half, 2 * half);
    x = n % 2 == 0 ? pairs : concatenate({pairs, slice_axis(x, axis, n - 1, n)}, axis);
  }
  return x;
}

std::vector<Value> expand_complex_reduce(Graph& graph, const Node& node, const std::vector<Value>& in) {
  if (in.size() != 1 || !is_complex(in[0].dtype()) || !node.bodies.empty()) return {};
  const std::string& kind = node.attrs.text("kind");
  if (kind == "sum") return expand_by_parts(graph, node, in);
  if (kind != "product") return {};
  return {reshape(product_of_last(reduced_axes_last(in[0], node.attrs.list("dims"))), node.types[0].dims)};
}

std::vector<Value> expand_complex_dot_general(Graph& graph, const Node& node, const std::vector<Value>& in) {
  if (!is_complex(in[0].dtype())) return {};
  const Parts a = parts_of(in[0]), b = parts_of(in[1]);
  const auto dot = [&](const Value& x, const Value& y) { return graph.add(node.op->name, {x, y}, node.attrs); };
  return {complex(dot(a.re, b.re) - dot(a.im, b.im), dot(a.re, b.im) + dot(a.im, b.re))};
}

}  // namespace hearth
