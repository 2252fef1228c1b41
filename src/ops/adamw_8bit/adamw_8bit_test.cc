// SPDX-License-Identifier: Apache-2.0
#include "ops/adamw_8bit/adamw_8bit.h"

#include <algorithm>
#include <cmath>

#include "array/run_graph.h"
#include "base/file_test_folder.h"
#include "compiler/compile.h"
#include "ops/adamw_8bit/dynamic_map.h"
#include "ops/adamw_8bit/dynamic_map_test.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

TEST(DynamicMap, codes_are_the_places_of_the_values) {
  const std::vector<double> with_signs = dynamic_map(true), without = dynamic_map(false);
  ASSERT_EQ(with_signs.size(), 256u);
  ASSERT_EQ(without.size(), 256u);
  for (int code = 0; code < 256; ++code) {
    EXPECT_NEAR(signed_value(code), with_signs[size_t(code)], 1e-15) << code;
    EXPECT_NEAR(unsigned_value(code), without[size_t(code)], 1e-15) << code;
  }
}

struct Coded {
  Reals codes, scales;
};
Coded encoded(const std::vector<double>& x, int64_t blocks, const std::vector<double>& map) {
  Coded coded{Reals({blocks, 256}), Reals({blocks, 1})};
  for (int64_t i = 0; i < blocks * 256; ++i)
    coded.scales[i / 256] = std::max(coded.scales[i / 256], std::abs(x[size_t(i)]));
  for (int64_t i = 0; i < blocks * 256; ++i) {
    const double scale = coded.scales[i / 256], wanted = scale > 0 ? x[size_t(i)] / scale : 0;
    size_t best = 0;
    for (size_t code = 1; code < 256; ++code)
      if (std::abs(map[code] - wanted) < std::abs(map[best] - wanted)) best = code;
    coded.codes[i] = double(best);
  }
  return coded;
}

// Inputs as the operation's.
std::vector<Reals> definition(const std::vector<Reals>& in, const AdamWOptions& o) {
  if (in[9][0] == 0) return {in[0], in[1], in[2], in[3], in[4]};
  static const std::vector<double> of_m = dynamic_map(true), of_v = dynamic_map(false);
  const int64_t n = int64_t(in[0].at.size()), blocks = in[1].dim(0);
  std::vector<double> m(size_t(blocks * 256)), v(m.size());
  Reals p = in[0];
  for (int64_t i = 0; i < blocks * 256; ++i) {
    const double g = i < n ? in[5][i] : 0;
    const double m_now = of_m[size_t(in[1][i])] * in[2][i / 256], v_now = of_v[size_t(in[3][i])] * in[4][i / 256];
    m[size_t(i)] = o.beta1 * m_now + (1 - o.beta1) * g;
    v[size_t(i)] = o.beta2 * v_now + (1 - o.beta2) * g * g;
    if (i >= n) continue;
    const double m_hat = m[size_t(i)] / in[7][0], v_hat = v[size_t(i)] / in[8][0];
    p[i] = p[i] * (1 - in[6][0] * o.weight_decay) - in[6][0] * m_hat / (std::sqrt(v_hat) + o.eps);
  }
  const Coded new_m = encoded(m, blocks, of_m), new_v = encoded(v, blocks, of_v);
  return {p, new_m.codes, new_m.scales, new_v.codes, new_v.scales};
}

Value build(const std::vector<Value>& in, const AdamWOptions& o, std::vector<Value>* out) {
  const AdamW8bitState next = adamw_8bit({in[0], {in[1], in[2], in[3], in[4]}}, {in[5], in[6], in[7], in[8], in[9]}, o);
  const CodedMoments& s = next.moments;
  *out = {next.parameter, s.m, s.m_scale, s.v, s.v_scale};
  return next.parameter;
}

OpTest test_of(const std::string& name, const AdamWOptions& o, bool apply = true) {
  OpTest test{.op = "adamw_8bit",
              .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                std::vector<Value> out;
                build(in, o, &out);
                return out;
              },
              .definition = [=](const std::vector<Reals>& in) { return definition(in, o); },
              .dtypes = {DType::f32},
              .grad = false,
              .c = 16};
  for (const Dims& dims : std::vector<Dims>{{}, {1}, {0, 4}, {5, 7}, {255}, {256}, {257}, {3, 701}}) {
    const int64_t blocks = (num_elements(dims) + 255) / 256;
    const TestInput codes{{blocks, 256}, 0, 255.99, DType::u8}, scales{{blocks, 1}, 0.1, 2}, tensor{dims, -2, 2};
    test.cases.push_back({cat(name, "_", ShowDims{dims}),
                          {tensor,
                           codes,
                           scales,
                           codes,
                           scales,
                           tensor,
                           {{}, 0.01, 0.1},
                           {{}, 0.1, 1},
                           {{}, 0.1, 1},
                           {{}, 0, 1, DType::boolean, {apply ? 1.0 : 0.0}}}});
  }
  return test;
}

std::vector<OpTest> rows() {
  return {test_of("plain", {}), test_of("decay", {.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.1}),
          test_of("not_applied", {}, false)};
}

HEARTH_OP_TESTS(adamw_8bit, rows)

TEST(AdamW8bit, changes_everything_in_place) {
  Graph g;
  const TensorType p{DType::f32, {64, 100}}, codes{DType::u8, {25, 256}}, scales{DType::f32, {25, 1}},
      one{DType::f32, {}};
  const char* const names[] = {"p", "m", "m_scale", "v", "v_scale"};
  const std::vector<Value> in = {g.input("p", p),
                                 g.input("m", codes),
                                 g.input("m_scale", scales),
                                 g.input("v", codes),
                                 g.input("v_scale", scales),
                                 g.input("g", p),
                                 g.input("rate", one),
                                 g.input("c1", one),
                                 g.input("c2", one),
                                 g.input("apply", {DType::boolean, {}})};
  std::vector<Value> out;
  build(in, {}, &out);
  for (size_t i = 0; i < out.size(); ++i) g.output_in_place(std::string("next.") + names[i], out[i], names[i]);
  const Plan plan = compile(g);
  ASSERT_EQ(plan.instructions.size(), 1u);
  EXPECT_EQ(plan.instructions[0].kernel, "adamw_8bit");
  EXPECT_EQ(plan.live_bytes_max, 0);
}

TEST(AdamW8bit, refuses_states_of_another_size) {
  const std::string text = error_of(Kind::shape, [] {
    Graph g;
    const TensorType codes{DType::u8, {1, 256}}, scales{DType::f32, {1, 1}}, one{DType::f32, {}};
    const Value p = g.input("p", {DType::f32, {300}}), m = g.input("m", codes), s = g.input("s", scales),
                rate = g.input("rate", one);
    adamw_8bit({p, {m, s, m, s}}, {p, rate, rate, rate, g.input("apply", {DType::boolean, {}})}, {});
  });
  EXPECT_EQ(text, "adamw_8bit: input 1 must be u8[2,256]\n  parameter is p f32[300]\n  input 1 is m u8[1,256]");
}

}  // namespace
}  // namespace hearth
