// SPDX-License-Identifier: Apache-2.0
#pragma once
// Derivatives and recomputation as graph transforms: graph in, graph out, so they compose and repeat.

#include <functional>
#include <vector>

#include "ir/graph.h"

namespace hearth {

using Function = std::function<std::vector<Value>(const std::vector<Value>&)>;

// Reverse mode: cotangents of the outputs in, those of `wrt` out (zeros where nothing depends on one). Appends to the
// graph. Values that do not depend on `wrt` get no derivative, so frozen weights cost nothing. Throws
// Error{unsupported} naming the operation when one on the path has no derivative.
std::vector<Value> vjp(const std::vector<Value>& outputs, const std::vector<Value>& cotangents,
                       const std::vector<Value>& wrt);

// Derivative of a scalar by each of `wrt`.
std::vector<Value> gradients(const Value& scalar, const std::vector<Value>& wrt);

// The function that returns f's value followed by the derivatives of its first (scalar) result by the arguments
// `argnums`.
Function value_and_grad(Function f, std::vector<size_t> argnums = {0});
Function grad(Function f, std::vector<size_t> argnums = {0});

// f, whose inner values are not kept for the backward pass but computed again there from f's inputs.
// Source: Chen et al. 2016, arXiv:1604.06174.
Function checkpoint(Function f);

}  // namespace hearth
