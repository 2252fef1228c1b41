// SPDX-License-Identifier: Apache-2.0
// while  inputs [state..., captured by cond..., captured by body...]  attrs state, captures=[a,b]  bodies {cond, body}
// case   inputs [index, captured by branch 0..., ...]                 attrs captures=[...]         bodies {branches}
// scan   inputs [carry..., xs..., captured...]   attrs carry, xs, length, reverse   bodies {carry..., x..., captured...
// ->
//        carry..., y...}; a composite: a while loop that writes each y into its row.
#include "ops/control/control.h"

#include "base/error.h"
#include "ir/inline.h"
#include "ir/op.h"
#include "ops/control/control_rules.h"
#include "ops/dynamic_slice/dynamic_slice.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

std::vector<TensorType> input_types(const Graph& body) {
  std::vector<TensorType> types;
  for (const GraphInput& input : body.inputs()) types.push_back(body.node(input.node).types[0]);
  return types;
}
std::vector<TensorType> output_types(const Graph& body) {
  std::vector<TensorType> types;
  for (const GraphOutput& output : body.outputs()) types.push_back(output.value.type());
  return types;
}
Values joined(Values a, const Values& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Graph& graph_of(const Values& values, const char* op) {
  HEARTH_CHECK(!values.empty(), value, op, ": needs at least one value of state");
  return innermost(*values[0].graph);
}

// --- shape rules ----------------------------------------------------------------------------------------------------

void expect_types(const char* op, const char* what, const std::vector<TensorType>& got,
                  const std::vector<TensorType>& wanted) {
  HEARTH_CHECK(got.size() == wanted.size(), value, op, ": ", what, " gives ", got.size(), " values instead of ",
               wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    HEARTH_CHECK(got[i] == wanted[i], shape, op, ": ", what, " gives ", got[i], " as value ", i, " instead of ",
                 wanted[i]);
  }
}

// The types of what body b reads: the first `own` inputs of the node, then what it captures.
void expect_inputs(const InferArgs& args, size_t b, size_t own, size_t& next) {
  const size_t captured = size_t(args.attrs.list("captures").at(b));
  HEARTH_CHECK(next + captured <= args.in.size(), bug, args.op, ": captures more than it reads");
  const Values reads = joined(part(args.in, 0, own), part(args.in, next, captured));
  HEARTH_CHECK(input_types(*args.bodies[b]) == types_of(reads), bug, args.op, ": body ", b, " reads other types");
  next += captured;
}

std::vector<TensorType> infer_while(const InferArgs& args) {
  const size_t state = size_t(args.attrs.integer("state"));
  HEARTH_CHECK(args.bodies.size() == 2 && state <= args.in.size(), bug, "while: needs a condition and a body");
  size_t next = state;
  expect_inputs(args, 0, state, next);
  expect_inputs(args, 1, state, next);
  const std::vector<TensorType> types = types_of(part(args.in, 0, state));
  expect_types("while", "the condition", output_types(*args.bodies[0]), {{DType::boolean, {}}});
  expect_types("while", "the body", output_types(*args.bodies[1]), types);
  return types;
}

std::vector<TensorType> infer_case(const InferArgs& args) {
  HEARTH_CHECK(!args.bodies.empty() && !args.in.empty(), bug, "case: needs an index and a branch");
  HEARTH_CHECK(args.in[0].type() == (TensorType{DType::i32, {}}), dtype, "case: the index must be i32[]; it is ",
               args.in[0]);
  size_t next = 1;
  const std::vector<TensorType> types = output_types(*args.bodies[0]);
  for (size_t b = 0; b < args.bodies.size(); ++b) {
    const size_t captured = size_t(args.attrs.list("captures").at(b));
    HEARTH_CHECK(
        next + captured <= args.in.size() && input_types(*args.bodies[b]) == types_of(part(args.in, next, captured)),
        bug, "case: branch ", b, " reads other types");
    next += captured;
    expect_types("case", cat("branch ", b).c_str(), output_types(*args.bodies[b]), types);
  }
  return types;
}

std::vector<TensorType> infer_scan(const InferArgs& args) {
  const size_t carry = size_t(args.attrs.integer("carry")), xs = size_t(args.attrs.integer("xs"));
  const int64_t length = args.attrs.integer("length");
  std::vector<TensorType> reads = types_of(args.in);
  for (size_t i = carry; i < carry + xs; ++i) {
    HEARTH_CHECK(reads[i].rank() > 0 && reads[i].dims[0] == length, shape, "scan: x ", i - carry, " is ", args.in[i],
                 "; its first axis must have the length ", length);
    reads[i].dims.erase(reads[i].dims.begin());
  }
  HEARTH_CHECK(input_types(*args.bodies[0]) == reads, bug, "scan: the body reads other types");
  std::vector<TensorType> types = output_types(*args.bodies[0]);
  HEARTH_CHECK(types.size() >= carry, value, "scan: the body gives ", types.size(), " values for a carry of ", carry);
  expect_types("scan", "the body's carry", part(types, 0, carry), part(reads, 0, carry));
  for (size_t i = carry; i < types.size(); ++i) types[i].dims.insert(types[i].dims.begin(), length);
  return types;
}

std::vector<TensorType> infer_scan_with_carries(const InferArgs& args) {
  std::vector<TensorType> types = infer_scan(args);
  for (size_t i = 0; i < size_t(args.attrs.integer("carry")); ++i) {
    types.push_back(types[i]);
    types.back().dims.insert(types.back().dims.begin(), args.attrs.integer("length"));
  }
  return types;
}

// --- scan as a while loop -------------------------------------------------------------------------------------------

// Row i of x: [n, ...] -> [...].
Value row_of(const Value& x, const Value& i) {
  Dims sizes = x.dims();
  sizes[0] = 1;
  Values starts(size_t(x.rank()), constant(*x.graph, 0, DType::i32));
  starts[0] = i;
  return reshape(dynamic_slice(x, starts, sizes), Dims(x.dims().begin() + 1, x.dims().end()));
}

Value with_row(const Value& all, const Value& i, const Value& row) {
  Dims shape = row.dims();
  shape.insert(shape.begin(), 1);
  Values starts(size_t(all.rank()), constant(*all.graph, 0, DType::i32));
  starts[0] = i;
  return dynamic_update_slice(all, reshape(row, shape), starts);
}

// The loop's state: the step, the carry, the ys. The xs and what the body captures are captured by the loop's body.
Values decompose_scan(Graph& graph, const Node& node, const Values& in) {
  const size_t carry = size_t(node.attrs.integer("carry")), xs = size_t(node.attrs.integer("xs"));
  const int64_t length = node.attrs.integer("length");
  const bool reverse = node.attrs.integer("reverse") != 0;
  Values init = {constant(graph, 0, DType::i32)};
  init = joined(init, part(in, 0, carry));  // and the ys, below
  for (size_t i = carry; i < node.types.size(); ++i)
    init.push_back(constant(graph, 0, node.types[i].dtype, node.types[i].dims));
  if (length == 0) return part(init, 1, init.size() - 1);
  const auto step = [&](const Values& state) {
    const Value& number = state[0];
    const Value i = reverse ? constant(graph, double(length - 1), DType::i32) - number : number;
    Values reads = part(state, 1, carry);
    for (size_t k = carry; k < carry + xs; ++k) reads.push_back(row_of(number.graph->here(in[k]), i));
    reads = joined(reads, part(in, carry + xs, in.size() - carry - xs));
    const Values gives = inline_graph(*number.graph, *node.bodies[0], reads);
    Values next = {number + constant(graph, 1, DType::i32)};
    next = joined(next, part(gives, 0, carry));
    for (size_t k = carry; k < gives.size(); ++k) next.push_back(with_row(state[1 + k], i, gives[k]));
    return next;
  };
  const auto more = [&](const Values& state) {
    return Values{compare("LT", state[0], constant(graph, double(length), DType::i32))};
  };
  const Values end =
      while_node(graph, trace_body(graph, types_of(init), more), trace_body(graph, types_of(init), step), init);
  return part(end, 1, end.size() - 1);
}

// The body gives the carry it was given as further ys.
Values decompose_scan_with_carries(Graph& graph, const Node& node, const Values& in) {
  const size_t carry = size_t(node.attrs.integer("carry"));
  const Body body = trace_body(graph, input_types(*node.bodies[0]), [&](const Values& reads) {
    return joined(inline_graph(*reads[0].graph, *node.bodies[0], reads), part(reads, 0, carry));
  });
  return graph.add_all("scan", in, node.attrs, {body.graph});
}

}  // namespace

// --- functions ------------------------------------------------------------------------------------------------------

Body trace_body(Graph& outer, const std::vector<TensorType>& types, const std::function<Values(const Values&)>& f) {
  const auto graph = std::make_shared<Graph>(&outer);
  const Tracing tracing(*graph);
  Values inputs;
  for (size_t i = 0; i < types.size(); ++i) inputs.push_back(graph->input("x" + std::to_string(i), types[i]));
  const Values outputs = f(inputs);
  for (size_t i = 0; i < outputs.size(); ++i) graph->output("y" + std::to_string(i), graph->here(outputs[i]));
  graph->forget_outer();
  return {graph, graph->captures()};
}

Values while_node(Graph& graph, const Body& cond, const Body& body, const Values& init) {
  const Dims captures = {int64_t(cond.captured.size()), int64_t(body.captured.size())};
  return graph.add_all("while", joined(joined(init, cond.captured), body.captured),
                       {{"state", int64_t(init.size())}, {"captures", captures}}, {cond.graph, body.graph});
}

Values case_node(Graph& graph, const Value& index, const std::vector<Body>& branches) {
  Values in = {index};
  Dims captures;
  Graph::Bodies bodies;
  for (const Body& branch : branches) {
    in = joined(in, branch.captured);
    captures.push_back(int64_t(branch.captured.size()));
    bodies.push_back(branch.graph);
  }
  return graph.add_all("case", in, {{"captures", captures}}, bodies);
}

Values scan_node(Graph& graph, const Body& body, const Values& init, const Values& xs, ScanOptions options) {
  return graph.add_all("scan", joined(joined(init, xs), body.captured),
                       {{"carry", int64_t(init.size())},
                        {"xs", int64_t(xs.size())},
                        {"length", options.length},
                        {"reverse", int64_t(options.reverse)}},
                       {body.graph});
}

Values while_loop(const std::function<Value(const Values&)>& cond, const std::function<Values(const Values&)>& body,
                  const Values& init) {
  Graph& graph = graph_of(init, "while");
  const std::vector<TensorType> types = types_of(init);
  const Body condition = trace_body(graph, types, [&](const Values& state) { return Values{cond(state)}; });
  return while_node(graph, condition, trace_body(graph, types, body), init);
}

Values fori_loop(int64_t start, int64_t stop, const std::function<Values(const Value& i, const Values&)>& body,
                 const Values& init) {
  const auto step = [&](const Values& carry, const Values&) -> ScanResult {
    const Values next = body(carry[0], part(carry, 1, carry.size() - 1));
    expect_types("fori_loop", "the body", types_of(next), types_of(init));
    return {joined({carry[0] + constant(*carry[0].graph, 1, DType::i32)}, next), {}};
  };
  Graph& graph = graph_of(init, "fori_loop");
  const Values first = {constant(graph, double(start), DType::i32)};
  const Values end = scan(graph, step, joined(first, init), {}, {.length = std::max<int64_t>(stop - start, 0)}).carry;
  return part(end, 1, end.size() - 1);
}

struct NamedBranch {
  std::string name;
  std::function<Values()> run;
};
static Values select_branch(const char* op, const Value& index, const std::vector<NamedBranch>& branches) {
  Graph& graph = innermost(*index.graph);
  std::vector<Body> bodies;
  for (const NamedBranch& branch : branches) {
    bodies.push_back(trace_body(graph, {}, [&](const Values&) { return branch.run(); }));
    expect_types(op, branch.name.c_str(), output_types(*bodies.back().graph), output_types(*bodies[0].graph));
  }
  return case_node(graph, index, bodies);
}

Values cond(const Value& pred, const std::function<Values()>& on_true, const std::function<Values()>& on_false) {
  HEARTH_CHECK(pred.type() == (TensorType{DType::boolean, {}}), dtype, "cond: pred must be bool[]; it is ", pred);
  const Value index = convert(pred, DType::i32);
  return select_branch("cond", index, {{"on_false", on_false}, {"on_true", on_true}});
}

Values switch_case(const Value& index, const std::vector<std::function<Values()>>& branches) {
  HEARTH_CHECK(!branches.empty(), value, "switch_case: has no branch");
  std::vector<NamedBranch> named;
  for (const auto& branch : branches) named.push_back({cat("branch ", named.size()), branch});
  return select_branch("switch_case", index, named);
}

ScanResult scan(Graph& around, const ScanBody& body, const Values& init, const Values& xs, ScanOptions options) {
  Graph& graph = innermost(around);
  if (!xs.empty()) {
    HEARTH_CHECK(xs[0].rank() > 0, shape, "scan: x 0 is ", xs[0], "; it needs a first axis to go along");
    HEARTH_CHECK(options.length < 0 || options.length == xs[0].dim(0), value, "scan: length ", options.length,
                 " given, but x 0 is ", xs[0]);
    options.length = xs[0].dim(0);
  }
  HEARTH_CHECK(options.length >= 0, value, "scan: without xs it needs a length");
  std::vector<TensorType> types = types_of(init);
  for (const Value& x : xs) {
    HEARTH_CHECK(x.rank() > 0 && x.dim(0) == options.length, shape, "scan: first axes differ\n  x 0 is ", xs[0],
                 "\n  another is ", x);
    types.push_back({x.dtype(), Dims(x.dims().begin() + 1, x.dims().end())});
  }
  size_t carried = 0;
  const Body traced = trace_body(graph, types, [&](const Values& in) {
    const ScanResult step = body(part(in, 0, init.size()), part(in, init.size(), xs.size()));
    carried = step.carry.size();
    return joined(step.carry, step.ys);
  });
  HEARTH_CHECK(carried == init.size(), value, "scan: the body gives a carry of ", carried, " values, init has ",
               init.size());
  const Values all = scan_node(graph, traced, init, xs, options);
  return {part(all, 0, carried), part(all, carried, all.size() - carried)};
}

Values map(const std::function<Values(const Values&)>& f, const Values& xs) {
  const auto body = [&](const Values&, const Values& x) -> ScanResult { return {{}, f(x)}; };
  return scan(graph_of(xs, "map"), body, {}, xs).ys;
}

std::vector<OpInfo> control_ops() {
  return {
      {.name = "while",
       .doc = "repeats a body while a condition holds",
       .infer = infer_while,
       .vjp = while_vjp,
       .jvp = while_jvp,
       .batch = while_batch,
       .offers = {{"cpu", "while", nullptr}}},
      {.name = "case",
       .doc = "runs one of several branches",
       .infer = infer_case,
       .vjp = case_vjp,
       .jvp = case_jvp,
       .batch = case_batch,
       .offers = {{"cpu", "case", nullptr}}},
      {.name = "scan",
       .doc = "a loop over rows that carries a state",
       .infer = infer_scan,
       .vjp = scan_vjp,
       .decompose_node = decompose_scan,
       .jvp = scan_jvp,
       .batch = scan_batch,
       .subsumed_by = "scan_with_carries"},
      {.name = "scan_with_carries",
       .doc = "scan that also gives the carry before each step",
       .infer = infer_scan_with_carries,
       .decompose_node = decompose_scan_with_carries},
  };
}

}  // namespace hearth
