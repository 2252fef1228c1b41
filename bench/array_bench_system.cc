// SPDX-License-Identifier: Apache-2.0
// Rows of array_bench that are not times of one call: compilation of a large graph, memory of a long loop.
#include "bench/array_bench_system.h"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <fstream>

#include "bench/array_bench.h"
#include "compiler/compile.h"
#include "ops/adamw/adamw.h"
#include "ops/attention/attention.h"
#include "ops/elementwise/elementwise.h"
#include "ops/embedding/embedding.h"
#include "ops/linear_cross_entropy/linear_cross_entropy.h"
#include "ops/matmul/matmul.h"
#include "ops/rms_norm/rms_norm.h"
#include "ops/rope/rope.h"
#include "ops/shape/shape.h"

namespace hearth::bench {
namespace {

struct LlamaShape {  // OpenLLaMA-3B's
  int64_t layers = 26, width = 3200, heads = 32, hidden = 8640, vocabulary = 32000, tokens = 512;
};

// Writes the forward pass and remembers the parameters.
class LlamaGraph {
 public:
  LlamaGraph(Graph& graph, const LlamaShape& shape) : graph_(graph), s_(shape) {
    for (int64_t i = 0; i < s_.width / s_.heads / 2; ++i)
      rope_.frequencies.push_back(std::pow(10000.0, -2.0 * double(i) / double(s_.width / s_.heads)));
  }

  Value loss() {
    const Value ids = graph_.input("tokens", {DType::i32, {1, s_.tokens}});
    const Value labels = graph_.input("labels", {DType::i32, {s_.tokens}});
    positions_ = graph_.input("positions", {DType::i32, {s_.tokens}});
    Value x = embedding(parameter("embedding", {s_.vocabulary, s_.width}), ids);
    for (int64_t i = 0; i < s_.layers; ++i) x = layer(x, cat("layers.", i, "."));
    x = reshape(norm(x, "norm"), {s_.tokens, s_.width});
    return linear_cross_entropy(x, parameter("head", {s_.vocabulary, s_.width}), labels);
  }
  const Values& parameters() const { return parameters_; }
  const std::vector<std::string>& names() const { return names_; }

 private:
  Value parameter(const std::string& name, const Dims& dims) {
    names_.push_back(name);
    return parameters_.emplace_back(graph_.input(name, {DType::f32, dims}));
  }
  Value norm(const Value& x, const std::string& name) { return rms_norm(x, parameter(name, {s_.width}), 1e-6); }
  Value project(const Value& x, const std::string& name, int64_t out) {
    return linear(x, parameter(name, {out, x.dim(-1)}));
  }
  Value heads(const Value& x) { return reshape(x, {1, s_.tokens, s_.heads, s_.width / s_.heads}); }

  Value layer(const Value& x, const std::string& at) {
    const Value h = norm(x, at + "norm1");
    const Value q = rope(heads(project(h, at + "q", s_.width)), positions_, rope_);
    const Value k = rope(heads(project(h, at + "k", s_.width)), positions_, rope_);
    const Value mixed = reshape(attention(q, k, heads(project(h, at + "v", s_.width))), x.dims());
    const Value y = x + project(mixed, at + "o", s_.width);
    const Value g = norm(y, at + "norm2");
    const Value gated = silu(project(g, at + "gate", s_.hidden)) * project(g, at + "up", s_.hidden);
    return y + project(gated, at + "down", s_.width);
  }

  Graph& graph_;
  LlamaShape s_;
  RopeOptions rope_;
  Value positions_;
  Values parameters_;
  std::vector<std::string> names_;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace

double llama_compile_seconds() {
  Graph graph;
  LlamaGraph model(graph, {});
  const auto start = std::chrono::steady_clock::now();
  const Value loss = model.loss();
  const Values grads = gradients(loss, model.parameters());
  const Value rate = graph.input("rate", {DType::f32, {}}), c1 = graph.input("c1", {DType::f32, {}}),
              c2 = graph.input("c2", {DType::f32, {}});
  graph.output("loss", loss);
  for (size_t i = 0; i < grads.size(); ++i) {
    const std::string& name = model.names()[i];
    const TensorType type = grads[i].type();
    const Value m = graph.input("m." + name, type), v = graph.input("v." + name, type);
    const AdamWState next = adamw({model.parameters()[i], m, v}, grads[i], rate, c1, c2, {});
    graph.output_in_place(name + "'", next.parameter, name);
    graph.output_in_place("m." + name + "'", next.m, "m." + name);
    graph.output_in_place("v." + name + "'", next.v, "v." + name);
  }
  compile(graph);
  return seconds_since(start);
}

double loop_growth_bytes(int64_t steps) {
  Array w = uniform({256, 256});
  const Array x = uniform({256, 256});
  int64_t before = 0;
  for (int64_t i = 0; i < steps; ++i) {
    if (i == steps / 10) before = resident_bytes();
    w = w - (w * x - 0.5) * 0.01;
    w.eval();
  }
  return double(resident_bytes() - before);
}

}  // namespace hearth::bench
