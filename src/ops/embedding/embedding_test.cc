// SPDX-License-Identifier: Apache-2.0
#include "ops/embedding/embedding.h"

#include <cmath>
#include <limits>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/threads.h"
#include "compiler/compile.h"
#include "compiler/kernel_count_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"

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

// dtable[v,:] = sum over n with ids[n] = v of dy[n,:], for a table of kRows
constexpr int64_t kRows = 9;
std::vector<Reals> gradient_definition(const std::vector<Reals>& in) {
  const int64_t width = in[0].dim(-1);
  Reals table({kRows, width});
  for (size_t n = 0; n < in[1].at.size(); ++n) {
    const int64_t id = int64_t(in[1].at[n]);
    if (id < 0 || id >= kRows) continue;
    for (int64_t c = 0; c < width; ++c) table[id * width + c] += in[0][int64_t(n) * width + c];
  }
  return {table};
}

OpTest gradient_test() {
  OpTest test{.op = "embedding_grad",
              .build = [](Graph& g, const std::vector<Value>& in) -> std::vector<Value> {
                return {g.add("embedding_grad", in, {{"rows", kRows}})};
              },
              .definition = gradient_definition};
  const auto add = [&](const std::string& name, const Dims& ids, int64_t width, std::vector<double> values = {}) {
    Dims dy = ids;
    dy.push_back(width);
    test.cases.push_back({name, {{dy}, {ids, 0, double(kRows), DType::i32, values}}, double(num_elements(ids))});
  };
  add("one", {1}, 1);
  add("tokens", {2, 5}, 7);
  add("scalar_id", {}, 7);
  add("many_ids", {300}, 3);
  add("tile_minus_one", {5}, 255);
  add("tile_plus_one", {5}, 257);
  add("same_id_often", {6}, 3, {2, 2, 2, 0, 2, 4});
  add("outside", {6}, 3, {-1, 9, 8, 0, 2147483647, -2147483648.0});
  add("no_ids", {0}, 3);
  add("no_columns", {4}, 0);
  // A row that no id names must not enter.
  test.cases.push_back(
      {"nan_of_an_id_outside",
       {{{3, 2}, 0, 0, {}, {1, 2, std::nan(""), INFINITY, 3, 4}}, {{3}, 0, 0, DType::i32, {1, 100, 1}}},
       2,
       false});
  return test;
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
  return {test, gradient_test()};
}

HEARTH_OP_TESTS(embedding, rows)

// Many ids and rows, so that several threads work: the same bits for any number of them, and 4096 equal terms in bf16
// keep growing.
TEST(Embedding, gradient_has_the_same_bits_for_any_number_of_threads) {
  Graph g;
  const Value dy = g.input("dy", {DType::bf16, {8192, 16}}), ids = g.input("ids", {DType::i32, {8192}});
  g.output("dtable", g.add("embedding_grad", {dy, ids}, {{"rows", int64_t(5000)}}));
  std::vector<double> values, numbers;
  for (int64_t i = 0; i < 8192; ++i) numbers.push_back(i % 2 ? 7 : std::floor(random_unit(1, uint64_t(i)) * 5000));
  for (int64_t i = 0; i < 8192 * 16; ++i) values.push_back((i / 16) % 2 ? 1 : random_unit(2, uint64_t(i)) - 0.5);
  const std::vector<Bytes> inputs = {to_bytes(DType::bf16, values), to_bytes(DType::i32, numbers)};
  const int threads = num_threads();
  const std::vector<Bytes> usual = run_graph(g, inputs);
  set_num_threads(1);
  const std::vector<Bytes> alone = run_graph(g, inputs);
  set_num_threads(threads);
  EXPECT_EQ(usual, alone);
  EXPECT_NEAR(to_doubles(DType::bf16, alone[0])[7 * 16], 4096, 16);
}

TEST(Embedding, gradient_is_one_kernel) {
  Graph g;
  const Value table = g.input("table", {DType::f32, {50, 8}}), ids = g.input("ids", {DType::i32, {4, 6}});
  const Value y = embedding(table, ids);
  g.output("dtable", gradients(reduce_sum(y * y, {0, 1, 2}), {table})[0]);
  const Plan plan = compile(g);
  EXPECT_EQ(count(plan, "embedding_grad"), 1);
  EXPECT_LT(plan.live_bytes_max, 3 * 24 * 8 * 4 + 50 * 8 * 4 + 2048);  // no [ids,C,V] anywhere
}

}  // namespace
}  // namespace hearth
