// SPDX-License-Identifier: Apache-2.0
// vmap: f is written once, for one example, into a body; the body is then done for the whole batch (ir/batch.h).
#include <algorithm>
#include <numeric>

#include "array/transforms.h"
#include "base/error.h"
#include "ir/batch.h"
#include "ir/op.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

int64_t checked_axis(const char* what, size_t i, int64_t axis, int64_t rank, const Value& shown) {
  HEARTH_CHECK(axis >= -rank && axis < rank, value, "vmap: ", what, " ", i, " has no axis ", axis, "; it is ", shown);
  return axis < 0 ? axis + rank : axis;
}

Value move_axis(const Value& x, int64_t from, int64_t to) {
  if (from == to) return x;
  Dims order(size_t(x.rank()));
  std::iota(order.begin(), order.end(), 0);
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return transpose(x, order);
}

BatchAxes axes_of(const char* what, const BatchAxes& given, size_t count) {
  if (given.empty()) return BatchAxes(count, 0);
  HEARTH_CHECK(given.size() == count, value, "vmap: ", given.size(), " ", what, "_axes for ", count,
               what[0] == 'i' ? " arguments" : " results");
  return given;
}

// The arguments with the batch in front, and its size.
struct Arguments {
  std::vector<Batched> values;
  int64_t size = -1;
};

Arguments batch_in_front(const std::vector<Value>& arguments, const BatchAxes& axes) {
  Arguments result;
  size_t first = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Value& x = arguments[i];
    if (!axes[i]) {
      result.values.push_back({x, false});
      continue;
    }
    const int64_t axis = checked_axis("argument", i, *axes[i], x.rank(), x);
    if (result.size < 0) {
      result.size = x.dim(axis);
      first = i;
    }
    HEARTH_CHECK(x.dim(axis) == result.size, shape, "vmap: batch sizes differ: ", result.size, " != ", x.dim(axis),
                 "\n  argument ", first, " is ", arguments[first], ", axis ", *axes[first], "\n  argument ", i, " is ",
                 x, ", axis ", *axes[i]);
    result.values.push_back({move_axis(x, axis, 0), true});
  }
  HEARTH_CHECK(result.size >= 0, value, "vmap: no argument has a batch axis");
  return result;
}

std::string name_of(const Value& value, size_t i, const Graph& body) {
  const Node& node = value.graph->node(value);
  const std::string name = node.op->name == "input" ? node.attrs.text("name") : "argument " + std::to_string(i);
  for (const GraphInput& other : body.inputs()) {
    if (other.name == name) return name + "," + std::to_string(i);
  }
  return name;
}

// f of one example.
void write_body(Graph& body, const Function& f, const std::vector<Value>& arguments,
                const std::vector<Batched>& batched) {
  std::vector<Value> in;
  for (size_t i = 0; i < batched.size(); ++i) {
    TensorType type = batched[i].value.type();
    if (batched[i].batched) type.dims.erase(type.dims.begin());
    in.push_back(body.input(name_of(arguments[i], i, body), type));
  }
  Tracing tracing(body);
  const std::vector<Value> out = f(in);
  for (size_t i = 0; i < out.size(); ++i) body.output(std::to_string(i), body.here(out[i]));
}

}  // namespace

Function vmap(Function f, BatchAxes in_axes, BatchAxes out_axes) {
  return [f = std::move(f), in_axes = std::move(in_axes),
          out_axes = std::move(out_axes)](const std::vector<Value>& arguments) {
    HEARTH_CHECK(!arguments.empty(), value, "vmap: the function needs an argument");
    Arguments in = batch_in_front(arguments, axes_of("in", in_axes, arguments.size()));
    Graph& graph = graph_of(arguments);
    Graph body(&graph);
    write_body(body, f, arguments, in.values);
    for (const Value& value : body.captures()) in.values.push_back({value, false});
    const std::vector<Batched> out = batch_into(graph, body, in.values, in.size);
    const BatchAxes axes = axes_of("out", out_axes, out.size());
    std::vector<Value> results;
    for (size_t i = 0; i < out.size(); ++i) {
      const Value& value = out[i].value;
      HEARTH_CHECK(axes[i] || !out[i].batched, value, "vmap: result ", i,
                   " differs between examples, so it needs an axis for them; of one example it is ",
                   body.outputs()[i].value.type());
      if (!axes[i]) {
        results.push_back(value);
        continue;
      }
      const Value whole = out[i].batched ? value : repeat_for_batch(value, in.size);
      results.push_back(move_axis(whole, 0, checked_axis("result", i, *axes[i], whole.rank(), whole)));
    }
    return results;
  };
}

}  // namespace hearth
