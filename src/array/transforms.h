// SPDX-License-Identifier: Apache-2.0
#pragma once
// Derivatives, batching and recomputation as function transforms: a function of values in, another one out. So they
// compose and repeat: grad(vmap(f)), vmap(grad(f)), grad(grad(f)), all inside jit. Throw Error naming the argument.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace hearth {

using Function = std::function<std::vector<Value>(const std::vector<Value>&)>;

// --- reverse mode

// Cotangents of the outputs in, those of `wrt` out (zeros where nothing depends on one). Every path in the graph
// counts, also through values made before. Values that do not depend on `wrt` get no derivative, so frozen weights cost
// nothing. Throws Error{unsupported} naming the operation when one on the path has no derivative.
std::vector<Value> vjp(const std::vector<Value>& outputs, const std::vector<Value>& cotangents,
                       const std::vector<Value>& wrt);

// Derivative of a scalar by each of `wrt`.
std::vector<Value> gradients(const Value& scalar, const std::vector<Value>& wrt);

// f's results and the function from their cotangents to those of the arguments. It may be called again and again.
struct Vjp {
  std::vector<Value> outputs;
  Function pull_back;
};
Vjp vjp(const Function& f, const std::vector<Value>& arguments);

// The function that returns all of f's results followed by the derivatives of the first, a scalar, by the arguments
// `argnums`. grad returns the derivatives alone.
Function value_and_grad(Function f, std::vector<size_t> argnums = {0});
Function grad(Function f, std::vector<size_t> argnums = {0});

// --- forward mode

// f's results and how they move when the arguments move along `tangents`.
struct Jvp {
  std::vector<Value> outputs, tangents;
};
Jvp jvp(const Function& f, const std::vector<Value>& arguments, const std::vector<Value>& tangents);

// The same as a function of the tangents, without computing f again.
struct Linearized {
  std::vector<Value> outputs;
  Function push_forward;
};
Linearized linearize(const Function& f, const std::vector<Value>& arguments);

// --- batching

// f for a whole batch. in_axes: which axis of each argument counts the examples, nothing for those that all examples
// share; out_axes: where that axis goes in each result, nothing for results that are the same for all. Empty: axis 0
// of each. Negative axes count from the end. Cost: that of one call with larger arrays.
using BatchAxes = std::vector<std::optional<int64_t>>;
Function vmap(Function f, BatchAxes in_axes = {}, BatchAxes out_axes = {});

// --- all derivatives

// d results / d arguments[argnums], each of shape [result..., argument...]: for result 0 those by all argnums, then for
// result 1. Forward mode costs f times the number of an argument's elements, reverse mode that of a result's.
Function jacfwd(Function f, std::vector<size_t> argnums = {0});
Function jacrev(Function f, std::vector<size_t> argnums = {0});
// Second derivatives [result..., argument i..., argument j...]: jacfwd of jacrev.
Function hessian(Function f, std::vector<size_t> argnums = {0});

// --- rules of one's own

// f with the derivative that `forward` and `backward` give. forward(arguments) returns f's results followed by whatever
// backward wants to know; backward(that, cotangents of the results) returns the cotangents of the arguments.
using TwoPartFunction =
    std::function<std::vector<Value>(const std::vector<Value>& first, const std::vector<Value>& second)>;
Function custom_vjp(Function f, Function forward, TwoPartFunction backward);

// f with the derivative that `rule` gives: rule(arguments, their tangents) returns the tangents of the results, in
// which it must be linear.
Function custom_jvp(Function f, TwoPartFunction rule);

// --- recomputation

// Whether a node inside a checkpoint is kept for the backward pass. `leaves_scope`: a node of another scope reads it.
using CheckpointPolicy = std::function<bool(const Node& node, bool leaves_scope)>;
CheckpointPolicy save_nothing();
CheckpointPolicy save_everything();
CheckpointPolicy save_dots();                                  // results of matrix products, attention, convolution
CheckpointPolicy save_scopes(std::vector<std::string> names);  // what leaves a Scope of one of these names

// f, whose inner values are not kept for the backward pass, but for those that the policy names: they are computed
// again there from f's inputs. Changes no bit. Source: Chen et al. 2016, arXiv:1604.06174.
Function checkpoint(Function f, CheckpointPolicy policy = save_nothing());

}  // namespace hearth
