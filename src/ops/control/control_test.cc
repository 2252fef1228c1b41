// SPDX-License-Identifier: Apache-2.0
#include "ops/control/control.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "ir/count_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"
#include "plan/plan_file.h"
#include "runtime/session.h"

namespace hearth {
namespace {

const DType f32 = DType::f32, i32 = DType::i32;

std::vector<double> run_one(Graph& graph, const std::vector<Bytes>& inputs, const CompileOptions& options = {}) {
  return to_doubles(graph.outputs()[0].value.dtype(), run_graph(graph, inputs, options)[0]);
}

// Collatz: how many steps until n is 1; state and condition, a captured value in both.
void build_collatz(Graph& graph) {
  const Value start = graph.input("start", {i32, {}}), one = graph.input("one", {i32, {}});
  const Values end = while_loop([&](const Values& s) { return compare("GT", s[0], one); },
                                [&](const Values& s) -> Values {
                                  const Value two = scalar_like(s[0], 2), half = s[0] / two;
                                  const Value odd = compare("NE", half * two, s[0]);
                                  return {select(odd, s[0] * scalar_like(s[0], 3) + one, half), s[1] + one};
                                },
                                {start, constant(graph, 0, i32)});
  graph.output("steps", end[1]);
}

TEST(ControlFlow, while_loops_until_its_condition_fails) {
  for (const std::vector<std::string>& devices : {std::vector<std::string>{"cpu", "reference"}, {"reference"}}) {
    Graph graph;
    build_collatz(graph);
    const auto steps = [&](double n) {
      return run_one(graph, {to_bytes(i32, {n}), to_bytes(i32, {1})}, {.devices = devices})[0];
    };
    EXPECT_EQ(steps(1), 0);
    EXPECT_EQ(steps(27), 111);
  }
}

TEST(ControlFlow, a_condition_for_each_example_is_computed_once_a_step) {
  Graph graph;
  const Value x = graph.input("x", {f32, {3}});
  const Function grow = [](const Values& in) {
    return while_loop([](const Values& s) { return compare("LT", exp(s[0]), scalar_like(s[0], 100)); },
                      [](const Values& s) -> Values { return {s[0] + 1.0}; }, {in[0]});
  };
  const Value y = vmap(grow)({x})[0];
  const Node& loop = graph.node(y);
  ASSERT_EQ(loop.op->name, "while");
  EXPECT_EQ(count(*loop.bodies[0], "exponential"), 0);
  EXPECT_EQ(count(*loop.bodies[1], "exponential"), 1);
  graph.output("y", y);
  EXPECT_EQ(run_one(graph, {to_bytes(f32, {0, 4.5, 7})}), (std::vector<double>{5, 5.5, 7}));
}

TEST(ControlFlow, state_values_may_swap_places) {
  Graph graph;
  const Value a = graph.input("a", {f32, {3}}), b = graph.input("b", {f32, {3}});
  const Values end = fori_loop(0, 5, [](const Value&, const Values& s) -> Values { return {s[1], s[0]}; }, {a, b});
  graph.output("first", end[0]);
  graph.output("again", a + end[0]);
  EXPECT_EQ(run_one(graph, {to_bytes(f32, {1, 2, 3}), to_bytes(f32, {4, 5, 6})}), (std::vector<double>{4, 5, 6}));
}

TEST(ControlFlow, only_the_branch_taken_runs_and_an_unknown_index_takes_the_last) {
  for (const auto& [index, wanted] :
       std::vector<std::pair<double, double>>{{0, 11}, {1, 20}, {2, 7}, {-1, 7}, {9, 7}}) {
    Graph graph;
    const Value x = graph.input("x", {f32, {}}), i = graph.input("i", {i32, {}});
    const Values y = switch_case(
        i, {[&]() -> Values { return {x + scalar_like(x, 1)}; }, [&]() -> Values { return {x * scalar_like(x, 2)}; },
            [&]() -> Values { return {constant(graph, 7)}; }});
    graph.output("y", y[0]);
    EXPECT_EQ(run_one(graph, {to_bytes(f32, {10}), to_bytes(i32, {index})})[0], wanted) << index;
  }
}

// Running sums of rows, forwards and backwards; the body captures a scale of the graph around it.
std::vector<double> running_sums(bool reverse) {
  Graph graph;
  const Value rows = graph.input("rows", {f32, {3, 2}}), scale = graph.input("scale", {f32, {}});
  const ScanBody body = [&](const Values& c, const Values& x) -> ScanResult {
    const Value sum = c[0] + x[0] * scale;
    return {{sum}, {sum}};
  };
  const ScanResult end = scan(graph, body, {constant(graph, 0, f32, {2})}, {rows}, {.reverse = reverse});
  graph.output("all", end.ys[0]);
  graph.output("last", end.carry[0]);
  return run_one(graph, {to_bytes(f32, {1, 2, 3, 4, 5, 6}), to_bytes(f32, {10})});
}
TEST(ControlFlow, scan_stacks_its_ys) {
  EXPECT_EQ(running_sums(false), (std::vector<double>{10, 20, 40, 60, 90, 120}));
  EXPECT_EQ(running_sums(true), (std::vector<double>{90, 120, 80, 100, 50, 60}));
}

TEST(ControlFlow, loops_nest_and_capture_through_each_other) {
  Graph graph;
  const Value x = graph.input("x", {f32, {}});
  const Values end = fori_loop(0, 3,
                               [&](const Value& i, const Values& outer) {
                                 return fori_loop(
                                     0, 4,
                                     [&](const Value& j, const Values& s) -> Values {
                                       return {s[0] + x + convert(i * j, f32) + outer[0] * scalar_like(x, 0)};
                                     },
                                     outer);
                               },
                               {constant(graph, 0)});
  graph.output("y", end[0]);
  EXPECT_EQ(run_one(graph, {to_bytes(f32, {0.5})})[0], 12 * 0.5 + (0 + 1 + 2) * (0 + 1 + 2 + 3));
}

TEST(ControlFlow, ten_thousand_steps_at_flat_memory) {
  Graph graph;
  const Value x = graph.input("x", {f32, {64}});
  const Values end = fori_loop(0, 10000, [&](const Value&, const Values& s) -> Values { return {s[0] + x}; },
                               {constant(graph, 0, f32, {64})});
  graph.output("y", end[0]);
  Session session(compile(graph));
  EXPECT_LT(session.arena_bytes(), 8192);
  EXPECT_EQ(run_one(graph, {to_bytes(f32, std::vector<double>(64, 1.0))})[7], 10000);
}

TEST(ControlFlow, plans_with_bodies_are_written_and_read) {
  Graph graph;
  build_collatz(graph);
  Session session(plan_from_bytes(plan_to_bytes(compile(graph)), "test"));
  int32_t start = 6, one = 1, steps = 0;
  session.bind_input("start", &start);
  session.bind_input("one", &one);
  session.run();
  session.read_output(0, &steps);
  EXPECT_EQ(steps, 8);
}

std::string refusal(const std::function<void(Graph&, const Value&)>& build) {
  Graph graph;
  try {
    build(graph, graph.input("x", {f32, {2}}));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ControlFlow, errors_are_thrown_at_the_call) {
  const auto always = [](const Values& s) { return compare("LT", reduce_sum(s[0], {0}), constant(*s[0].graph, 1)); };
  EXPECT_EQ(refusal([&](Graph&, const Value& x) {
              while_loop(always, [](const Values& s) -> Values { return {s[0], s[0]}; }, {x});
            }),
            "while: the body gives 2 values instead of 1");
  EXPECT_EQ(refusal([&](Graph&, const Value& x) {
              while_loop(always, [](const Values& s) -> Values { return {reduce_sum(s[0], {0})}; }, {x});
            }),
            "while: the body gives f32[] as value 0 instead of f32[2]");
  EXPECT_EQ(refusal([&](Graph&, const Value& x) {
              while_loop([](const Values& s) { return s[0]; }, [](const Values& s) { return s; }, {x});
            }),
            "while: the condition gives f32[2] as value 0 instead of bool[]");
  EXPECT_EQ(refusal([](Graph&, const Value& x) {
              cond(
                  x, [&]() -> Values { return {x}; }, [&]() -> Values { return {x}; });
            }),
            "cond: pred must be bool[]; it is x f32[2]");
  EXPECT_EQ(refusal([](Graph& g, const Value& x) {
              scan(g, [](const Values& c, const Values&) -> ScanResult { return {c, {}}; }, {x}, {});
            }),
            "scan: without xs it needs a length");
}

// --- rows of the operation table ------------------------------------------------------------------------------------

// x doubled until it is above 50; the definition counts in f64.
Values doubled(Graph&, const Values& in) {
  return while_loop([](const Values& s) { return compare("LT", s[0], scalar_like(s[0], 50)); },
                    [](const Values& s) -> Values { return {s[0] + s[0]}; }, {in[0]});
}
std::vector<Reals> doubled_definition(const std::vector<Reals>& in) {
  Reals y = in[0];
  while (y[0] < 50) y[0] += y[0];
  return {y};
}

Values branch(Graph&, const Values& in) {
  return switch_case(in[1],
                     {[&]() -> Values { return {in[0] * in[0]}; }, [&]() -> Values { return {exp(in[0]) * in[2]}; }});
}
std::vector<Reals> branch_definition(const std::vector<Reals>& in) {
  Reals y = in[0];
  for (size_t i = 0; i < y.at.size(); ++i)
    y.at[i] = in[1][0] == 0 ? y.at[i] * y.at[i] : std::exp(y.at[i]) * in[2].at[i];
  return {y};
}

// carry = carry * x_i + w, y_i = carry * x_i
ScanBody recurrence(const Value& w) {
  return [w](const Values& c, const Values& x) -> ScanResult {
    const Value next = c[0] * x[0] + w;
    return {{next}, {c[0] * x[0]}};
  };
}
Values scanned(Graph& graph, const Values& in) {
  const ScanResult end = scan(graph, recurrence(in[2]), {in[0]}, {in[1]});
  return {end.carry[0], end.ys[0]};
}
Values scanned_backwards(Graph& graph, const Values& in) {
  const ScanResult end = scan(graph, recurrence(in[2]), {in[0]}, {in[1]}, {.reverse = true});
  return {end.carry[0], end.ys[0]};
}
Values with_carries(Graph& graph, const Values& in) {
  scanned(graph, in);
  const Node node = graph.node(graph.size() - 1);
  return graph.add_all("scan_with_carries", node.inputs, node.attrs, node.bodies);
}

std::vector<Reals> scan_definition(const std::vector<Reals>& in, bool reverse, bool carries) {
  const int64_t n = in[1].dim(0), width = in[0].dim(0);
  Reals carry = in[0], ys({n, width}), before({n, width});
  for (int64_t step = 0; step < n; ++step) {
    const int64_t row = (reverse ? n - 1 - step : step) * width;
    for (int64_t i = 0; i < width; ++i) {
      before[row + i] = carry[i];
      ys[row + i] = carry[i] * in[1][row + i];
      carry[i] = ys[row + i] + in[2][i];
    }
  }
  return carries ? std::vector<Reals>{carry, ys, before} : std::vector<Reals>{carry, ys};
}

std::vector<OpTest> control_rows() {
  const std::vector<OpCase> scans = {{"rows", {{{3}}, {{4, 3}}, {{3}}}, 4},
                                     {"one_row", {{{17}}, {{1, 17}}, {{17}}}},
                                     {"no_rows", {{{2}}, {{0, 2}}, {{2}}}},
                                     {"empty", {{{0}}, {{3, 0}}, {{0}}}}};
  const auto forwards = [](const std::vector<Reals>& in) { return scan_definition(in, false, false); };
  const auto backwards = [](const std::vector<Reals>& in) { return scan_definition(in, true, false); };
  const auto kept = [](const std::vector<Reals>& in) { return scan_definition(in, false, true); };
  return {
      {.op = "while",
       .cases = {{"several_steps", {{{}, 1, 2}}, 8},
                 {"no_step", {{{}, 60, 70}}},
                 {"nan_ends_it", {{{}, 0, 0, {}, {NAN}}}}},
       .build = doubled,
       .definition = doubled_definition,
       .grad = false},
      {.op = "case",
       .cases = {{"first", {{{5}}, {{}, 0, 0, DType::i32, {0}}, {{5}}}},
                 {"last", {{{5}}, {{}, 0, 0, DType::i32, {1}}, {{5}}}}},
       .build = branch,
       .definition = branch_definition,
       .c = 4},
      {.op = "scan", .cases = scans, .build = scanned, .definition = forwards, .c = 4},
      {.op = "scan", .cases = scans, .build = scanned_backwards, .definition = backwards, .c = 4},
      {.op = "scan_with_carries", .cases = scans, .build = with_carries, .definition = kept, .c = 4},
  };
}

}  // namespace

HEARTH_OP_TESTS(control, control_rows)

}  // namespace hearth
