// SPDX-License-Identifier: Apache-2.0
#include "ops/custom_derivative/custom_derivative.h"

#include <algorithm>

#include "base/error.h"
#include "ir/batch.h"
#include "ir/derivative.h"
#include "ir/inline.h"
#include "ir/op.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

using Types = std::vector<TensorType>;

// --- writing the bodies

Types types_of(const Values& values) {
  Types types;
  for (const Value& value : values) types.push_back(value.type());
  return types;
}

Types outputs_of(const Graph& body) {
  Types types;
  for (const GraphOutput& output : body.outputs()) types.push_back(output.value.type());
  return types;
}

// The bodies of a node, and the values of the surrounding graph that they read: the node's inputs after the arguments.
struct Writer {
  Graph& outer;
  Graph::Bodies bodies = {};
  Values captured = {};
  Dims captures = {};  // how many are each body's

  Types write(const Types& inputs, const ValuesOfValues& f) {
    auto body = std::make_shared<Graph>(&outer);
    Values in;
    for (const TensorType& type : inputs) in.push_back(body->input(std::to_string(in.size()), type));
    {
      Tracing tracing(*body);
      const Values out = f(in);
      for (size_t i = 0; i < out.size(); ++i) body->output(std::to_string(i), body->here(out[i]));
    }
    captured.insert(captured.end(), body->captures().begin(), body->captures().end());
    captures.push_back(int64_t(body->captures().size()));
    body->forget_outer();
    bodies.push_back(body);
    return outputs_of(*body);
  }

  Values node(const char* op, Values inputs, const std::string& refusal = "") {
    Attrs attrs{{"arguments", int64_t(inputs.size())}, {"captures", captures}};
    if (!refusal.empty()) attrs.set("refusal", refusal);
    inputs.insert(inputs.end(), captured.begin(), captured.end());
    return outer.add_all(op, inputs, attrs, bodies);
  }
};

// What a rule returns for `wanted`: integers do not count and become zeros, as do values that are none.
Values fitted(Graph& body, const char* op, const char* what, const char* of, Values given, const Types& wanted) {
  HEARTH_CHECK(given.size() == wanted.size(), shape, op, ": ", given.size(), " ", what, "s for ", wanted.size(), " ",
               of, "s");
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i].valid() || !is_inexact(wanted[i].dtype)) given[i] = zeros(body, wanted[i]);
    HEARTH_CHECK(given[i].type() == wanted[i], shape, op, ": ", what, " ", i, " is ", given[i].type(), ", the ", of,
                 " is ", wanted[i]);
  }
  return given;
}

Values first_of(const Values& values, size_t count) { return {values.begin(), values.begin() + long(count)}; }
Values rest_of(const Values& values, size_t count) { return {values.begin() + long(count), values.end()}; }

// --- reading a node

size_t arguments_of(const Attrs& attrs) { return size_t(attrs.integer("arguments")); }

// Where the captured values of body `i` lie among the node's inputs.
size_t first_capture(const Attrs& attrs, size_t i) {
  size_t at = arguments_of(attrs);
  for (size_t k = 0; k < i; ++k) at += size_t(attrs.list("captures")[k]);
  return at;
}

template <class T>
std::vector<T> with_captures(const Attrs& attrs, size_t i, std::vector<T> first, const std::vector<T>& of_node) {
  const auto begin = of_node.begin() + long(first_capture(attrs, i));
  first.insert(first.end(), begin, begin + long(attrs.list("captures")[i]));
  return first;
}

Types infer(const InferArgs& args) {
  const Graph& f = *args.bodies.at(0);
  for (size_t i = 0; i < f.inputs().size(); ++i) {
    const TensorType& wanted = f.node(f.inputs()[i].node).types[0];
    HEARTH_CHECK(args.in.at(i).type() == wanted, shape, args.op, ": input ", i, " is ", args.in[i],
                 ", the function takes ", wanted);
  }
  return outputs_of(f);
}

Values decompose(Graph& graph, const Node& node, const Values& in) {
  return inline_graph(graph, *node.bodies[0], with_captures(node.attrs, 0, first_of(in, arguments_of(node.attrs)), in));
}

void refuse_captured(const char* op, const Attrs& attrs, const Values& in, const std::vector<bool>& wanted) {
  for (size_t i = arguments_of(attrs); i < in.size(); ++i) {
    HEARTH_CHECK(!wanted[i] || !attrs.has("refusal"), unsupported, attrs.text("refusal"));
    HEARTH_CHECK(!wanted[i], value, op, ": a derivative is sought by way of ", in[i],
                 ", which the function uses without taking it\n  hint: make it an argument");
  }
}

void vjp_of_custom_vjp(VjpArgs& v) {
  refuse_captured("custom_vjp", v.attrs, v.in, v.wanted);
  Graph& to = innermost(v.graph);
  const size_t arguments = arguments_of(v.attrs);
  const Values first = first_of(v.in, arguments);
  const Values forward = inline_graph(to, *v.bodies[1], with_captures(v.attrs, 1, first, v.in));
  Values in = rest_of(forward, v.out.size());  // residuals
  for (size_t i = 0; i < v.out.size(); ++i)
    in.push_back(v.cotangent[i].valid() ? v.cotangent[i] : zeros_like(v.out[i]));
  const Values grads = inline_graph(to, *v.bodies[2], with_captures(v.attrs, 2, in, v.in));
  for (size_t i = 0; i < arguments; ++i) v.grad[i] = grads[i];
}

void jvp_of_custom_jvp(JvpArgs& j) {
  std::vector<bool> moves;
  for (const Value& t : j.tangent) moves.push_back(t.valid());
  refuse_captured("custom_jvp", j.node.attrs, j.in, moves);
  const size_t arguments = arguments_of(j.node.attrs);
  Values in = first_of(j.in, arguments);
  for (size_t i = 0; i < arguments; ++i) in.push_back(moves[i] ? j.tangent[i] : zeros_like(j.in[i]));
  j.out_tangent = inline_graph(innermost(j.graph), *j.node.bodies[1], with_captures(j.node.attrs, 1, in, j.in));
}

// --- batches: of each body. What comes out has the batch; so do residuals and the cotangents of results.

std::vector<bool> flags_of_body(const BatchArgs& b, size_t i, std::vector<bool> first) {
  return with_captures(b.node.attrs, i, std::move(first), b.batched);
}

std::vector<bool> argument_flags(const BatchArgs& b) {
  return {b.batched.begin(), b.batched.begin() + b.node.attrs.integer("arguments")};
}

std::shared_ptr<const Graph> all_batched(const BatchArgs& b, size_t i, const std::vector<bool>& flags) {
  std::vector<bool> out(b.node.bodies[i]->outputs().size(), true);
  return batched_body(*b.node.bodies[i], flags, b.size, out);
}

// The cotangent of an argument that all examples share is the sum of theirs.
std::shared_ptr<const Graph> with_shared_summed(const Graph& backward, const std::vector<bool>& argument_batched) {
  auto body = std::make_shared<Graph>();
  Values in;
  for (const GraphInput& input : backward.inputs())
    in.push_back(body->input(input.name, backward.node(input.node).types[0]));
  const Values out = inline_graph(*body, backward, in);
  for (size_t i = 0; i < out.size(); ++i)
    body->output(std::to_string(i), argument_batched[i] ? out[i] : reduce_sum(out[i], {0}));
  return body;
}

void batch_custom_vjp(BatchArgs& b) {
  const std::vector<bool> arguments = argument_flags(b);
  const size_t residuals_and_cotangents = b.node.bodies[1]->outputs().size();
  const auto backward = all_batched(b, 2, flags_of_body(b, 2, std::vector<bool>(residuals_and_cotangents, true)));
  b.out =
      b.graph.add_all("custom_vjp", b.in, b.node.attrs,
                      {all_batched(b, 0, flags_of_body(b, 0, arguments)),
                       all_batched(b, 1, flags_of_body(b, 1, arguments)), with_shared_summed(*backward, arguments)});
}

void batch_custom_jvp(BatchArgs& b) {
  const std::vector<bool> arguments = argument_flags(b);
  std::vector<bool> twice = arguments;
  twice.insert(twice.end(), arguments.begin(), arguments.end());
  b.out = b.graph.add_all(
      "custom_jvp", b.in, b.node.attrs,
      {all_batched(b, 0, flags_of_body(b, 0, arguments)), all_batched(b, 1, flags_of_body(b, 1, twice))});
}

}  // namespace

Values custom_vjp(const Values& arguments, const ValuesOfValues& f, const ValuesOfValues& forward,
                  const RuleOfValues& backward) {
  Writer writer{graph_of(arguments)};
  const Types in = types_of(arguments), out = writer.write(in, f), with_residuals = writer.write(in, forward);
  const size_t results = out.size(), residuals = with_residuals.size() - std::min(with_residuals.size(), results);
  HEARTH_CHECK(with_residuals.size() >= results, shape, "custom_vjp: forward gives ", with_residuals.size(),
               " values; the function gives ", results);
  for (size_t i = 0; i < results; ++i) {
    HEARTH_CHECK(with_residuals[i] == out[i], shape, "custom_vjp: result ", i, " of forward is ", with_residuals[i],
                 ", that of the function is ", out[i]);
  }
  Types back(with_residuals.begin() + long(results), with_residuals.end());
  back.insert(back.end(), out.begin(), out.end());
  writer.write(back, [&](const Values& x) {
    return fitted(innermost(writer.outer), "custom_vjp", "cotangent", "argument",
                  backward(first_of(x, residuals), rest_of(x, residuals)), in);
  });
  return writer.node("custom_vjp", arguments);
}

Values custom_jvp(const Values& arguments, const ValuesOfValues& f, const RuleOfValues& rule) {
  Writer writer{graph_of(arguments)};
  const Types in = types_of(arguments);
  const Types out = writer.write(in, f);
  Types twice = in;
  twice.insert(twice.end(), in.begin(), in.end());
  writer.write(twice, [&](const Values& x) {
    return fitted(innermost(writer.outer), "custom_jvp", "tangent", "result",
                  rule(first_of(x, in.size()), rest_of(x, in.size())), out);
  });
  return writer.node("custom_jvp", arguments);
}

Values without_derivative(const Value& any_used, const std::function<Values()>& f, const std::string& refusal) {
  Writer writer{*any_used.graph};
  const ValuesOfValues body = [&](const Values&) { return f(); };
  writer.write({}, body);
  writer.write({}, body);  // no tangents come, so what the rule computes is not read
  return writer.node("custom_jvp", {}, refusal);
}

std::vector<OpInfo> custom_derivative_ops() {
  OpInfo reverse{.name = "custom_vjp", .doc = "a function with a reverse derivative of its own", .infer = infer};
  reverse.vjp = vjp_of_custom_vjp;
  reverse.decompose_node = decompose;
  reverse.batch = batch_custom_vjp;
  OpInfo forward{.name = "custom_jvp", .doc = "a function with a forward derivative of its own", .infer = infer};
  forward.decompose_node = decompose;
  forward.jvp = jvp_of_custom_jvp;
  forward.batch = batch_custom_jvp;
  return {reverse, forward};
}

}  // namespace hearth
