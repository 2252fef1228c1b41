// SPDX-License-Identifier: Apache-2.0
#include "ops/expert_linear/expert_linear.h"

#include <cmath>

#include "ops/op_test.h"

namespace hearth {
namespace {

constexpr size_t kFirstWeight = 2;

// y[n,m] = sum_k x[n,k] W[m,k] of the expert, W[k,m] when transposed.
std::vector<Reals> definition(const std::vector<Reals>& in, bool transposed) {
  const Reals &x = in[0], &ids = in[1];
  const int64_t N = x.dim(0), K = x.dim(1), M = in[kFirstWeight].dim(transposed ? 1 : 0);
  Reals y({N, M});
  for (int64_t n = 0; n < N; ++n) {
    if (ids[n] < 0 || ids[n] >= double(in.size() - kFirstWeight)) continue;
    const Reals& w = in[kFirstWeight + size_t(ids[n])];
    for (int64_t m = 0; m < M; ++m) {
      for (int64_t k = 0; k < K; ++k) y({n, m}) += x({n, k}) * (transposed ? w({k, m}) : w({m, k}));
    }
  }
  return {y};
}

OpTest row(const std::string& name, int64_t N, int64_t K, int64_t M, int64_t experts, bool transposed = false,
           std::vector<double> ids = {}) {
  OpCase one{name, {{{N, K}, -1, 1}, {{N}, 0, double(experts), DType::i32, std::move(ids)}}, double(K)};
  for (int64_t e = 0; e < experts; ++e) one.in.push_back({transposed ? Dims{K, M} : Dims{M, K}, -1, 1});
  return {.op = "expert_linear",
          .cases = {one},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {expert_linear(in[0], in[1], {in.begin() + kFirstWeight, in.end()}, transposed)};
          },
          .definition = [=](const std::vector<Reals>& in) { return definition(in, transposed); }};
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests = {row("one", 1, 1, 1, 1),
                               row("tokens", 9, 7, 5, 3),
                               row("transposed", 9, 7, 5, 3, true),
                               row("more_experts_than_rows", 2, 6, 4, 7),
                               row("all_to_one", 6, 5, 4, 3, false, {2, 2, 2, 2, 2, 2}),
                               row("outside", 5, 4, 3, 2, false, {-1, 2, 1, 0, 2147483647}),
                               row("tile_plus_one", 65, 33, 17, 2),
                               row("no_rows", 0, 4, 3, 2),
                               row("no_columns", 4, 3, 0, 2),
                               row("nothing_to_sum", 4, 0, 3, 2)};
  // An expert that no row is sent to must not enter.
  const double nan = std::nan("");
  OpTest hidden = row("nan_in_another_expert", 2, 2, 2, 2, false, {1, 1});
  hidden.cases[0].in[kFirstWeight].values = {nan, nan, nan, nan};
  hidden.cases[0].grad = false;
  tests.push_back(hidden);
  return tests;
}

HEARTH_OP_TESTS(expert_linear, rows)

}  // namespace
}  // namespace hearth
