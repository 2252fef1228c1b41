// SPDX-License-Identifier: Apache-2.0
#include "ops/embedding/embedding.h"

#include <cmath>
#include <limits>

#include "ops/op_test.h"

namespace hearth {
namespace {

std::vector<Reals> definition(const std::vector<Reals>& in) {
  Dims dims = in[1].dims;
  const int64_t rows = in[0].dim(0), width = in[0].dim(1);
  dims.push_back(width);
  Reals y(dims);
  for (size_t n = 0; n < in[1].at.size(); ++n) {
    const int64_t id = int64_t(in[1].at[n]);
    if (id < 0 || id >= rows) continue;
    for (int64_t c = 0; c < width; ++c) y[int64_t(n) * width + c] = in[0][id * width + c];
  }
  return {y};
}

std::vector<OpTest> rows() {
  OpTest test{
      .op = "embedding",
      .build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {embedding(in[0], in[1])}; },
      .definition = definition};
  const auto add = [&](const std::string& name, const Dims& table, const Dims& ids, std::vector<double> values = {}) {
    test.cases.push_back({name, {{table}, {ids, 0, double(table[0]), DType::i32, values}}, double(num_elements(ids))});
  };
  add("one", {1, 1}, {1});
  add("tokens", {11, 7}, {2, 5});
  add("scalar_id", {11, 7}, {});
  add("tile_plus_one", {9, 129}, {3});
  add("same_id_often", {5, 3}, {6}, {2, 2, 2, 0, 2, 4});
  add("outside", {5, 3}, {6}, {-1, 5, 4, 0, 2147483647, -2147483648.0});
  add("no_ids", {5, 3}, {0});
  add("no_columns", {5, 0}, {4});
  add("no_rows", {0, 3}, {2}, {0, 1});
  // Another row's NaN must not enter.
  const double nan = std::nan("");
  test.cases.push_back({"nan_in_another_row",
                        {{{3, 2}, 0, 0, {}, {nan, std::numeric_limits<double>::infinity(), 1, 2, 3, nan}},
                         {{2}, 0, 0, DType::i32, {1, 2}}},
                        1,
                        false});
  return {test};
}

HEARTH_OP_TESTS(embedding, rows)

}  // namespace
}  // namespace hearth
