// SPDX-License-Identifier: Apache-2.0
#include "ops/norms/norms.h"

#include <cmath>

#include "array/call_test.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

constexpr double kEps = 1e-5;
constexpr double kError =
    16;  // measured: 6.6 in rows of three elements, whose small spread divides the rounding of their mean

// Rows of `width` elements; channel_of gives an element's channel.
Reals normalized(const std::vector<Reals>& in, int64_t width, const std::function<int64_t(int64_t)>& channel_of) {
  Reals y(in[0].dims);
  const int64_t size = int64_t(y.at.size());
  for (int64_t first = 0; first < size; first += width) {
    double mean = 0, variance = 0;
    for (int64_t i = first; i < first + width; ++i) mean += in[0][i] / double(width);
    for (int64_t i = first; i < first + width; ++i) variance += (in[0][i] - mean) * (in[0][i] - mean) / double(width);
    for (int64_t i = first; i < first + width; ++i) {
      const int64_t c = channel_of(i);
      y[i] = in[1][c] * (in[0][i] - mean) / std::sqrt(variance + kEps) + in[2][c];
    }
  }
  return y;
}

OpTest layer_rows() {
  OpTest test{.op = "layer_norm",
              .build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                return {layer_norm(in[0], in[1], in[2], kEps)};
              },
              .definition = [](const std::vector<Reals>& in) -> std::vector<Reals> {
                const int64_t width = in[0].dim(-1);
                return {normalized(in, width, [&](int64_t i) { return i % width; })};
              },
              .c = kError};
  const auto add = [&](const std::string& name, const Dims& dims) {
    test.cases.push_back({name, {{dims}, {{dims.back()}}, {{dims.back()}}}, double(dims.back())});
  };
  add("row", {9});
  add("no_rows", {0, 5});
  add("empty_rows", {3, 0});
  for (const int64_t n : {63, 64, 65, 127, 128, 129}) add("width_" + std::to_string(n), {3, n});
  add("tokens", {2, 7, 33});
  add("many_rows", {701, 3});
  // One element is its own mean: y is the bias, and the derivative by x is that of eps alone.
  test.cases.push_back({"one", {{{4, 1}}, {{1}}, {{1}}}, 1});
  // The square of the mean, 1e8, would leave no digit of the variance in f32; the mean itself is rounded to 1e4 eps.
  test.cases.push_back({"far_from_zero", {{{2, 64}, 9999, 10001}, {{64}}, {{64}}}, 1e8, false});
  test.cases.push_back({"equal_elements", {{{2, 8}, 3, 3}, {{8}}, {{8}}}, 8, false});
  test.cases.push_back(
      {"nan_and_infinity", {{{3, 2}, 0, 0, {}, {1, std::nan(""), 1, INFINITY, 1, 2}}, {{2}}, {{2}}}, 2, false});
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16})
    test.cases.push_back({cat("weight_", dtype), {{{4, 33}}, {{33}, -2, 2, dtype}, {{33}, -2, 2, dtype}}, 33});
  return test;
}

OpTest group_rows(int64_t groups) {
  OpTest test{.op = "group_norm",
              .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                return {group_norm(in[0], in[1], in[2], groups, kEps)};
              },
              .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
                int64_t positions = 1;
                for (size_t axis = 2; axis < in[0].dims.size(); ++axis) positions *= in[0].dims[axis];
                const int64_t channels = in[0].dim(1), width = channels / groups * positions;
                if (in[0].at.empty()) return {Reals(in[0].dims)};
                return {normalized(in, width, [&](int64_t i) { return i / positions % channels; })};
              },
              .c = kError};
  const auto add = [&](const std::string& name, const Dims& dims) {
    const double terms = double(num_elements(dims)) / double(std::max<int64_t>(dims[0], 1) * groups);
    test.cases.push_back({cat(name, "_of_", groups), {{dims}, {{dims[1]}}, {{dims[1]}}}, terms});
  };
  add("channels_only", {3, 4 * groups});
  add("image", {2, 2 * groups, 5, 7});
  add("each_channel_alone", {2, groups, 9});
  add("no_examples", {0, groups, 3});
  add("no_positions", {2, groups, 0});
  add("tile_plus_one", {1, groups, 129});
  return test;
}

std::vector<OpTest> rows() { return {layer_rows(), group_rows(1), group_rows(3)}; }

HEARTH_OP_TESTS(norms, rows)

TEST(Norms, errors) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {2, 6, 4}}), c4 = g.input("w", {DType::f32, {4}}),
              c6 = g.input("v", {DType::f32, {6}}), n = g.input("n", {DType::i32, {4}});
  EXPECT_EQ(message_of([&] { layer_norm(x, c6, c6); }),
            "layer_norm: weight and bias must be [4]\n  x is x f32[2,6,4]\n  weight is v f32[6]\n  bias is v f32[6]");
  EXPECT_EQ(message_of([&] { layer_norm(x, n, c4); }),
            "layer_norm: needs floats\n  x is x f32[2,6,4]\n  weight is n i32[4]\n  bias is w f32[4]");
  EXPECT_EQ(message_of([&] { group_norm(x, c6, c6, 4); }),
            "group_norm: 6 channels do not make 4 groups\n  x is x f32[2,6,4]");
  EXPECT_EQ(message_of([&] { group_norm(c4, c4, c4, 1); }), "group_norm: x needs axes [B, C, ...]; it is w f32[4]");
}

}  // namespace
}  // namespace hearth
