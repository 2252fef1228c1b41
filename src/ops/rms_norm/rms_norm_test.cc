// SPDX-License-Identifier: Apache-2.0
#include "ops/rms_norm/rms_norm.h"

#include <cmath>

#include "ops/op_test.h"

namespace hearth {
namespace {

constexpr double kEps = 1e-5;

std::vector<Reals> definition(const std::vector<Reals>& in) {
  Reals y(in[0].dims);
  const int64_t width = y.dim(-1), rows = width ? int64_t(y.at.size()) / width : 0;
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (int64_t c = 0; c < width; ++c) sum += in[0][r * width + c] * in[0][r * width + c];
    for (int64_t c = 0; c < width; ++c)
      y[r * width + c] = in[1][c] * in[0][r * width + c] / std::sqrt(sum / double(width) + kEps);
  }
  return {y};
}

std::vector<OpTest> rows() {
  OpTest test{.op = "rms_norm",
              .build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                return {rms_norm(in[0], in[1], kEps)};
              },
              .definition = definition,
              .c = 4};
  const auto add = [&](const std::string& name, const Dims& dims) {
    test.cases.push_back({name, {{dims}, {{dims.back()}}}, double(dims.back())});
  };
  add("one", {1});
  add("row", {9});
  add("no_rows", {0, 5});
  add("empty_rows", {3, 0});
  for (const int64_t n : {63, 64, 65, 127, 128, 129}) add("width_" + std::to_string(n), {3, n});
  add("tokens", {2, 7, 33});
  add("many_rows", {701, 3});
  test.cases.push_back({"zeros", {{{2, 8}, 0, 0}, {{8}}}, 8, false});
  test.cases.push_back(
      {"nan_and_infinity", {{{3, 2}, 0, 0, {}, {1, std::nan(""), 1, INFINITY, 1, 2}}, {{2}}}, 2, false});
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {  // a weight stored in another type
    test.cases.push_back({cat("weight_", dtype), {{{4, 33}}, {{33}, -2, 2, dtype}}, 33});
  }
  return {test};
}

HEARTH_OP_TESTS(rms_norm, rows)

}  // namespace
}  // namespace hearth
