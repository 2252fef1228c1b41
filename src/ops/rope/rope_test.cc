// SPDX-License-Identifier: Apache-2.0
#include "ops/rope/rope.h"

#include <cmath>

#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

std::vector<Reals> definition(const std::vector<Reals>& in, const RopeOptions& options) {
  const Reals &x = in[0], &positions = in[1];
  Reals y = x;
  const int64_t half = int64_t(options.frequencies.size());
  for_each_index(x.dims, [&](const Dims& index, int64_t i) {
    const int64_t b = index[0], t = index[1], d = index[3];
    if (d >= 2 * half) return;
    const bool first = options.interleaved ? d % 2 == 0 : d < half;
    const int64_t pair = options.interleaved ? d / 2 : d % half, step = options.interleaved ? 1 : half;
    const double position = positions.dims.size() == 2 ? positions({b, t}) : positions({t});
    const double angle = position * options.frequencies[size_t(pair)] * (options.inverse ? -1 : 1);
    const double other = x({b, t, index[2], first ? d + step : d - step});
    y[i] = options.scale * (x[i] * std::cos(angle) + (first ? -other : other) * std::sin(angle));
  });
  return {y};
}

std::vector<double> frequencies(int64_t half) {
  std::vector<double> list;
  for (int64_t i = 0; i < half; ++i) list.push_back(float(std::pow(10000.0, -double(i) / double(half))));  // f32's
  return list;
}

constexpr double kLastPosition = 40;

// `part`: so many pairs of a head are turned; 0: all.
OpTest rope_test(const std::string& name, const Dims& x, bool each, RopeOptions options, int64_t part = 0,
                 bool known_later = false) {
  options.frequencies = frequencies(part ? part : x[3] / 2);
  const Dims positions = each ? Dims{x[0], x[1]} : Dims{x[1]};
  return {.op = "rope",
          .cases = {{name, {{x}, {positions, 0, kLastPosition + 1, DType::i32}}}},
          .build = [=](Graph& g, const std::vector<Value>& in) -> std::vector<Value> {
            if (!known_later) return {rope(in[0], in[1], options)};
            RopeOptions later{.scale = options.scale, .inverse = options.inverse};
            later.known_later =
                constant_list(g, options.frequencies, DType::f32, {int64_t(options.frequencies.size())});
            return {rope(in[0], in[1], later)};
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
          rope_test("neighbours", {2, 5, 3, 8}, false, {.interleaved = true}),
          rope_test("neighbours_of_each_batch", {2, 5, 3, 8}, true, {.interleaved = true}),
          rope_test("neighbours_backwards", {2, 5, 3, 8}, false, {.inverse = true, .interleaved = true}),
          rope_test("part", {2, 5, 3, 10}, false, {}, 3),
          rope_test("part_of_neighbours", {2, 5, 3, 10}, true, {.interleaved = true}, 3),
          rope_test("frequencies_of_the_run", {2, 5, 3, 8}, false, {.scale = 1.5}, 3, true),
          rope_test("head_size_100", {1, 5, 2, 100}, false, {}),
          rope_test("tile_plus_one", {1, 129, 1, 4}, false, {}),
          rope_test("no_tokens", {2, 0, 3, 8}, false, {}),
          rope_test("no_batch", {0, 3, 3, 8}, true, {})};
}

HEARTH_OP_TESTS(rope, rows)

}  // namespace
}  // namespace hearth
