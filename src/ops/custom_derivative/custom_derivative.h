// SPDX-License-Identifier: Apache-2.0
#pragma once
// Functions with a derivative of their own: nodes that hold the function and its rule as bodies. They cost what the
// function costs: every device sees its decomposition, the function written in place.
//   custom_vjp  bodies f(arguments) -> results, forward(arguments) -> results and residuals,
//               backward(residuals, cotangents of the results) -> cotangents of the arguments.
//               Forward derivatives are the transpose of the reverse ones.
//   custom_jvp  bodies f(arguments) -> results, rule(arguments, their tangents) -> tangents of the results, linear in
//               the tangents. Reverse derivatives are the transpose of that.
// A rule gets a value for each argument or result, zeros where nothing arrives, also for integers; what it returns for
// integers does not count. Values of the surrounding graph that a body uses are constants: asking for a derivative by
// one is an error. Throw Error{shape} when a rule does not give what the function's types ask for.

#include <functional>
#include <string>

#include "ir/graph.h"

namespace hearth {

using ValuesOfValues = std::function<std::vector<Value>(const std::vector<Value>&)>;
using RuleOfValues = std::function<std::vector<Value>(const std::vector<Value>&, const std::vector<Value>&)>;

std::vector<Value> custom_vjp(const std::vector<Value>& arguments, const ValuesOfValues& f,
                              const ValuesOfValues& forward, const RuleOfValues& backward);
std::vector<Value> custom_jvp(const std::vector<Value>& arguments, const ValuesOfValues& f, const RuleOfValues& rule);

// f() as it is; a derivative by way of any value that it uses is Error{unsupported} with the text `refusal`.
std::vector<Value> without_derivative(const Value& any_used, const std::function<std::vector<Value>()>& f,
                                      const std::string& refusal);

}  // namespace hearth
