// SPDX-License-Identifier: Apache-2.0
#include "array/transforms.h"

#include "base/error.h"
#include "ir/derivative.h"
#include "ops/custom_derivative/custom_derivative.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {
namespace {

std::vector<Value> zeros_where_invalid(std::vector<Value> values, const std::vector<Value>& like) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].valid()) values[i] = scalar_like(like[i], 0);
  }
  return values;
}

void check_like(const char* transform, const char* what, const std::vector<Value>& given, const char* of,
                const std::vector<Value>& values) {
  HEARTH_CHECK(given.size() == values.size(), value, transform, ": ", given.size(), " ", what, "s for ", values.size(),
               " ", of, "s");
  for (size_t i = 0; i < values.size(); ++i) {
    HEARTH_CHECK(given[i].type() == values[i].type(), shape, transform, ": ", what, " ", i, " is ", given[i].type(),
                 ", the ", of, " is ", values[i]);
  }
}

// One call of a function whose derivative is sought: arguments that are values of their own, so that only what f does
// with them counts, and the nodes that f adds.
struct Call {
  std::vector<Value> arguments, outputs;
  Stretch stretch;
};

Call call(const char* transform, const Function& f, std::vector<Value> arguments, const std::vector<size_t>& argnums) {
  HEARTH_CHECK(!arguments.empty(), value, transform, ": the function needs an argument");
  Graph& graph = graph_of(arguments);
  const int32_t first = graph.size();
  for (const size_t i : argnums) {
    HEARTH_CHECK(i < arguments.size(), value, transform, ": argument ", i, " does not exist; there are ",
                 arguments.size());
    HEARTH_CHECK(is_inexact(arguments[i].dtype()), dtype, transform, ": argument ", i, " has no derivative: it is ",
                 arguments[i]);
    arguments[i] = graph.add("reshape", {arguments[i]}, {{"shape", arguments[i].dims()}});
  }
  std::vector<Value> outputs = f(arguments);
  HEARTH_CHECK(!outputs.empty(), value, transform, ": the function returns nothing");
  return {std::move(arguments), std::move(outputs), {&graph, first}};
}

std::vector<size_t> inexact_ones(const std::vector<Value>& values) {
  std::vector<size_t> all;
  for (size_t i = 0; i < values.size(); ++i) {
    if (is_inexact(values[i].dtype())) all.push_back(i);
  }
  return all;
}

void check_scalar(const Value& value) {
  HEARTH_CHECK(value.rank() == 0 && is_float(value.dtype()), shape, "grad: needs a float scalar; it is ", value);
}

Value one(const Value& scalar) { return constant(*scalar.graph, 1, scalar.dtype()); }

}  // namespace

std::vector<Value> vjp(const std::vector<Value>& outputs, const std::vector<Value>& cotangents,
                       const std::vector<Value>& wrt) {
  check_like("vjp", "cotangent", cotangents, "output", outputs);
  if (outputs.empty() || wrt.empty()) return zeros_where_invalid(std::vector<Value>(wrt.size()), wrt);
  return zeros_where_invalid(pull_back({&graph_of(outputs)}, outputs, cotangents, wrt), wrt);
}

std::vector<Value> gradients(const Value& scalar, const std::vector<Value>& wrt) {
  check_scalar(scalar);
  return vjp({scalar}, {one(scalar)}, wrt);
}

Vjp vjp(const Function& f, const std::vector<Value>& arguments) {
  const Call c = call("vjp", f, arguments, inexact_ones(arguments));
  return {c.outputs, [c](const std::vector<Value>& cotangents) {
            check_like("vjp", "cotangent", cotangents, "result", c.outputs);
            return zeros_where_invalid(pull_back(c.stretch, c.outputs, cotangents, c.arguments), c.arguments);
          }};
}

Function value_and_grad(Function f, std::vector<size_t> argnums) {
  return [f = std::move(f), argnums = std::move(argnums)](const std::vector<Value>& arguments) {
    Call c = call("grad", f, arguments, argnums);
    check_scalar(c.outputs[0]);
    std::vector<Value> wrt, results = c.outputs;
    for (const size_t i : argnums) wrt.push_back(c.arguments[i]);
    const std::vector<Value> grads = pull_back(c.stretch, {c.outputs[0]}, {one(c.outputs[0])}, wrt);
    for (const Value& g : zeros_where_invalid(grads, wrt)) results.push_back(g);
    return results;
  };
}

Function grad(Function f, std::vector<size_t> argnums) {
  const size_t count = argnums.size();
  return [inner = value_and_grad(std::move(f), std::move(argnums)), count](const std::vector<Value>& arguments) {
    const std::vector<Value> results = inner(arguments);
    return std::vector<Value>(results.end() - long(count), results.end());
  };
}

Linearized linearize(const Function& f, const std::vector<Value>& arguments) {
  const Call c = call("jvp", f, arguments, inexact_ones(arguments));
  return {c.outputs, [c](const std::vector<Value>& tangents) {
            check_like("jvp", "tangent", tangents, "argument", c.arguments);
            return zeros_where_invalid(push_forward(c.stretch, c.outputs, c.arguments, tangents), c.outputs);
          }};
}

Jvp jvp(const Function& f, const std::vector<Value>& arguments, const std::vector<Value>& tangents) {
  check_like("jvp", "tangent", tangents, "argument", arguments);
  const Linearized linear = linearize(f, arguments);
  return {linear.outputs, linear.push_forward(tangents)};
}

Function custom_vjp(Function f, Function forward, TwoPartFunction backward) {
  return [f = std::move(f), forward = std::move(forward),
          backward = std::move(backward)](const std::vector<Value>& arguments) {
    HEARTH_CHECK(!arguments.empty(), value, "custom_vjp: the function needs an argument");
    return custom_vjp(arguments, f, forward, backward);
  };
}

Function custom_jvp(Function f, TwoPartFunction rule) {
  return [f = std::move(f), rule = std::move(rule)](const std::vector<Value>& arguments) {
    HEARTH_CHECK(!arguments.empty(), value, "custom_jvp: the function needs an argument");
    return custom_jvp(arguments, f, rule);
  };
}

}  // namespace hearth
