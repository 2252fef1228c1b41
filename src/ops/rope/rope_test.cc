// SPDX-License-Identifier: Apache-2.0
#include "ops/rope/rope.h"

#include <cmath>

#include "ops/op_test.h"

namespace hearth {
namespace {

std::vector<Reals> definition(const std::vector<Reals>& in, const RopeOptions& options) {
  const Reals &x = in[0], &positions = in[1];
  Reals y(x.dims);
  const int64_t half = x.dim(3) / 2;
  for_each_index(x.dims, [&](const Dims& index, int64_t i) {
    const int64_t b = index[0], t = index[1], d = index[3];
    const bool first = d < half;
    const double position = positions.dims.size() == 2 ? positions({b, t}) : positions({t});
    const double angle = position * options.frequencies[size_t(d % half)] * (options.inverse ? -1 : 1);
    const double other = x({b, t, index[2], first ? d + half : d - half});
    y[i] = options.scale * (x[i] * std::cos(angle) + (first ? -other : other) * std::sin(angle));
  });
  return {y};
}

std::vector<double> frequencies(int64_t half) {
  std::vector<double> list;
  for (int64_t i = 0; i < half; ++i) list.push_back(std::pow(10000.0, -double(i) / double(half)));
  return list;
}

constexpr double kLastPosition = 40;

OpTest rope_test(const std::string& name, const Dims& x, bool each, RopeOptions options) {
  options.frequencies = frequencies(x[3] / 2);
  const Dims positions = each ? Dims{x[0], x[1]} : Dims{x[1]};
  return {.op = "rope",
          .cases = {{name, {{x}, {positions, 0, kLastPosition + 1, DType::i32}}}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {rope(in[0], in[1], options)};
          },
          .definition = [=](const std::vector<Reals>& in) { return definition(in, options); },
          .c = 2 + 2 * kLastPosition,  // angles are f32: their error grows with the position
          .grad_c = 2 + 2 * kLastPosition};
}

std::vector<OpTest> rows() {
  return {rope_test("one", {1, 1, 1, 2}, false, {}),
          rope_test("tokens", {2, 7, 3, 8}, false, {}),
          rope_test("positions_of_each_batch", {2, 7, 3, 8}, true, {}),
          rope_test("backwards", {2, 7, 3, 8}, false, {.frequencies = {}, .inverse = true}),
          rope_test("scaled", {2, 3, 2, 6}, true, {.frequencies = {}, .scale = 1.25}),
          rope_test("head_size_100", {1, 5, 2, 100}, false, {}),
          rope_test("tile_plus_one", {1, 129, 1, 4}, false, {}),
          rope_test("no_tokens", {2, 0, 3, 8}, false, {}),
          rope_test("no_batch", {0, 3, 3, 8}, true, {})};
}

HEARTH_OP_TESTS(rope, rows)

}  // namespace
}  // namespace hearth
