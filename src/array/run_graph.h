// SPDX-License-Identifier: Apache-2.0
#pragma once
// Compiles and runs a graph on given inputs: for tests and small tools.

#include <cstddef>
#include <vector>

#include "compiler/compile.h"

namespace hearth {

using Bytes = std::vector<std::byte>;

// One result per graph output. Inputs in the order of graph.inputs(), row-major.
std::vector<Bytes> run_graph(const Graph& graph, const std::vector<Bytes>& inputs, const CompileOptions& options = {});

// Rounded to the dtype. Complex numbers are two values each: real part, imaginary part.
Bytes to_bytes(DType dtype, const std::vector<double>& values);
std::vector<double> to_doubles(DType dtype, const Bytes& bytes);

}  // namespace hearth
