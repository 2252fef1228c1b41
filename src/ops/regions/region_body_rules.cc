// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "ir/batch.h"
#include "ir/inline.h"
#include "ops/elementwise/elementwise.h"
#include "ops/regions/region_body.h"
#include "ops/shape/shape.h"

namespace hearth {

Types scalars_of(const Values& values) {
  Types types;
  for (const Value& value : values) types.push_back({value.dtype(), {}});
  return types;
}

// --- checks ---------------------------------------------------------------------------------------------------------

static void expect_types(const InferArgs& args, const std::string& does, const Types& got, const Types& wanted) {
  HEARTH_CHECK(got.size() == wanted.size(), value, args.op, ": ", does, " ", got.size(), " values instead of ",
               wanted.size());
  for (size_t i = 0; i < got.size(); ++i)
    HEARTH_CHECK(got[i] == wanted[i], shape, args.op, ": ", does, " ", got[i], " as value ", i, " instead of ",
                 wanted[i]);
}

void check_body(const InferArgs& args, const BodyContract& contract) {
  HEARTH_CHECK(args.bodies.size() > contract.which, value, args.op, ": needs ", contract.what, "; there are ",
               args.bodies.size(), " bodies");
  const Graph& body = *args.bodies[contract.which];
  Types takes, gives, wanted = contract.own;
  for (const GraphInput& input : body.inputs()) takes.push_back(body.node(input.node).types[0]);
  for (const GraphOutput& output : body.outputs()) gives.push_back(output.value.type());
  for (const Value& value : contract.captured) wanted.push_back(value.type());
  expect_types(args, cat(contract.what, " takes"), takes, wanted);
  expect_types(args, cat(contract.what, " gives"), gives, contract.gives);
}

size_t operand_count(const InferArgs& args) {
  const int64_t n = args.attrs.integer("operands");
  HEARTH_CHECK(n >= 1, value, args.op, ": needs at least one operand");
  HEARTH_CHECK(size_t(n) <= args.in.size(), bug, args.op, ": ", n, " operands among ", args.in.size(), " inputs");
  return size_t(n);
}

void check_same_sizes(const InferArgs& args, size_t count) {
  for (size_t i = 1; i < count; ++i)
    HEARTH_CHECK(args.in[i].dims() == args.in[0].dims(), shape, args.op, ": shapes differ\n  operand 0 is ", args.in[0],
                 "\n  operand ", i, " is ", args.in[i]);
}

// --- bodies that are known ------------------------------------------------------------------------------------------

std::string known_body(const Graph& body, size_t out, size_t a, size_t b) {
  const int32_t first = body.inputs().at(a).node, second = body.inputs().at(b).node;
  const Value value = body.outputs().at(out).value;
  if (value.node == second) return "set";
  const Node& node = body.node(value);
  static const char* const names[] = {"add", "multiply", "maximum", "minimum", "and", "or"};
  if (std::find(std::begin(names), std::end(names), node.op->name) == std::end(names)) return "";
  const int32_t x = node.inputs[0].node, y = node.inputs[1].node;
  return (x == first && y == second) || (x == second && y == first) ? node.op->name : "";
}

std::string reduce_kind(const std::string& known, DType dtype) {
  if (dtype == DType::boolean) {
    if (known == "add" || known == "maximum" || known == "or") return "or";
    return known == "multiply" || known == "minimum" || known == "and" ? "and" : "";
  }
  static const std::map<std::string, std::string> kinds = {
      {"add", "sum"}, {"multiply", "product"}, {"maximum", "max"}, {"minimum", "min"}, {"and", "and"}, {"or", "or"}};
  const auto found = kinds.find(known);
  return found == kinds.end() ? "" : found->second;
}

std::vector<std::string> reduce_kinds(const Graph& body, size_t n) {
  std::vector<std::string> kinds;
  for (size_t i = 0; i < n; ++i) {
    kinds.push_back(reduce_kind(known_body(body, i, i, n + i), body.outputs()[i].value.dtype()));
    if (kinds.back().empty()) return {};
  }
  return kinds;
}

std::optional<double> constant_of(const Node& node) {
  if (node.op->name != "constant" || !node.attrs.has("value") || node.attrs.has("imaginary")) return std::nullopt;
  const Attrs::Item& item = node.attrs.items().at("value");
  if (const auto* integer = std::get_if<int64_t>(&item)) return double(*integer);
  return node.attrs.real("value");
}

bool is_total_order(const Node& compare) {
  return compare.attrs.has("compare_type") && compare.attrs.text("compare_type") == "TOTALORDER";
}

bool is_neutral(const Value& init, const std::string& kind) {
  const std::optional<double> number = constant_of(init.graph->node(init));
  if (!number) return false;
  const double value = *number;
  if (kind == "sum") return value == 0;
  if (kind == "product") return value == 1;
  if (kind == "max") return value == -INFINITY;
  if (kind == "min") return value == INFINITY;
  if (kind == "or") return value == 0;
  return kind == "and" && init.dtype() == DType::boolean && value == 1;
}

// --- bodies of scalars done to arrays -------------------------------------------------------------------------------

static bool is_elementwise(const Graph& body) {
  for (int32_t id = 0; id < body.size(); ++id) {
    const Node& node = body.node(id);
    const bool known =
        node.op->name == "input" || node.op->row_kind == RowKind::elementwise || node.op->row_kind == RowKind::constant;
    if (!known || node.types.size() != 1 || node.types[0].rank() != 0) return false;
  }
  return true;
}

Values stretched(const Values& scalars, const Dims& dims) {
  Values arrays;
  for (const Value& x : scalars) arrays.push_back(broadcast_in_dim(x, dims, {}));
  return arrays;
}

Values apply_body(Graph& around, const Graph& body, Values arrays, const Values& captured) {
  Graph& graph = innermost(around);
  const Dims dims = arrays.at(0).dims();
  const int64_t n = num_elements(dims);
  Values out;
  if (n == 0) {
    for (const GraphOutput& o : body.outputs()) out.push_back(constant(graph, 0, o.value.dtype(), dims));
    return out;
  }
  if (is_elementwise(body)) {
    append(arrays, stretched(captured, dims));
    for (Value& x : arrays) x = graph.here(x);
    return inline_elementwise(graph, body, arrays, dims);
  }
  std::vector<Batched> in;
  for (const Value& x : arrays) in.push_back({reshape(x, {n}), true});
  for (const Value& x : captured) in.push_back({x, false});
  for (const Batched& result : batch_into(graph, body, in, n))
    out.push_back(reshape(result.batched ? result.value : repeat_for_batch(result.value, n), dims));
  return out;
}

Combine combine_of(Graph& graph, const Graph& body, const Values& captured) {
  return [&graph, &body, captured](const Values& a, const Values& b) {
    Values in = a;
    append(in, b);
    return apply_body(graph, body, in, captured);
  };
}

// --- map ------------------------------------------------------------------------------------------------------------
// inputs [x..., captured...]  attrs operands  body {x scalars..., captured...} -> scalars

Types infer_map(const InferArgs& args) {
  const size_t n = operand_count(args);
  check_same_sizes(args, n);
  Types gives, out;
  HEARTH_CHECK(args.bodies.size() == 1, value, args.op, ": needs the body; there are ", args.bodies.size(), " bodies");
  for (const GraphOutput& o : args.bodies[0]->outputs()) {
    gives.push_back({o.value.dtype(), {}});
    out.push_back({o.value.dtype(), args.in[0].dims()});
  }
  check_body(args, {.own = scalars_of(part(args.in, 0, n)), .gives = gives, .captured = part(args.in, n)});
  return out;
}

Values decompose_map(Graph& graph, const Node& node, const Values& in) {
  const size_t n = size_t(node.attrs.integer("operands"));
  return apply_body(graph, *node.bodies[0], part(in, 0, n), part(in, n));
}

}  // namespace hearth
