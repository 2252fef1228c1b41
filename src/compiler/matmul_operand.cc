// SPDX-License-Identifier: Apache-2.0
#include "compiler/matmul_operand.h"

#include "base/error.h"
#include "ops/matmul/matmul_rule.h"

namespace hearth {

View matmul_operand(const Graph& graph, const Views& views, const Value& in) {
  View view = views(in);
  const Node& node = graph.node(view.base);
  if (node.op->name != "convert" || view.base.dtype() != DType::f32) return view;
  const DType stored = node.inputs[0].dtype();
  if (stored != DType::bf16 && stored != DType::f16) return view;
  const View source = views(node.inputs[0]);
  const std::string& from = graph.node(source.base).op->name;
  // Only what lies in memory anyway, with the conversion's own layout: the view then holds for the source as well.
  if (!is_identity(source) || graph.node(source.base).op->row_kind != RowKind::none || from == "optimization_barrier")
    return view;
  view.base = source.base;
  return view;
}

namespace {

// The axes of an operand by role, in the order of the result: batch, rows or columns of C, contracted.
struct Matrix {
  View view;
  Dims batch, free, contract;
};

struct Strided {
  int64_t size = 1, stride = 0;
  bool fits = true;
};

// Several axes as one with a single stride, if that is possible.
Strided joined(const View& view, const Dims& axes) {
  View part{view.base, {}, {}, 0};
  for (int64_t axis : axes) {
    part.dims.push_back(view.dims[size_t(axis)]);
    part.strides.push_back(view.strides[size_t(axis)]);
  }
  const View small = collapsed(part);
  const int64_t size = num_elements(part.dims);
  if (size == 0 || small.dims.empty()) return {size, 0, true};
  return {size, small.strides[0], small.dims.size() == 1};
}

View permuted(const View& view, const Dims& order) {
  View out{view.base, {}, {}, view.offset};
  for (int64_t axis : order) {
    out.dims.push_back(view.dims[size_t(axis)]);
    out.strides.push_back(view.strides[size_t(axis)]);
  }
  return out;
}

struct Reading {
  int32_t tensor;
  int64_t offset;
  Strided batch, free, contract;
};

// Reads the operand where it lies when two strides (and one for the batch) say it all, else from a dense copy in the
// order batch, free, contracted.
Reading reading(Emitter& emitter, const Graph& graph, const Matrix& m) {
  const Reading direct{0, m.view.offset, joined(m.view, m.batch), joined(m.view, m.free), joined(m.view, m.contract)};
  const int32_t buffer = emitter.buffer_of(m.view.base);
  const bool in_memory = buffer >= 0 && graph.node(m.view.base).op->row_kind != RowKind::constant;
  if (in_memory && direct.batch.fits && direct.free.fits && direct.contract.fits) {
    Reading r = direct;
    r.tensor = emitter.tensor(emitter.on_device(buffer, 0), m.view.base.type());
    return r;
  }
  Dims order = m.batch;
  order.insert(order.end(), m.free.begin(), m.free.end());
  order.insert(order.end(), m.contract.begin(), m.contract.end());
  const View copy = permuted(m.view, order);
  Reading r{emitter.dense(copy, {m.view.base.dtype(), copy.dims}, 0), 0, direct.batch, direct.free, direct.contract};
  r.contract.stride = 1;
  r.free.stride = r.contract.size;
  r.batch.stride = r.free.size * r.contract.size;
  return r;
}

void set_operand(Attrs& attrs, const std::string& name, const Reading& r, bool rows_are_free) {
  attrs.set(name + "_offset", r.offset)
      .set(name + "_row", rows_are_free ? r.free.stride : r.contract.stride)
      .set(name + "_col", rows_are_free ? r.contract.stride : r.free.stride)
      .set(name + "_batch", r.batch.stride);
}

}  // namespace

void emit_matmul(Emitter& emitter, const Graph& graph, const Views& views, int32_t id) {
  const Node& node = graph.node(id);
  Emitter::Call call{.kernel = "matmul", .scope = node.scope};
  const auto add_product = [&](size_t first, const DotShape& d, const std::string& a, const std::string& b,
                               const std::string& k) {
    const Reading ra =
        reading(emitter, graph, {matmul_operand(graph, views, node.inputs[first]), d.a_batch, d.a_free, d.a_contract});
    const Reading rb = reading(
        emitter, graph, {matmul_operand(graph, views, node.inputs[first + 1]), d.b_batch, d.b_free, d.b_contract});
    call.in.push_back(ra.tensor);
    call.in.push_back(rb.tensor);
    set_operand(call.attrs, a, ra, true);
    set_operand(call.attrs, b, rb, false);
    call.attrs.set(k, ra.contract.size).set("m", ra.free.size).set("n", rb.free.size).set("batch", ra.batch.size);
  };
  if (node.op->name == "dot_general") {
    add_product(0, dot_shape(node), "a", "b", "k");
  } else {
    const auto axes = [&](size_t first, const char* a, const char* b) {
      DotShape d;
      d.a_contract = node.attrs.list(a);
      d.b_contract = node.attrs.list(b);
      d.a_free = free_axes(node.inputs[first].rank(), {}, d.a_contract);
      d.b_free = free_axes(node.inputs[first + 1].rank(), {}, d.b_contract);
      return d;
    };
    add_product(0, axes(0, "a_contract", "b_contract"), "a", "b", "k");
    if (node.attrs.has("scale2")) {
      add_product(2, axes(2, "a2_contract", "b2_contract"), "a2", "b2", "k2");
      call.attrs.set("scale2", node.attrs.real("scale2"));
    }
    if (node.attrs.has("addend")) {
      const View addend = matmul_operand(graph, views, node.inputs.back());
      const TensorType type{addend.base.dtype(), node.types[0].dims};
      call.in.push_back(emitter.dense(addend, type, 0));
      call.attrs.set("addend", int64_t(1));
      if (type == node.types[0]) call.in_place = {{int(call.in.size()) - 1, 0}};
    }
  }
  const int32_t buffer = emitter.new_buffer(node.types[0], 0);
  emitter.set_buffer({const_cast<Graph*>(&graph), id, 0}, buffer);
  call.out = {emitter.tensor(buffer, node.types[0])};
  emitter.emit(std::move(call));
}

}  // namespace hearth
