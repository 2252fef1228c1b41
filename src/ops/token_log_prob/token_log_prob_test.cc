// SPDX-License-Identifier: Apache-2.0
#include "ops/token_log_prob/token_log_prob.h"

#include <cmath>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "compiler/compile.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

constexpr double kScale = 0.75;

struct Form {
  bool low_rank = false, bias = false;
  double soft_cap = 0;
};

// z[n,v] before the cap.
double product(const std::vector<Reals>& in, const Form& form, int64_t n, int64_t v) {
  const Reals &x = in[0], &w = in[1];
  double z = 0;
  for (int64_t c = 0; c < x.dim(1); ++c) z += x[n * x.dim(1) + c] * w[v * x.dim(1) + c];
  if (form.low_rank) {
    const int64_t R = in[3].dim(1);
    for (int64_t r = 0; r < R; ++r) z += kScale * in[3][n * R + r] * in[4][v * R + r];
  }
  return form.bias ? z + in[form.low_rank ? 5 : 3][v] : z;
}

struct Row {
  bool counts = false;
  double log_prob = 0, top = 0;
  std::vector<double> slope;  // d log_prob / d product, [V]
};

Row row_of(const std::vector<Reals>& in, const Form& form, int64_t n) {
  const int64_t V = in[1].dim(0), label = int64_t(in[2][n]);
  Row row{.slope = std::vector<double>(size_t(V), 0.0)};
  if (label < 0 || label >= V) return row;
  std::vector<double> z, bend;
  for (int64_t v = 0; v < V; ++v) {
    const double p = product(in, form, n, v), t = form.soft_cap > 0 ? std::tanh(p / form.soft_cap) : 0;
    z.push_back(form.soft_cap > 0 ? form.soft_cap * t : p);
    bend.push_back(1 - t * t);
  }
  const double most = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (const double one : z) sum += std::exp(one - most);
  row.counts = true;
  row.log_prob = z[size_t(label)] - most - std::log(sum);
  row.top = std::max_element(z.begin(), z.end()) - z.begin() == label;
  for (size_t v = 0; v < size_t(V); ++v)
    row.slope[v] = bend[v] * (double(int64_t(v) == label) - std::exp(z[v] - most) / sum);
  return row;
}

std::vector<Reals> definition(const std::vector<Reals>& in, const Form& form) {
  Reals log_prob({in[0].dim(0)}), top({in[0].dim(0)});
  for (int64_t n = 0; n < in[0].dim(0); ++n) {
    const Row row = row_of(in, form, n);
    log_prob[n] = row.log_prob;
    top[n] = row.top;
  }
  return {log_prob, top};
}

// The last input is the derivative by each row's log-probability.
std::vector<Reals> derivatives(const std::vector<Reals>& in, const Form& form) {
  const int64_t N = in[0].dim(0), C = in[0].dim(1), V = in[1].dim(0), R = form.low_rank ? in[3].dim(1) : 0;
  Reals dx({N, C}), du({N, R}), db({V, R});
  for (int64_t n = 0; n < N; ++n) {
    const Row row = row_of(in, form, n);
    for (int64_t v = 0; v < V; ++v) {
      const double dz = in.back()[n] * row.slope[size_t(v)];
      for (int64_t c = 0; c < C; ++c) dx[n * C + c] += dz * in[1][v * C + c];
      for (int64_t r = 0; r < R; ++r) {
        du[n * R + r] += kScale * dz * in[4][v * R + r];
        db[v * R + r] += kScale * dz * in[3][n * R + r];
      }
    }
  }
  if (!form.low_rank) return {dx};
  return {dx, du, db};
}

LogitsOptions options(const std::vector<Value>& in, const Form& form) {
  LogitsOptions o{.soft_cap = form.soft_cap};
  if (form.low_rank) o.low_rank = LowRankLogits{in[3], in[4], kScale};
  if (form.bias) o.bias = in[form.low_rank ? 5 : 3];
  return o;
}

std::vector<OpCase> cases(const Form& form, bool of_gradient) {
  std::vector<OpCase> list;
  const auto add = [&](const std::string& name, const Dims& ncv, std::vector<double> labels = {}) {
    const int64_t n = ncv[0], c = ncv[1], v = ncv[2], r = 3;
    OpCase one{(form.low_rank ? "low_rank_" : "") + name,
               {{{n, c}, -1, 1}, {{v, c}, -1, 1}, {{n}, 0, double(v), DType::i32, labels}},
               double(n + c + v + r)};
    if (form.low_rank) one.in.insert(one.in.end(), {{{n, r}, -1, 1}, {{v, r}, -1, 1, DType::f32}});
    if (form.bias) one.in.push_back({{v}, -1, 1});
    if (of_gradient) one.in.push_back({{n}, -1, 1, DType::f32});
    list.push_back(one);
  };
  add("one", {1, 1, 1});
  add("small", {5, 7, 11});
  add("ignored_labels", {6, 8, 9}, {-100, 0, 8, 9, -1, 3});
  add("no_rows", {0, 4, 5});
  add("tile_plus_one", {17, 17, 129});
  if (!of_gradient && !form.low_rank && !form.bias) add("no_features_ties_go_to_the_first", {3, 0, 5}, {0, 1, 4});
  return list;
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests;
  for (const Form form : {Form{}, Form{.low_rank = true}, Form{.bias = true}, Form{.low_rank = true, .soft_cap = 0.8},
                          Form{.low_rank = true, .bias = true, .soft_cap = 3}}) {
    // `top` of 16-bit inputs would hang on the rounding of near ties: f32 only. The log-probabilities are tested in
    // all.
    tests.push_back({.op = "token_log_prob",
                     .cases = cases(form, false),
                     .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                       const TokenLogProbs p = token_log_prob(in[0], in[1], in[2], options(in, form));
                       return {p.log_prob, p.top};
                     },
                     .definition = [=](const std::vector<Reals>& in) { return definition(in, form); },
                     .dtypes = {DType::f32}});
    tests.push_back(
        {.op = "token_log_prob",
         .cases = cases(form, false),
         .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
           return {token_log_prob(in[0], in[1], in[2], options(in, form)).log_prob};
         },
         .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> { return {definition(in, form)[0]}; }});
    tests.push_back({.op = "token_log_prob_grad",
                     .cases = cases(form, true),
                     .build =
                         [=](Graph& graph, const std::vector<Value>& in) {
                           Attrs attrs;
                           if (form.low_rank) attrs.set("scale", kScale);
                           if (form.bias) attrs.set("has_bias", int64_t(1));
                           if (form.soft_cap > 0) attrs.set("soft_cap", form.soft_cap);
                           return graph.add_all("token_log_prob_grad", in, attrs);
                         },
                     .definition = [=](const std::vector<Reals>& in) { return derivatives(in, form); }});
  }
  return tests;
}

HEARTH_OP_TESTS(token_log_prob, rows)

// The logits would be [2048,4096] f32, 32 MiB; a chunk is at most 16.
TEST(TokenLogProb, never_holds_the_whole_logits) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {2048, 16}}), w = g.input("w", {DType::f32, {4096, 16}}),
              labels = g.input("labels", {DType::i32, {2048}}), a = g.input("a", {DType::f32, {4, 16}}),
              b = g.input("b", {DType::f32, {4096, 4}});
  const TokenLogProbs p = token_log_prob(x, w, labels, {.low_rank = LowRankLogits{linear(x, a), b, kScale}});
  const Value loss = reduce_sum(p.log_prob * p.log_prob, {0});
  g.output("loss", loss);
  g.output("top", p.top);
  const std::vector<Value> grads = gradients(loss, {x, a, b});
  for (size_t i = 0; i < grads.size(); ++i) g.output("d" + std::to_string(i), grads[i]);
  EXPECT_LT(compile(g).live_bytes_max, 20 << 20);
}

// 20000 tokens: a chunk has 256 rows.
TEST(TokenLogProb, rows_of_several_chunks_are_those_of_one_row_alone) {
  const int64_t N = 600, C = 4, V = 20000;
  const auto values = [&](uint64_t seed, int64_t count, double scale) {
    std::vector<double> list;
    for (int64_t i = 0; i < count; ++i) list.push_back(random_unit(seed, uint64_t(i)) * scale);
    return list;
  };
  const auto run = [&](int64_t first, int64_t n) {
    Graph g;
    const Value x = g.input("x", {DType::f32, {n, C}}), w = g.input("w", {DType::f32, {V, C}}),
                labels = g.input("labels", {DType::i32, {n}});
    const TokenLogProbs p = token_log_prob(x, w, labels);
    g.output("p", p.log_prob);
    const auto part = [&](std::vector<double> all, int64_t width) {
      return std::vector<double>(all.begin() + first * width, all.begin() + (first + n) * width);
    };
    return to_doubles(DType::f32, run_graph(g, {to_bytes(DType::f32, part(values(1, N * C, 1), C)),
                                                to_bytes(DType::f32, values(2, V * C, 1)),
                                                to_bytes(DType::i32, part(values(3, N, double(V)), 1))})[0]);
  };
  const std::vector<double> whole = run(0, N);
  for (const int64_t row : {0, 255, 256, 511, 512, 599}) EXPECT_NEAR(whole[size_t(row)], run(row, 1)[0], 1e-5) << row;
}

}  // namespace
}  // namespace hearth
