// SPDX-License-Identifier: Apache-2.0
#include "ops/attention/attention.h"

#include <cmath>

#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

struct Arrangement {
  std::string name;
  int64_t B = 1, T = 1, S = 1, H = 1, G = 1, D = 8;
  bool causal = true;
  double start = -1;  // given at run time where >= 0
  bool segments = false;
  Dims mask = {};  // shape of the mask; empty: none
  double c = 2;
  int64_t window = 0;
  double soft_cap = 0;
  bool bias = false;
  std::vector<double> starts = {};  // one of each row of the batch, given at run time

  bool has_start() const { return start >= 0 || !starts.empty(); }
};

// The inputs after q, k, v (and those that the derivative adds), by place.
struct Places {
  size_t start = 0, q_segments = 0, k_segments = 0, mask = 0, bias = 0;
};
Places places(const Arrangement& a, size_t first) {
  Places p;
  if (a.has_start()) p.start = first++;
  if (a.segments) p.q_segments = first, p.k_segments = first + 1, first += 2;
  if (!a.mask.empty()) p.mask = first++;
  if (a.bias) p.bias = first;
  return p;
}

bool visible(const std::vector<Reals>& in, const Arrangement& a, const Places& p, const Dims& at) {  // at: b, h, t, s
  const int64_t place = at[2] + (p.start ? int64_t(in[p.start][a.starts.empty() ? 0 : at[0]]) : a.S - a.T);
  if (a.causal && at[3] > place) return false;
  if (a.window > 0 && at[3] <= place - a.window) return false;
  if (p.q_segments && in[p.q_segments]({at[0], at[2]}) != in[p.k_segments]({at[0], at[3]})) return false;
  if (!p.mask) return true;
  Dims index;
  for (size_t i = 0; i < 4; ++i) index.push_back(a.mask[i] == 1 ? 0 : at[i]);
  return in[p.mask](index) != 0;
}

double dot(const Reals& x, const Dims& i, const Reals& y, const Dims& j) {
  double sum = 0;
  for (int64_t d = 0; d < x.dim(3); ++d) sum += x({i[0], i[1], i[2], d}) * y({j[0], j[1], j[2], d});
  return sum;
}

// The score of a query at a key, and the derivative of its cap.
std::pair<double, double> score_of(const std::vector<Reals>& in, const Arrangement& a, const Places& p,
                                   const Dims& at) {
  const int64_t b = at[0], h = at[1], t = at[2], s = at[3], g = h * a.G / a.H;
  const double plain = dot(in[0], {b, t, h}, in[1], {b, s, g}) / std::sqrt(double(a.D));
  const double bias = p.bias ? in[p.bias]({h, s}) : 0;
  if (a.soft_cap == 0) return {plain + bias, 1};
  const double bent = std::tanh(plain / a.soft_cap);
  return {a.soft_cap * bent + bias, 1 - bent * bent};
}

// {out [B,T,H,D], lse [B,T,H]}
std::vector<Reals> forward(const std::vector<Reals>& in, const Arrangement& a) {
  Reals out({a.B, a.T, a.H, a.D}), lse({a.B, a.T, a.H});
  const Places p = places(a, 3);
  for_each_index(lse.dims, [&](const Dims& i, int64_t row) {
    const int64_t b = i[0], t = i[1], h = i[2], g = h * a.G / a.H;
    double most = -INFINITY, sum = 0;
    std::vector<double> scores;
    for (int64_t s = 0; s < a.S; ++s) {
      const Dims at = {b, h, t, s};
      scores.push_back(visible(in, a, p, at) ? score_of(in, a, p, at).first : -INFINITY);
      most = std::fmax(most, scores.back());
    }
    lse[row] = -INFINITY;
    if (most == -INFINITY) return;
    for (const double s : scores) sum += std::exp(s - most);
    lse[row] = std::log(sum) + most;
    for (int64_t s = 0; s < a.S; ++s) {
      for (int64_t d = 0; d < a.D; ++d)
        out({b, t, h, d}) += std::exp(scores[size_t(s)] - most) / sum * in[2]({b, s, g, d});
    }
  });
  return {out, lse};
}

// Inputs q, k, v, out, lse, dout; each independent. P = exp(score - lse), dS = P (dout v - sum(dout out)) slope.
std::vector<Reals> backward(const std::vector<Reals>& in, const Arrangement& a) {
  Reals dq(in[0].dims), dk(in[1].dims), dv(in[2].dims);
  const Places p = places(a, 6);
  const double scale = 1 / std::sqrt(double(a.D));
  for_each_index({a.B, a.T, a.H, a.S}, [&](const Dims& i, int64_t) {
    const int64_t b = i[0], t = i[1], h = i[2], s = i[3], g = h * a.G / a.H;
    if (!visible(in, a, p, {b, h, t, s})) return;
    const auto [score, slope] = score_of(in, a, p, {b, h, t, s});
    const double weight = std::exp(score - in[4]({b, t, h}));
    const double ds =
        slope * weight * (dot(in[5], {b, t, h}, in[2], {b, s, g}) - dot(in[5], {b, t, h}, in[3], {b, t, h}));
    for (int64_t d = 0; d < a.D; ++d) {
      dv({b, s, g, d}) += weight * in[5]({b, t, h, d});
      dq({b, t, h, d}) += scale * ds * in[1]({b, s, g, d});
      dk({b, s, g, d}) += scale * ds * in[0]({b, t, h, d});
    }
  });
  return {dq, dk, dv};
}

std::vector<TestInput> extra_inputs(const Arrangement& a) {
  std::vector<TestInput> in;
  if (a.start >= 0) in.push_back({{}, 0, 0, DType::i32, {a.start}});
  if (!a.starts.empty()) in.push_back({{a.B}, 0, 0, DType::i32, a.starts});
  if (a.segments) {  // documents of random lengths: sorted numbers
    in.push_back({{a.B, a.T}, 0, 3, DType::i32});
    in.push_back({{a.B, a.S}, 0, 3, DType::i32});
  }
  if (!a.mask.empty()) in.push_back({a.mask, 0, 2, DType::boolean});
  if (a.bias) in.push_back({{a.H, a.S}, -1, 1, DType::f32});
  return in;
}

OpTest forward_test(const Arrangement& a, bool with_lse) {
  const Dims q = {a.B, a.T, a.H, a.D}, k = {a.B, a.S, a.G, a.D};
  OpCase one{a.name + (with_lse ? "_with_row_sums" : ""), {{q, -1, 1}, {k, -1, 1}, {k, -1, 1}}, double(a.S + a.D)};
  for (const TestInput& more : extra_inputs(a)) one.in.push_back(more);
  return {.op = "attention",
          .cases = {one},
          .build = [=](Graph& graph, const std::vector<Value>& in) -> std::vector<Value> {
            const Places p = places(a, 3);
            AttentionOptions options{.causal = a.causal, .window = a.window, .soft_cap = a.soft_cap};
            if (p.bias) options.key_bias = in[p.bias];
            if (p.start) options.start = in[p.start];
            if (p.q_segments) options.q_segments = in[p.q_segments], options.k_segments = in[p.k_segments];
            if (p.mask) options.mask = in[p.mask];
            const Value out = attention(in[0], in[1], in[2], options);
            if (with_lse) return {out, {&graph, out.node, 1}};
            return {out};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            std::vector<Reals> all = forward(in, a);
            if (!with_lse) all.pop_back();
            return all;
          },
          .c = a.c};
}

OpTest backward_test(const Arrangement& a) {
  const Dims q = {a.B, a.T, a.H, a.D}, k = {a.B, a.S, a.G, a.D};
  OpCase one{a.name,
             {{q, -1, 1}, {k, -1, 1}, {k, -1, 1}, {q, -1, 1}, {{a.B, a.T, a.H}, 1, 2}, {q, -1, 1}},
             double(a.S + a.T * a.H / a.G + a.D)};
  for (const TestInput& more : extra_inputs(a)) one.in.push_back(more);
  return {.op = "attention_grad",
          .cases = {one},
          .build =
              [=](Graph& graph, const std::vector<Value>& in) {
                std::vector<Value> all = in;
                all[4] = convert(in[4],
                                 in[0].dtype() == DType::f64 ? DType::f64 : DType::f32);  // row sums are never 16 bits
                Attrs attrs{{"causal", int64_t(a.causal)},
                            {"scale", 1 / std::sqrt(double(a.D))},
                            {"has_start", int64_t(a.has_start())},
                            {"has_segments", int64_t(a.segments)},
                            {"has_mask", int64_t(!a.mask.empty())}};
                if (a.window > 0) attrs.set("window", a.window);
                if (a.soft_cap > 0) attrs.set("soft_cap", a.soft_cap);
                if (a.bias) attrs.set("has_bias", int64_t(1));
                return graph.add_all("attention_grad", all, attrs);
              },
          .definition = [=](const std::vector<Reals>& in) { return backward(in, a); },
          .c = a.c};
}

std::vector<OpTest> rows() {
  const std::vector<Arrangement> arrangements = {
      {"one", 1, 1, 1, 1, 1, 1},
      {"causal", 2, 7, 7, 2, 2, 8},
      {"not_causal", 2, 5, 9, 2, 2, 8, false},
      {"grouped_heads", 2, 6, 6, 4, 2, 8},
      {"one_key_head", 1, 6, 6, 3, 1, 4},
      {"odd_head_size", 1, 5, 5, 2, 1, 7},
      {"head_size_100", 1, 4, 4, 1, 1, 100},
      {"fewer_queries_than_keys", 1, 3, 9, 2, 1, 8},
      {"more_queries_than_keys", 1, 9, 3, 2, 1, 8},  // the first see nothing
      {"decode", 2, 1, 20, 4, 2, 16},
      {"start_at_run_time", 1, 3, 20, 2, 1, 8, true, 11},
      {"start_at_zero", 1, 3, 20, 2, 1, 8, true, 0},
      {"packed_segments", 2, 9, 9, 2, 1, 8, true, -1, true},
      {"segments_not_causal", 1, 5, 7, 2, 2, 4, false, -1, true},
      {"mask", 2, 5, 5, 2, 1, 8, true, -1, false, {2, 2, 5, 5}},
      {"mask_broadcast", 2, 5, 6, 2, 2, 8, false, -1, false, {1, 1, 5, 6}},
      {"mask_of_keys", 2, 5, 6, 4, 2, 8, false, -1, false, {2, 1, 1, 6}},
      {"mask_and_segments_and_start", 1, 4, 9, 2, 1, 8, true, 3, true, {1, 2, 4, 9}},
      {.name = "window", .B = 2, .T = 9, .S = 9, .H = 2, .window = 3},
      {.name = "window_of_one", .T = 4, .S = 6, .H = 2, .window = 1},
      {.name = "window_and_start", .T = 3, .S = 20, .H = 2, .start = 11, .window = 5},
      {.name = "window_and_segments", .T = 9, .S = 9, .H = 2, .segments = true, .window = 4},
      {.name = "soft_cap", .B = 2, .T = 7, .S = 7, .H = 4, .G = 2, .soft_cap = 0.8},
      {.name = "soft_cap_not_causal", .T = 3, .S = 5, .H = 2, .causal = false, .soft_cap = 2},
      {.name = "bias", .B = 2, .T = 7, .S = 7, .H = 2, .G = 2, .bias = true},
      {.name = "bias_of_shared_keys", .T = 5, .S = 9, .H = 3, .start = 2, .bias = true},
      {.name = "window_cap_bias_mask",
       .T = 6,
       .S = 8,
       .H = 4,
       .G = 2,
       .mask = {1, 4, 6, 8},
       .window = 4,
       .soft_cap = 1.5,
       .bias = true},
      {.name = "starts_of_rows", .B = 3, .T = 1, .S = 20, .H = 4, .G = 2, .starts = {3, 19, 0}},
      {.name = "starts_of_rows_three_tokens", .B = 2, .T = 3, .S = 90, .H = 2, .starts = {70, 2}},
      {.name = "starts_of_rows_many_tokens", .B = 2, .T = 20, .S = 50, .H = 2, .starts = {1, 30}},
      {.name = "starts_of_rows_window", .B = 3, .T = 2, .S = 20, .H = 2, .window = 4, .starts = {0, 11, 18}},
      {.name = "starts_of_rows_bias", .B = 2, .T = 9, .S = 20, .H = 2, .bias = true, .starts = {0, 11}},
      {"tile_minus_one", 1, 63, 63, 1, 1, 8},
      {"tile_plus_one", 1, 65, 65, 1, 1, 8},
      {"no_queries", 1, 0, 4, 2, 1, 8},
      {"no_keys", 1, 2, 0, 2, 1, 8, false},
      {"no_batch", 0, 3, 3, 2, 1, 8}};
  std::vector<OpTest> tests;
  for (const Arrangement& a : arrangements) {
    tests.push_back(forward_test(a, false));
    tests.push_back(backward_test(a));
  }
  tests.push_back(forward_test(arrangements[1], true));
  tests.push_back(forward_test(arrangements[3], true));
  for (OpTest& test : tests) {
    if (test.cases[0].name.find("tile") != std::string::npos) test.dtypes = {DType::f32, DType::bf16};
  }
  return tests;
}

HEARTH_OP_TESTS(attention, rows)

}  // namespace
}  // namespace hearth
