// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_cross_entropy/linear_cross_entropy.h"

#include <cmath>

#include "ops/op_test.h"

namespace hearth {
namespace {

// {loss, its derivative by x}
std::vector<Reals> definition(const std::vector<Reals>& in) {
  const Reals &x = in[0], &w = in[1], &labels = in[2];
  const int64_t N = x.dim(0), C = x.dim(1), V = w.dim(0);
  Reals loss, dx(x.dims);
  for (int64_t n = 0; n < N; ++n) {
    const int64_t label = int64_t(labels[n]);
    if (label < 0 || label >= V) continue;
    std::vector<double> z(size_t(V), 0.0);
    double most = -INFINITY, sum = 0;
    for (int64_t v = 0; v < V; ++v) {
      for (int64_t c = 0; c < C; ++c) z[size_t(v)] += x[n * C + c] * w[v * C + c];
      most = std::fmax(most, z[size_t(v)]);
    }
    for (const double s : z) sum += std::exp(s - most);
    loss[0] += std::log(sum) + most - z[size_t(label)];
    for (int64_t v = 0; v < V; ++v) {
      const double dz = std::exp(z[size_t(v)] - most) / sum - (v == label);
      for (int64_t c = 0; c < C; ++c) dx[n * C + c] += dz * w[v * C + c];
    }
  }
  return {loss, dx};
}

std::vector<OpCase> cases() {
  std::vector<OpCase> list;
  const auto add = [&](const std::string& name, int64_t n, int64_t c, int64_t v, std::vector<double> labels = {}) {
    list.push_back(
        {name, {{{n, c}, -1, 1}, {{v, c}, -1, 1}, {{n}, 0, double(v), DType::i32, labels}}, double(n + c + v)});
  };
  add("one", 1, 1, 1);
  add("small", 5, 7, 11);
  add("ignored_labels", 6, 8, 9, {-100, 0, 8, 9, -1, 3});
  add("all_ignored", 3, 4, 5, {-100});
  add("no_rows", 0, 4, 5);
  add("no_features", 3, 0, 5);
  add("tile_minus_one", 15, 15, 127);
  add("tile_plus_one", 17, 17, 129);
  add("several_chunks", 300, 3, 17);
  list.push_back({"bf16_weight", {{{6, 16}, -1, 1}, {{11, 16}, -1, 1, DType::bf16}, {{6}, 0, 11, DType::i32}}, 33});
  list.push_back({"f16_weight", {{{6, 16}, -1, 1}, {{11, 16}, -1, 1, DType::f16}, {{6}, 0, 11, DType::i32}}, 33});
  list.push_back({"large_logits", {{{4, 8}, 20, 30}, {{7, 8}, -3, 3}, {{4}, 0, 7, DType::i32}}, 1000, false});
  return list;
}

std::vector<OpTest> rows() {
  OpTest forward{.op = "linear_cross_entropy",
                 .cases = cases(),
                 .build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                   return {linear_cross_entropy(in[0], in[1], in[2])};
                 },
                 .definition = [](const std::vector<Reals>& in) -> std::vector<Reals> { return {definition(in)[0]}; }};
  OpTest backward{.op = "linear_cross_entropy_grad",
                  .cases = cases(),
                  .build = [](Graph& graph,
                              const std::vector<Value>& in) { return graph.add_all("linear_cross_entropy_grad", in); },
                  .definition = definition};
  return {forward, backward};
}

HEARTH_OP_TESTS(linear_cross_entropy, rows)

}  // namespace
}  // namespace hearth
