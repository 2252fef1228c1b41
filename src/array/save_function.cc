// SPDX-License-Identifier: Apache-2.0
#include "array/save_function.h"

#include "array/recording.h"
#include "base/error.h"
#include "compiler/compile.h"
#include "ir/op.h"
#include "plan/plan_file.h"

namespace hearth {
namespace {

constexpr int64_t kMostCaptured = int64_t{1} << 24;  // elements: a list of them takes 8 bytes each while compiling

std::string name_of(const std::vector<std::string>& names, const char* what, size_t i) {
  return names.empty() ? cat(what, " ", i) : names[i];
}

void check_names(const char* what, size_t names, size_t count) {
  HEARTH_CHECK(names == 0 || names == count, value, "save_function: ", names, " names for ", count, " ", what);
}

// The node of a constant with the buffer's elements.
Node constant_node(const TensorType& type, const Buffer& buffer) {
  HEARTH_CHECK(type.elements() <= kMostCaptured, value, "save_function: reads an array from outside, ", type,
               ", that is too large for a constant of the plan\n  hint: make it an argument");
  const Array x = array_from_bytes(type, buffer.data());
  Attrs attrs{{"dtype", int64_t(type.dtype)}, {"shape", type.dims}};
  if (is_complex(type.dtype)) {
    std::vector<double> parts;
    for (const std::complex<double>& z : x.to_vector<std::complex<double>>())
      parts.insert(parts.end(), {z.real(), z.imag()});
    attrs.set("values", std::move(parts));
  } else if (is_inexact(type.dtype)) {
    attrs.set("values", x.to_vector<double>());
  } else {
    attrs.set("values", x.to_vector<int64_t>());
  }
  return {.op = &find_op("constant"), .attrs = std::move(attrs), .types = {type}};
}

// The recorded graph with constants where it reads arrays from outside.
void close_over(const Recording& recording, Graph& closed, const std::vector<Value>& results,
                const std::vector<std::string>& names) {
  const Graph& graph = recording.graph;
  std::vector<std::vector<Value>> map;
  for (int32_t id = 0; id < graph.size(); ++id) {
    Node node = graph.node(id);
    if (node.op->name == "input") {
      const Buffer* captured = recording.buffers[size_t(graph.input_index(id))].get();
      if (captured) node = constant_node(node.types[0], *captured);
    }
    for (Value& in : node.inputs) in = map[size_t(in.node)][size_t(in.output)];
    map.push_back(closed.add_node(std::move(node)));
  }
  for (size_t i = 0; i < results.size(); ++i)
    closed.output(name_of(names, "result", i), map[size_t(results[i].node)][size_t(results[i].output)]);
}

}  // namespace

void check_examples(size_t wanted, size_t given) {
  HEARTH_CHECK(wanted == given, value, "save_function: the function takes ", wanted, " arrays, ", given,
               " examples are given");
}

void save_function(const ArrayFunction& f, const Arrays& examples, const std::string& path,
                   const SaveOptions& options) {
  check_names("arguments", options.arguments.size(), examples.size());
  const std::lock_guard lock(array_mutex());
  const auto recording = std::make_shared<Recording>();
  recording->lazy = false;
  std::vector<Value> results;
  {
    const TraceInto tracing(recording);
    Arrays arguments;
    for (size_t i = 0; i < examples.size(); ++i) {
      const Value value = recording->graph.input(name_of(options.arguments, "argument", i), examples[i].type());
      recording->buffers.push_back(nullptr);
      arguments.push_back(from_value(value, examples[i].weak()));
    }
    for (const Array& x : f(arguments)) results.push_back(recording->graph.here(to_value(x)));
  }
  check_names("results", options.results.size(), results.size());
  Graph closed;
  close_over(*recording, closed, results, options.results);
  save_plan(compile(closed), path);
}

}  // namespace hearth
