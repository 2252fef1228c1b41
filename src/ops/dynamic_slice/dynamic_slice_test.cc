// SPDX-License-Identifier: Apache-2.0
#include "ops/dynamic_slice/dynamic_slice.h"

#include <algorithm>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "compiler/kernel_count_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// Starts are clamped so that the box lies inside.
Dims clamped(const std::vector<Reals>& in, size_t first, const Dims& outer, const Dims& box) {
  Dims starts;
  for (size_t i = 0; i < box.size(); ++i)
    starts.push_back(std::clamp<int64_t>(int64_t(in[first + i][0]), 0, outer[i] - box[i]));
  return starts;
}

Dims shifted(Dims index, const Dims& starts) {
  for (size_t i = 0; i < index.size(); ++i) index[i] += starts[i];
  return index;
}

void add_starts(OpCase& one, const std::vector<double>& starts) {
  for (const double start : starts) one.in.push_back({{}, 0, 0, DType::i32, {start}});
}

OpTest slice_test(const std::string& name, const Dims& x, const Dims& sizes, const std::vector<double>& starts) {
  OpTest test{.op = "dynamic_slice",
              .cases = {{name, {{x}}}},
              .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                return {dynamic_slice(in[0], {in.begin() + 1, in.end()}, sizes)};
              },
              .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
                Reals y(sizes);
                const Dims at = clamped(in, 1, x, sizes);
                for_each_index(sizes, [&](const Dims& index, int64_t i) { y[i] = in[0](shifted(index, at)); });
                return {y};
              }};
  add_starts(test.cases[0], starts);
  return test;
}

// With `own` the operand is computed in the graph and dies there, so that the update may happen in its memory.
OpTest update_test(const std::string& name, const Dims& x, const Dims& box, const std::vector<double>& starts,
                   bool own) {
  OpTest test{.op = "dynamic_update_slice",
              .cases = {{name, {{x}, {box}}}},
              .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                return {dynamic_update_slice(own ? in[0] + in[0] : in[0], in[1], {in.begin() + 2, in.end()})};
              },
              .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
                Reals y = in[0];
                for (double& v : y.at) v *= own ? 2 : 1;
                const Dims at = clamped(in, 2, x, box);
                for_each_index(box, [&](const Dims& index, int64_t i) { y(shifted(index, at)) = in[1][i]; });
                return {y};
              }};
  add_starts(test.cases[0], starts);
  return test;
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests = {slice_test("inside", {5, 7}, {2, 3}, {1, 2}),
                               slice_test("clamped_above", {5, 7}, {2, 3}, {9, 6}),
                               slice_test("clamped_below", {5, 7}, {2, 3}, {-4, -1}),
                               slice_test("extreme_starts", {5, 7}, {2, 3}, {2147483647, -2147483648.0}),
                               slice_test("whole", {4, 129}, {4, 129}, {0, 0}),
                               slice_test("nothing", {4, 3}, {0, 3}, {2, 0}),
                               slice_test("scalar", {}, {}, {}),
                               slice_test("of_empty", {0, 3}, {0, 2}, {0, 1}),
                               update_test("inside", {5, 7}, {2, 3}, {1, 2}, false),
                               update_test("in_place", {5, 7}, {2, 3}, {1, 2}, true),
                               update_test("clamped_above", {5, 7}, {2, 3}, {9, 6}, false),
                               update_test("clamped_below", {5, 7}, {2, 3}, {-4, -1}, true),
                               update_test("whole", {4, 129}, {4, 129}, {3, 3}, false),
                               update_test("nothing", {4, 3}, {4, 0}, {0, 2}, false),
                               update_test("row_of_cache", {2, 9, 2, 4}, {2, 1, 2, 4}, {0, 5, 0, 0}, true)};
  OpTest integers = slice_test("integers", {5, 7}, {2, 3}, {1, 2}),
         write = update_test("integers", {5, 7}, {2, 3}, {1, 2}, false);
  integers.dtypes = write.dtypes = {DType::i32, DType::u8, DType::i64, DType::boolean};
  for (OpTest* test : {&integers, &write}) {
    for (TestInput& in : test->cases[0].in) in.low = 0;
    tests.push_back(*test);
  }
  return tests;
}

HEARTH_OP_TESTS(dynamic_slice, rows)

TEST(DynamicSlice, no_examples_with_starts_of_their_own) {
  Graph graph;
  const Value x = graph.input("x", {DType::f32, {0, 4}}), at = graph.input("at", {DType::i32, {0}});
  const Function f = [](const Values& in) {
    const Value part = dynamic_slice(in[0], {in[1]}, {2});
    return Values{part, dynamic_update_slice(in[0], part, {in[1]})};
  };
  const Values y = vmap(f)({x, at});
  EXPECT_EQ(y[0].dims(), (Dims{0, 2}));
  EXPECT_EQ(y[1].dims(), (Dims{0, 4}));
}

// Starts of their own for 3 examples, one of them clamped: x[0..15] counts, the boxes are [2,2].
TEST(DynamicSlice, batched_starts_cost_one_kernel) {
  for (const bool shared_x : {false, true}) {
    Graph graph;
    const DType f32 = DType::f32, i32 = DType::i32;
    const Value x = iota(graph, f32, {16}, 0), row = graph.input("row", {i32, {3}}), one = constant(graph, 1, i32);
    const Value matrix = reshape(graph.input("x", {f32, {16}}) + x, {4, 4});
    const Value xs = shared_x ? matrix : broadcast_in_dim(matrix, {3, 4, 4}, {1, 2});
    const Function cut = [&](const Values& in) { return Values{dynamic_slice(in[0], {in[1], one}, {2, 2})}; };
    const Function write = [&](const Values& in) {
      return Values{dynamic_update_slice(in[0], constant(*in[0].graph, -1, f32, {2, 2}), {in[1], one})};
    };
    const BatchAxes axes = {shared_x ? std::nullopt : std::optional<int64_t>(0), 0};
    graph.output("cut", vmap(cut, axes)({xs, row})[0]);
    graph.output("written", vmap(write, axes)({xs, row})[0]);
    const Plan plan = compile(graph);
    EXPECT_EQ(count(plan, "gather"), 1);
    EXPECT_EQ(count(plan, "scatter"), 1);
    EXPECT_EQ(count(plan, "dynamic_slice") + count(plan, "dynamic_update_slice"), 0);
    const std::vector<Bytes> out =
        run_graph(graph, {to_bytes(i32, {1, 0, 9}), to_bytes(f32, std::vector<double>(16, 0.0))});
    EXPECT_EQ(to_doubles(f32, out[0]), (std::vector<double>{5, 6, 9, 10, 1, 2, 5, 6, 9, 10, 13, 14}));
    const std::vector<double> written = to_doubles(f32, out[1]);
    for (int64_t e = 0; e < 3; ++e)
      for (int64_t i = 0; i < 16; ++i) {
        const int64_t first = Dims{1, 0, 2}[size_t(e)];
        const bool inside = i / 4 >= first && i / 4 < first + 2 && (i % 4 == 1 || i % 4 == 2);
        EXPECT_EQ(written[size_t(e * 16 + i)], inside ? -1 : double(i)) << e << ' ' << i;
      }
  }
}

}  // namespace
}  // namespace hearth
