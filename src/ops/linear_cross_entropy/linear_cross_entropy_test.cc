// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_cross_entropy/linear_cross_entropy.h"

#include <cmath>
#include <numeric>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/file_test_folder.h"
#include "compiler/compile.h"
#include "ops/linear_cross_entropy/linear_cross_entropy_chunk.h"
#include "ops/matmul/matmul.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

constexpr double kScale = 0.75;

// What becomes of the logits: a low-rank term (inputs 3 and 4), a bias (the last input), a cap.
struct Logits {
  bool low_rank = false, bias = false;
  double soft_cap = 0;
  LossTerms terms = {};
};

// {loss, its derivatives by x and, with a low-rank term, by u and b}
std::vector<Reals> definition(const std::vector<Reals>& in, const Logits& logits) {
  const Reals &x = in[0], &w = in[1], &labels = in[2], u = logits.low_rank ? in[3] : Reals({x.dim(0), 0}),
              b = logits.low_rank ? in[4] : Reals({w.dim(0), 0});
  const int64_t N = x.dim(0), C = x.dim(1), V = w.dim(0), R = u.dim(1);
  Reals loss, dx(x.dims), du(u.dims), db(b.dims);
  for (int64_t n = 0; n < N; ++n) {
    const int64_t label = int64_t(labels[n]);
    if (label < 0 || label >= V) continue;
    std::vector<double> z(size_t(V), 0.0), slope(size_t(V), 1.0);
    double most = -INFINITY, sum = 0;
    for (int64_t v = 0; v < V; ++v) {
      for (int64_t c = 0; c < C; ++c) z[size_t(v)] += x[n * C + c] * w[v * C + c];
      for (int64_t r = 0; r < R; ++r) z[size_t(v)] += kScale * u[n * R + r] * b[v * R + r];
      if (logits.bias) z[size_t(v)] += in.back()[v];
      if (logits.soft_cap > 0) {
        const double bent = std::tanh(z[size_t(v)] / logits.soft_cap);
        z[size_t(v)] = logits.soft_cap * bent;
        slope[size_t(v)] = 1 - bent * bent;
      }
      most = std::fmax(most, z[size_t(v)]);
    }
    for (const double s : z) sum += std::exp(s - most);
    const double lse = std::log(sum) + most, s = logits.terms.label_smoothing, c = logits.terms.z_loss;
    const double mean = std::accumulate(z.begin(), z.end(), 0.0) / double(V);
    loss[0] += lse - (1 - s) * z[size_t(label)] - s * mean + c * lse * lse;
    for (int64_t v = 0; v < V; ++v) {
      const double dz = slope[size_t(v)] * ((1 + 2 * c * lse) * std::exp(z[size_t(v)] - most) / sum -
                                            (1 - s) * (v == label) - s / double(V));
      for (int64_t c = 0; c < C; ++c) dx[n * C + c] += dz * w[v * C + c];
      for (int64_t r = 0; r < R; ++r) {
        du[n * R + r] += kScale * dz * b[v * R + r];
        db[v * R + r] += kScale * dz * u[n * R + r];
      }
    }
  }
  if (!logits.low_rank) return {loss, dx};
  return {loss, dx, du, db};
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
  add("many_rows", 300, 3, 17);
  list.push_back({"bf16_weight", {{{6, 16}, -1, 1}, {{11, 16}, -1, 1, DType::bf16}, {{6}, 0, 11, DType::i32}}, 33});
  list.push_back({"f16_weight", {{{6, 16}, -1, 1}, {{11, 16}, -1, 1, DType::f16}, {{6}, 0, 11, DType::i32}}, 33});
  list.push_back({"large_logits", {{{4, 8}, 20, 30}, {{7, 8}, -3, 3}, {{4}, 0, 7, DType::i32}}, 1000, false});
  return list;
}

// x [n,c], weight [v,c], labels [n], u [n,r], b [v,r]
std::vector<OpCase> low_rank_cases() {
  std::vector<OpCase> list;
  const auto add = [&](const std::string& name, const Dims& ncvr, std::optional<DType> b_dtype = {}) {
    const int64_t n = ncvr[0], c = ncvr[1], v = ncvr[2], r = ncvr[3];
    const TestInput x{{n, c}, -1, 1}, w{{v, c}, -1, 1}, labels{{n}, -1, double(v), DType::i32}, u{{n, r}, -1, 1};
    list.push_back({"low_rank_" + name, {x, w, labels, u, {{v, r}, -1, 1, b_dtype}}, double(n + c + v + r)});
  };
  add("one", {1, 1, 2, 1});
  add("small", {5, 7, 11, 3});
  add("of_rank_0", {5, 7, 11, 0});
  add("no_rows", {0, 4, 5, 2});
  add("no_features", {3, 0, 5, 2});
  add("tile_minus_one", {15, 15, 127, 7});
  add("tile_plus_one", {17, 17, 129, 9});
  add("many_rows", {300, 3, 17, 4});
  add("f32_matrix", {6, 16, 11, 4}, DType::f32);  // as adapters are kept
  return list;
}

// Some of the cases once more with what bends logits.
std::vector<OpCase> bent_cases(const std::string& how, const std::vector<OpCase>& cases, const Logits& logits) {
  std::vector<OpCase> list;
  for (OpCase one : cases) {
    const bool plain = one.name.find("small") != std::string::npos || one.name.find("ignored") != std::string::npos ||
                       one.name.find("plus_one") != std::string::npos;
    if (!plain) continue;
    one.name = how + "_" + one.name;
    if (logits.bias) one.in.push_back({{one.in[1].dims[0]}, -1, 1});
    list.push_back(one);
  }
  return list;
}

void add_tests(const std::vector<OpCase>& cases, const Logits& logits, std::vector<OpTest>* tests) {
  const auto options = [=](const std::vector<Value>& in) {
    LogitsOptions o{.soft_cap = logits.soft_cap, .terms = logits.terms};
    if (logits.low_rank) o.low_rank = LowRankLogits{in[3], in[4], kScale};
    if (logits.bias) o.bias = in.back();
    return o;
  };
  tests->push_back(
      {.op = "linear_cross_entropy",
       .cases = cases,
       .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
         return {linear_cross_entropy(in[0], in[1], in[2], options(in))};
       },
       .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> { return {definition(in, logits)[0]}; }});
  tests->push_back({.op = "linear_cross_entropy_grad",
                    .cases = cases,
                    .build =
                        [=](Graph& graph, const std::vector<Value>& in) {
                          Attrs attrs;
                          if (logits.low_rank) attrs.set("scale", kScale);
                          if (logits.bias) attrs.set("has_bias", int64_t(1));
                          if (logits.soft_cap > 0) attrs.set("soft_cap", logits.soft_cap);
                          if (logits.terms.label_smoothing > 0)
                            attrs.set("label_smoothing", logits.terms.label_smoothing);
                          if (logits.terms.z_loss > 0) attrs.set("z_loss", logits.terms.z_loss);
                          return graph.add_all("linear_cross_entropy_grad", in, attrs);
                        },
                    .definition = [=](const std::vector<Reals>& in) { return definition(in, logits); }});
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests;
  add_tests(cases(), {}, &tests);
  add_tests(low_rank_cases(), {.low_rank = true}, &tests);
  const std::pair<const char*, Logits> bent[] = {
      {"bias", {.bias = true}},
      {"soft_cap", {.soft_cap = 0.8}},
      {"bias_and_soft_cap", {.bias = true, .soft_cap = 3}},
      {"smoothed", {.terms = {.label_smoothing = 0.1}}},
      {"z_loss", {.terms = {.z_loss = 0.05}}},
      {"all_terms", {.bias = true, .soft_cap = 3, .terms = {.label_smoothing = 0.2, .z_loss = 0.1}}}};
  for (auto [how, logits] : bent) {
    add_tests(bent_cases(how, cases(), logits), logits, &tests);
    logits.low_rank = true;
    add_tests(bent_cases(how, low_rank_cases(), logits), logits, &tests);
  }
  return tests;
}

HEARTH_OP_TESTS(linear_cross_entropy, rows)

void with_term(const Dims& u, DType u_dtype, const Dims& b) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {6, 8}}), w = g.input("w", {DType::f32, {9, 8}}),
              labels = g.input("labels", {DType::i32, {6}});
  linear_cross_entropy(x, w, labels,
                       {.low_rank = LowRankLogits{g.input("u", {u_dtype, u}), g.input("b", {DType::f32, b})}});
}
std::string refusal(const Dims& u, DType u_dtype, const Dims& b) {
  return error_of(Kind::shape, [&] { with_term(u, u_dtype, b); });
}

TEST(LinearCrossEntropy, low_rank_term_that_does_not_fit_is_refused) {
  with_term({6, 2}, DType::f32, {9, 2});
  EXPECT_EQ(refusal({6, 2}, DType::f32, {9, 3}),
            "linear_cross_entropy: needs u [N,r] in x's dtype and b [V,r]\n  x is x f32[6,8]\n  weight is w f32[9,8]\n"
            "  u is u f32[6,2]\n  b is b f32[9,3]");
  for (const std::string& text : {refusal({5, 2}, DType::f32, {9, 2}), refusal({6, 2}, DType::bf16, {9, 2}),
                                  refusal({6, 2}, DType::f32, {8, 2}), refusal({12}, DType::f32, {9, 2})})
    EXPECT_NE(text.find("needs u [N,r]"), std::string::npos) << text;
}

// loss, dx, du, db of rows first .. first + n - 1 of always the same tensors.
std::vector<std::vector<double>> of_rows(DType dtype, int64_t first, int64_t n) {
  const int64_t C = 4, V = 20000, R = 2;
  Graph g;
  std::vector<Bytes> bytes;
  const auto input = [&](DType t, int64_t rows, int64_t columns, int64_t from) {
    std::vector<double> values;
    for (int64_t i = 0; i < rows * columns; ++i)
      values.push_back(random_unit(bytes.size(), uint64_t(from * columns + i)) * (t == DType::i32 ? double(V) : 1));
    bytes.push_back(to_bytes(t, values));
    const std::string name = "x" + std::to_string(bytes.size());
    return t == DType::i32 ? g.input(name, {t, {rows}}) : g.input(name, {t, {rows, columns}});
  };
  const Value x = input(dtype, n, C, first), w = input(dtype, V, C, 0), labels = input(DType::i32, n, 1, first),
              u = input(dtype, n, R, first), b = input(DType::f32, V, R, 0);
  const auto out = g.add_all("linear_cross_entropy_grad", {x, w, labels, u, b}, {{"scale", kScale}});
  for (size_t i = 0; i < out.size(); ++i) g.output("y" + std::to_string(i), out[i]);
  std::vector<std::vector<double>> results;
  for (const Bytes& one : run_graph(g, bytes)) results.push_back(to_doubles(out[results.size()].dtype(), one));
  return results;
}

// 20000 words: a chunk has 256 rows. Rows keep their own dx and du; loss and db are sums over all of them.
TEST(LinearCrossEntropy, several_chunks_give_what_each_gives_alone) {
  ASSERT_EQ(cross_entropy_chunk(600, 20000), 256);
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const auto whole = of_rows(dtype, 0, 600);
    std::vector<double> loss(1), dx, du, db(whole[3].size());
    for (const int64_t first : {0, 256, 512}) {
      const auto part = of_rows(dtype, first, std::min<int64_t>(256, 600 - first));
      loss[0] += part[0][0];
      dx.insert(dx.end(), part[1].begin(), part[1].end());
      du.insert(du.end(), part[2].begin(), part[2].end());
      for (size_t i = 0; i < db.size(); ++i) db[i] += part[3][i];
    }
    EXPECT_NEAR(whole[0][0], loss[0], 1e-6 * loss[0]);
    EXPECT_EQ(whole[1], dx);
    EXPECT_EQ(whole[2], du);
    for (size_t i = 0; i < db.size(); ++i) ASSERT_NEAR(whole[3][i], db[i], 1e-6) << i;
  }
}

// The logits of the step would be [2048,4096] f32, 32 MiB; the derivatives' chunk is at most 16.
TEST(LinearCrossEntropy, never_holds_the_whole_logits) {
  Graph g;
  const int64_t N = 2048, C = 16, V = 4096, R = 4;
  const Value x = g.input("x", {DType::f32, {N, C}}), w = g.input("w", {DType::f32, {V, C}}),
              labels = g.input("labels", {DType::i32, {N}}), a = g.input("a", {DType::f32, {R, C}}),
              b = g.input("b", {DType::f32, {V, R}});
  const Value loss = linear_cross_entropy(x, w, labels, {.low_rank = LowRankLogits{linear(x, a), b, kScale}});
  const std::vector<Value> grads = gradients(loss, {x, a, b});
  g.output("loss", loss);
  for (size_t i = 0; i < grads.size(); ++i) g.output("d" + std::to_string(i), grads[i]);
  const Plan plan = compile(g);
  EXPECT_LT(plan.live_bytes_max, 20 << 20);
  int kernels = 0;
  for (const PlanInstruction& i : plan.instructions) kernels += i.kernel.rfind("linear_cross_entropy", 0) == 0;
  EXPECT_EQ(kernels, 1);  // the derivative gives the loss with it
}

}  // namespace
}  // namespace hearth
