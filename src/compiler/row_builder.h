// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writes the row program of one group.

#include <functional>

#include "compiler/fuse.h"

namespace hearth {

// A program and the values it reads (in the order of its input tensors) and writes.
struct BuiltProgram {
  RowProgram program;
  std::vector<Value> inputs, outputs;
  // Output o may take the memory of input i: same dtype, read element by element, never after it was overwritten.
  std::vector<std::pair<int, int>> in_place;  // (input, output)
};

struct BuildArgs {
  const Graph& graph;
  const Views& views;
  const Group& group;
  std::function<bool(int32_t node)> recompute;  // computed again here although another group computes it too
  std::vector<Value> stores;                    // members to write out
};
BuiltProgram build_row_program(const BuildArgs& args);

// The program that writes a view out as a dense tensor. `counted`: of an iota that lies in no memory
// (Views::is_counted).
BuiltProgram build_copy(const View& view, bool counted);

}  // namespace hearth
