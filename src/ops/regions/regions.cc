// SPDX-License-Identifier: Apache-2.0
#include "ops/regions/regions.h"

#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/control/control.h"
#include "ops/regions/region_body.h"
#include "ops/window/window_rules.h"

namespace hearth {
namespace {

// The operation on `in` with one body of scalars; what the body captures comes last.
Values with_body(const char* op, Values in, const Attrs& attrs, const Types& takes, const Region& f) {
  HEARTH_CHECK(!in.empty(), value, op, ": needs at least one operand");
  Graph& graph = graph_of(in);
  const Body body = trace_body(graph, takes, f);
  append(in, body.captured);
  return graph.add_all(op, in, attrs, {body.graph});
}

Region of_pairs(const PairRegion& f, size_t n) {
  return [f, n](const Values& in) { return f(part(in, 0, n), part(in, n)); };
}

Types twice(Types types) {
  const Types once = types;
  types.insert(types.end(), once.begin(), once.end());
  return types;
}

Values reduce_like(const char* op, const Values& xs, const Values& inits, const Attrs& attrs, const PairRegion& f) {
  HEARTH_CHECK(inits.size() == xs.size(), value, op, ": ", inits.size(), " inits for ", xs.size(), " operands");
  Values in = xs;
  append(in, inits);
  return with_body(op, in, attrs, twice(scalars_of(xs)), of_pairs(f, xs.size()));
}

}  // namespace

Values map_elements(const Region& f, const Values& xs) {
  return with_body("map", xs, {{"operands", int64_t(xs.size())}}, scalars_of(xs), f);
}

Values reduce_with_body(const Values& xs, const Values& inits, const Dims& axes, const PairRegion& f) {
  return reduce_like("reduce_with_body", xs, inits, {{"operands", int64_t(xs.size())}, {"dims", axes}}, f);
}

Values reduce_window_with_body(const Values& xs, const Values& inits, const WindowDims& window, const PairRegion& f) {
  HEARTH_CHECK(!xs.empty(), value, "reduce_window_with_body: needs at least one operand");
  Attrs attrs = window_attrs(window, xs[0].rank());
  return reduce_like("reduce_window_with_body", xs, inits, attrs.set("operands", int64_t(xs.size())), f);
}

Value select_and_scatter_with_body(const Value& x, const Value& source, const Value& init,
                                   const SelectAndScatter& how) {
  Graph& graph = graph_of({x, source, init});
  const Types pair = twice(scalars_of({x}));
  const Body select = trace_body(graph, pair, [&](const Values& in) { return Values{how.select(in[0], in[1])}; });
  const Body scatter = trace_body(graph, pair, [&](const Values& in) { return Values{how.scatter(in[0], in[1])}; });
  Values in = {x, source, init};
  append(in, select.captured);
  append(in, scatter.captured);
  Attrs attrs = window_attrs(how.window, x.rank());
  attrs.set("captures", Dims{int64_t(select.captured.size()), int64_t(scatter.captured.size())});
  return graph.add("select_and_scatter_with_body", in, attrs, {select.graph, scatter.graph});
}

Values sort_with_body(const Values& xs, int64_t axis, const Comparator& before) {
  HEARTH_CHECK(!xs.empty(), value, "sort_with_body: needs at least one operand");
  Types pairs;
  for (const TensorType& type : scalars_of(xs)) pairs.insert(pairs.end(), 2, type);
  const Attrs attrs = {{"operands", int64_t(xs.size())}, {"dimension", checked_axis("sort_with_body", xs[0], axis)}};
  return with_body("sort_with_body", xs, attrs, pairs, [&](const Values& in) {
    Values a, b;
    for (size_t i = 0; i < in.size(); i += 2) {
      a.push_back(in[i]);
      b.push_back(in[i + 1]);
    }
    return Values{before(a, b)};
  });
}

Values scatter_with_body(const Values& operands, const Value& indices, const Values& updates,
                         const ScatterWithBody& how) {
  HEARTH_CHECK(updates.size() == operands.size(), value, "scatter_with_body: ", updates.size(), " updates for ",
               operands.size(), " operands");
  Values in = operands;
  in.push_back(indices);
  append(in, updates);
  return with_body("scatter_with_body", in, scatter_body_attrs(how.dims, how.options, operands.size()),
                   twice(scalars_of(operands)), of_pairs(how.f, operands.size()));
}

Values composite(const CompositeOptions& options, const Region& f, const Values& in) {
  Types types;
  for (const Value& value : in) types.push_back(value.type());
  Attrs attrs = options.attrs;
  attrs.set("composite_name", options.name).set("version", options.version);
  return with_body("composite", in, attrs, types, f);
}

Values custom_call(Graph& graph, const CustomCall& call, const Values& in) {
  Dims dtypes, ranks, dims;
  for (const TensorType& type : call.results) {
    dtypes.push_back(int64_t(type.dtype));
    ranks.push_back(type.rank());
    dims.insert(dims.end(), type.dims.begin(), type.dims.end());
  }
  Attrs attrs = call.attrs;
  attrs.set("target", call.target).set("result_dtypes", dtypes).set("result_ranks", ranks).set("result_dims", dims);
  return innermost(graph).add_all("custom_call", in, attrs);
}

std::vector<OpInfo> regions_ops() {
  const auto composed = [](const char* name, const char* doc, Types (*infer)(const InferArgs&),
                           Values (*decompose)(Graph&, const Node&, const Values&)) {
    return OpInfo{.name = name, .doc = doc, .infer = infer, .decompose_node = decompose};
  };
  return {composed("map", "a function of scalars done to each element", infer_map, decompose_map),
          composed("reduce_with_body", "any associative function over axes", infer_reduce_with_body,
                   decompose_reduce_with_body),
          composed("reduce_window_with_body", "any associative function over sliding windows", infer_window_with_body,
                   decompose_window_with_body),
          composed("select_and_scatter_with_body", "scatters to the element that each window selects, by any functions",
                   infer_select_and_scatter_with_body, decompose_select_and_scatter_with_body),
          composed("sort_with_body", "operands in the order of any comparator, stable", infer_sort_with_body,
                   decompose_sort_with_body),
          composed("scatter_with_body", "scatters by any function of element and update", infer_scatter_with_body,
                   decompose_scatter_with_body),
          composite_op(),
          custom_call_op()};
}

}  // namespace hearth
