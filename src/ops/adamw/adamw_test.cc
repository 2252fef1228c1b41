// SPDX-License-Identifier: Apache-2.0
#include "ops/adamw/adamw.h"

#include <cmath>

#include "ops/op_test.h"

namespace hearth {
namespace {

// Inputs: parameter, gradient, m, v, learning rate, 1 - beta1^t, 1 - beta2^t.
std::vector<Reals> definition(const std::vector<Reals>& in, const AdamWOptions& o) {
  Reals p(in[0].dims), m(in[0].dims), v(in[0].dims);
  for (size_t i = 0; i < p.at.size(); ++i) {
    const double g = in[1].at[i], rate = in[4][0];
    m.at[i] = o.beta1 * in[2].at[i] + (1 - o.beta1) * g;
    v.at[i] = o.beta2 * in[3].at[i] + (1 - o.beta2) * g * g;
    const double m_hat = m.at[i] / in[5][0], v_hat = v.at[i] / in[6][0];
    p.at[i] = in[0].at[i] * (1 - rate * o.weight_decay) - rate * m_hat / (std::sqrt(v_hat) + o.eps);
  }
  return {p, m, v};
}

OpTest adamw_test(const std::string& name, const AdamWOptions& options) {
  OpTest test{.op = "adamw",
              .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                const AdamWState next = adamw({in[0], in[2], in[3]}, in[1], in[4], in[5], in[6], options);
                return {next.parameter, next.m, next.v};
              },
              .definition = [=](const std::vector<Reals>& in) { return definition(in, options); },
              .dtypes = {DType::f32},
              .c = 8,
              .grad_c = 16};
  for (const Dims& dims : std::vector<Dims>{{}, {1}, {0, 4}, {5, 7}, {127}, {129}, {3, 701}}) {
    const TestInput state{dims, -2, 2}, squares{dims, 0.1, 2};
    test.cases.push_back(
        {cat(name, "_", ShowDims{dims}), {state, state, state, squares, {{}, 0.01, 0.1}, {{}, 0.1, 1}, {{}, 0.1, 1}}});
  }
  return test;
}

std::vector<OpTest> rows() {
  OpTest first =
      adamw_test("first_step", {});  // states are zero: every parameter moves by the rate, zero gradients by nothing
  first.cases = {{"first_step",
                  {{{4}},
                   {{4}, 0, 0, {}, {1, -3, 1e-3, 0}},
                   {{4}, 0, 0},
                   {{4}, 0, 0},
                   {{}, 0.1, 0.1},
                   {{}, 0, 0, {}, {0.1}},
                   {{}, 0, 0, {}, {0.001}}},
                  1,
                  false}};
  return {adamw_test("plain", {}), adamw_test("decay", {.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.1}),
          first};
}

HEARTH_OP_TESTS(adamw, rows)

}  // namespace
}  // namespace hearth
