// SPDX-License-Identifier: Apache-2.0
#pragma once
// A function on arrays as a plan file, which the runtime library alone can run (runtime/session.h): no graph, no
// derivatives, no compiler there.
//   save_function(jit(step), {w, x}, "step.plan", {.arguments = {"w", "x"}, .results = {"w"}});

#include <string>

#include "array/function.h"

namespace hearth {

struct SaveOptions {
  // Names of the plan's inputs and outputs. Empty: "argument 0" ..., "result 0" ...
  std::vector<std::string> arguments = {}, results = {};
};

// Traces f for arguments of the examples' types, compiles it for this machine's cpu and writes the plan; the file
// appears whole or not at all. Arrays from outside that f reads become constants of the plan, up to 2^24 elements each.
// Error{value}: too few or many names, a larger array from outside; Error{state} when f reads elements of its
// arguments; Error{file}.
void save_function(const ArrayFunction& f, const Arrays& examples, const std::string& path,
                   const SaveOptions& options = {});

void check_examples(size_t wanted, size_t given);  // Error{value} when they differ

template <OnArrays F>
void save_function(F f, const Arrays& examples, const std::string& path, const SaveOptions& options = {}) {
  check_examples(detail::Signature<F>::kArguments, examples.size());
  save_function(on_list(std::move(f)), examples, path, options);
}

}  // namespace hearth
