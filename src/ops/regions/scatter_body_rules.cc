// SPDX-License-Identifier: Apache-2.0
// scatter_with_body             inputs [operand..., indices, update..., captured...]  attrs operands, those of scatter
//                               body {of operand..., of update..., captured...} -> one of each operand
// select_and_scatter_with_body  inputs [x, source, init, captured by select..., captured by scatter...]
//                               attrs captures=[a,b], those of reduce_window
//                               bodies {a, b, captured... -> bool}, {a, b, captured... -> one}
#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "ops/control/control.h"
#include "ops/elementwise/elementwise.h"
#include "ops/gather/index_axes.h"
#include "ops/regions/region_body.h"
#include "ops/scatter/scatter_kind.h"
#include "ops/scatter/scatter_rules.h"
#include "ops/shape/shape.h"
#include "ops/window/window_rules.h"

namespace hearth {

// --- scatter --------------------------------------------------------------------------------------------------------

Types infer_scatter_with_body(const InferArgs& args) {
  const size_t n = operand_count(args);
  HEARTH_CHECK(args.in.size() >= 2 * n + 1, value, args.op, ": needs indices and an update for each of ", n,
               " operands");
  const Value& indices = args.in[n];
  const Values operands = part(args.in, 0, n), updates = part(args.in, n + 1, n);
  check_same_sizes(args, n);
  HEARTH_CHECK(is_index_dtype(indices.dtype()), dtype, args.op, ": indices must be integers\n  scatter_indices is ",
               indices);
  clamps(args.attrs);
  for (size_t i = 0; i < n; ++i) {
    const std::string problem = scatter_problem(operands[i].dims(), indices.dims(), updates[i].dims(), args.attrs);
    HEARTH_CHECK(problem.empty(), shape, args.op, ": ", problem, "\n  operand ", i, " is ", operands[i],
                 "\n  scatter_indices is ", indices, "\n  update ", i, " is ", updates[i]);
    HEARTH_CHECK(updates[i].dtype() == operands[i].dtype(), dtype, args.op, ": dtypes differ: ", operands[i].dtype(),
                 " != ", updates[i].dtype(), "\n  operand ", i, " is ", operands[i], "\n  update ", i, " is ",
                 updates[i]);
  }
  const Types ones = scalars_of(operands);
  Types pair = ones;
  pair.insert(pair.end(), ones.begin(), ones.end());
  check_body(args, {.own = pair, .gives = ones, .captured = part(args.in, 2 * n + 1)});
  Types out;
  for (const Value& x : operands) out.push_back(x.type());
  return out;
}

namespace {

std::string known_kind(const Graph& body, size_t i, size_t n) {
  std::string kind = known_body(body, i, i, n + i);
  const DType dtype = body.outputs()[i].value.dtype();
  if (dtype == DType::boolean && kind != "set") kind = reduce_kind(kind, dtype);
  const std::optional<ScatterKind> known = scatter_kind(kind);
  return known && takes(*known, dtype) ? kind : "";
}

// All scatters as one form: indices [N, k], updates [N, window...], no batching axes.
struct PlainScatter {
  Value indices;
  Values updates;
  GatherDims gather;  // of the windows at one index [k], or at all [N, k]
  ScatterDims scatter;
  Dims sizes;  // of a window, in the operand
};

// Batching axes become further numbers of the index.
Value with_batch_numbers(Value indices, const IndexAxes& axes, Dims& index_map) {
  if (axes.index_vector == indices.rank()) {
    Dims dims = indices.dims();
    dims.push_back(1);
    indices = reshape(indices, dims);
  }
  Dims order;
  for (int64_t i = 0; i < indices.rank(); ++i)
    if (i != axes.index_vector) order.push_back(i);
  order.push_back(axes.index_vector);
  indices = transpose(indices, order);
  Values columns = {indices};
  index_map = axes.index_map;
  for (size_t b = 0; b < axes.indices_batching.size(); ++b) {
    Dims dims = indices.dims();
    dims.back() = 1;
    const int64_t axis = axes.indices_batching[b];
    columns.push_back(iota(*indices.graph, indices.dtype(), dims, axis > axes.index_vector ? axis - 1 : axis));
    index_map.push_back(axes.operand_batching[b]);
  }
  const Value all = columns.size() == 1 ? indices : concatenate(columns, indices.rank() - 1);
  return reshape(all, {num_elements(all.dims()) / std::max<int64_t>(all.dim(-1), 1), all.dim(-1)});
}

PlainScatter plain_scatter(const Values& operands, const Value& indices, const Values& updates, const Attrs& attrs) {
  const IndexAxes axes = scatter_axes(attrs, operands[0].dims(), updates[0].dims());
  PlainScatter plain;
  Dims index_map, order;
  for (int64_t i = 0; i < updates[0].rank(); ++i)
    if (!holds(axes.window, i)) order.push_back(i);
  int64_t count = 1;  // N
  for (const int64_t i : order) count *= updates[0].dim(i);
  order.insert(order.end(), axes.window.begin(), axes.window.end());
  plain.indices = with_batch_numbers(indices, axes, index_map);
  plain.indices = reshape(plain.indices, {count, int64_t(index_map.size())});
  Dims rows = {count};
  for (const int64_t i : axes.window) rows.push_back(updates[0].dim(i));
  for (const Value& update : updates) plain.updates.push_back(reshape(transpose(update, order), rows));
  Dims window(axes.window.size()), inserted = axes.inserted;
  std::iota(window.begin(), window.end(), 0);
  inserted.insert(inserted.end(), axes.operand_batching.begin(), axes.operand_batching.end());
  std::sort(inserted.begin(), inserted.end());
  plain.gather = {
      .offset_dims = window, .collapsed_slice_dims = inserted, .start_index_map = index_map, .index_vector_dim = 0};
  plain.scatter = {.update_window_dims = window,
                   .inserted_window_dims = inserted,
                   .scatter_dims_to_operand_dims = index_map,
                   .index_vector_dim = 0};
  plain.sizes = axes.sizes;
  return plain;
}

Values apply_at(const PlainScatter& plain, const Combine& f, const Values& operands, const Value& indices,
                const Values& updates, const ScatterOptions& options) {
  Values before;
  for (const Value& x : operands)
    before.push_back(gather(x, indices, plain.gather, plain.sizes, {.out_of_range = options.out_of_range}));
  Values after = f(before, updates);
  for (size_t i = 0; i < after.size(); ++i)
    after[i] = scatter(operands[i], indices, after[i], plain.scatter,
                       {.kind = "set", .out_of_range = options.out_of_range, .unique_indices = true});
  return after;
}

Values all_at_once(PlainScatter plain, const Combine& f, const Values& operands, const ScatterOptions& options) {
  for (Dims* window : {&plain.gather.offset_dims, &plain.scatter.update_window_dims})
    for (int64_t& axis : *window) ++axis;
  plain.gather.index_vector_dim = plain.scatter.index_vector_dim = 1;
  return apply_at(plain, f, operands, plain.indices, plain.updates, options);
}

Values one_by_one(Graph& graph, const PlainScatter& plain, const Graph& body, const Values& captured,
                  const Values& operands, const ScatterOptions& options) {
  Values rows = {plain.indices};
  append(rows, plain.updates);
  const ScanBody step = [&](const Values& carry, const Values& x) -> ScanResult {
    Values here;
    for (const Value& c : captured) here.push_back(x[0].graph->here(c));
    const Combine f = combine_of(*x[0].graph, body, here);
    return {apply_at(plain, f, carry, x[0], part(x, 1), options), {}};
  };
  return scan(graph, step, operands, rows).carry;
}

}  // namespace

Values decompose_scatter_with_body(Graph& graph, const Node& node, const Values& in) {
  const size_t n = size_t(node.attrs.integer("operands"));
  const Graph& body = *node.bodies[0];
  const Values operands = part(in, 0, n), updates = part(in, n + 1, n), captured = part(in, 2 * n + 1);
  const Value& indices = in[n];
  ScatterOptions options = scatter_options(node.attrs);
  std::vector<std::string> kinds;
  for (size_t i = 0; i < n; ++i) kinds.push_back(known_kind(body, i, n));
  if (std::find(kinds.begin(), kinds.end(), "") == kinds.end()) {
    Values out;
    for (size_t i = 0; i < n; ++i) {
      options.kind = kinds[i];
      out.push_back(scatter(operands[i], indices, updates[i], scatter_dims(node.attrs), options));
    }
    return out;
  }
  if (updates[0].type().elements() == 0 || operands[0].type().elements() == 0) return operands;
  const PlainScatter plain = plain_scatter(operands, indices, updates, node.attrs);
  if (options.unique_indices) return all_at_once(plain, combine_of(graph, body, captured), operands, options);
  return one_by_one(graph, plain, body, captured, operands, options);
}

// --- select and scatter ---------------------------------------------------------------------------------------------

static size_t captured_by_select(const Attrs& attrs) { return size_t(attrs.list("captures").at(0)); }

Types infer_select_and_scatter_with_body(const InferArgs& args) {
  HEARTH_CHECK(args.in.size() >= 3, value, args.op, ": needs x, source and init");
  const Value &x = args.in[0], &source = args.in[1], &init = args.in[2];
  const std::string operands = cat("\n  x is ", x, "\n  source is ", source, "\n  init is ", init);
  HEARTH_CHECK(source.dtype() == x.dtype() && init.type() == (TensorType{x.dtype(), {}}), dtype, args.op,
               ": source must have x's dtype and init be a scalar of it", operands);
  const WindowAxes axes = window_axes(args.attrs);
  const std::string problem = window_problem(x.dims(), axes);
  HEARTH_CHECK(problem.empty(), shape, args.op, ": ", problem, operands);
  const Dims wanted = window_counts(x.dims(), axes);
  HEARTH_CHECK(source.dims() == wanted, shape, args.op, ": source must have the sizes ", ShowDims{wanted}, operands);
  const TensorType one{x.dtype(), {}};
  const size_t by_select = captured_by_select(args.attrs);
  const Values captured = part(args.in, 3);
  HEARTH_CHECK(by_select <= captured.size(), bug, args.op, ": select captures more than there is");
  check_body(args, {.which = 0,
                    .what = "select",
                    .own = {one, one},
                    .gives = {{DType::boolean, {}}},
                    .captured = part(captured, 0, by_select)});
  check_body(args,
             {.which = 1, .what = "scatter", .own = {one, one}, .gives = {one}, .captured = part(captured, by_select)});
  return {x.type()};
}

// "GE" or "LE" when select is that of its two scalars, and x's dtype has an order the kernel knows.
static std::string known_select(const Graph& body, DType dtype) {
  const Node& node = body.node(body.outputs()[0].value);
  if (node.op->name != "compare" || !takes(WindowKind::max, dtype)) return "";
  if (is_total_order(node) && is_float(dtype)) return "";
  const int32_t a = body.inputs()[0].node, b = body.inputs()[1].node;
  const std::string& direction = node.attrs.text("direction");
  const bool known = direction == "GE" || direction == "LE";
  if (node.inputs[0].node == a && node.inputs[1].node == b) return known ? direction : "";
  if (node.inputs[0].node == b && node.inputs[1].node == a && known) return direction == "GE" ? "LE" : "GE";
  return "";
}

// The place of x [flat] that each window selects, -1 where a window has none: the windows of pairs of an element and
// its place, of which `keeps` keeps one.
static Value selected_places(const Combine& keeps, const Value& x, const WindowAxes& window) {
  const int64_t n = x.type().elements();
  const DType dtype = n > INT32_MAX ? DType::i64 : DType::i32;
  const Value places = reshape(iota(*x.graph, dtype, {n}, 0), x.dims());
  const Combine choose = [&](const Values& a, const Values& b) -> Values {
    const auto exists = [](const Value& place) { return compare("GE", place, scalar_like(place, 0)); };
    const Value first = exists(a[1]) & (~exists(b[1]) | keeps({a[0]}, {b[0]})[0]);
    return {select(first, a[0], b[0]), select(first, a[1], b[1])};
  };
  const Values fills = {constant(*x.graph, 0, x.dtype()), constant(*x.graph, -1, dtype)};
  return combine_windows(choose, {x, places}, fills, window)[1];
}

Values decompose_select_and_scatter_with_body(Graph& graph, const Node& node, const Values& in) {
  const Value &x = in[0], &source = in[1], &init = in[2];
  const size_t by_select = captured_by_select(node.attrs);
  const Values captured = part(in, 3);
  const Graph &select = *node.bodies[0], &scatter = *node.bodies[1];
  const std::string direction = known_select(select, x.dtype());
  if (!direction.empty() && known_body(scatter, 0, 0, 1) == "add") {
    const Value sums = select_and_scatter(x, source, direction, window_dims(node.attrs));
    return {is_neutral(init, "sum") ? sums : sums + broadcast_to(init, x.dims())};
  }
  const Value start = broadcast_to(init, x.dims());
  if (source.type().elements() == 0 || x.type().elements() == 0) return {start};
  const Combine keeps = combine_of(graph, select, part(captured, 0, by_select));
  const Value places = selected_places(keeps, x, window_axes(node.attrs));
  const int64_t windows = source.type().elements();
  Values inputs = {reshape(start, {x.type().elements()}), reshape(places, {windows}), reshape(source, {windows})};
  append(inputs, part(captured, by_select));
  const Attrs attrs = scatter_body_attrs(
      {.inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}, .index_vector_dim = 1}, {}, 1);
  return {reshape(graph.add("scatter_with_body", inputs, attrs, {node.bodies[1]}), x.dims())};
}

Attrs scatter_body_attrs(const ScatterDims& dims, const ScatterOptions& options, size_t operands) {
  return {{"operands", int64_t(operands)},
          {"update_window_dims", dims.update_window_dims},
          {"inserted_window_dims", dims.inserted_window_dims},
          {"input_batching_dims", dims.input_batching_dims},
          {"scatter_indices_batching_dims", dims.scatter_indices_batching_dims},
          {"scatter_dims_to_operand_dims", dims.scatter_dims_to_operand_dims},
          {"index_vector_dim", dims.index_vector_dim},
          {"kind", std::string("set")},  // not read
          {"indices_are_sorted", int64_t(options.indices_are_sorted)},
          {"unique_indices", int64_t(options.unique_indices)},
          {"out_of_range", std::string(options.out_of_range == OutOfRange::clamp ? "clamp" : "drop")}};
}

}  // namespace hearth
