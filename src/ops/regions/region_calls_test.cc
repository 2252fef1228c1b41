// SPDX-License-Identifier: Apache-2.0
// Kernels that the program registers, which bodies are known, and the errors of bodies that do not fit.
#include <cmath>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "compiler/kernel_count_test.h"
#include "device/register_kernel.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/regions/regions.h"
#include "plan/plan_file.h"

namespace hearth {
namespace {

constexpr DType f32 = DType::f32, i32 = DType::i32;

// --- kernels of the program -----------------------------------------------------------------------------------------

void times_and_plus(const KernelArgs& args) {
  const int32_t* x = args.in[0].as<int32_t>();
  const int32_t by = int32_t(args.attrs.integer("by"));
  for (int64_t i = 0; i < args.in[0].type->elements(); ++i) {
    args.out[0].as<int32_t>()[i] = x[i] * by;
    args.out[1].as<int32_t>()[i] = x[i] + by;
  }
}
void plus_hundred(const KernelArgs& args) {
  for (int64_t i = 0; i < args.in[0].type->elements(); ++i)
    args.out[0].as<float>()[i] = args.in[0].as<float>()[i] + 100;
}
const bool registered = [] {
  register_kernel({"test.times_and_plus", times_and_plus});
  register_kernel({"composite.test.known", plus_hundred});
  return true;
}();

Values called(Graph& graph, const Values& in) {
  const TensorType type{i32, in[0].dims()};
  return custom_call(graph, {.target = "test.times_and_plus", .results = {type, type}, .attrs = {{"by", int64_t{3}}}},
                     {in[0]});
}
std::vector<Reals> called_definition(const std::vector<Reals>& in) {
  Reals times = in[0], plus = in[0];
  for (double& v : times.at) v *= 3;
  for (double& v : plus.at) v += 3;
  return {times, plus};
}
std::vector<OpTest> call_rows() {
  return {{.op = "custom_call",
           .cases = {{"two_results", {{{2, 5}, -9, 9}}}, {"empty", {{{0}}}}, {"scalar", {{{}}}}},
           .build = called,
           .definition = called_definition,
           .dtypes = {i32}}};
}

Values known(const Value& x) {
  return composite({.name = "test.known"}, [](const Values& in) -> Values { return {in[0] * in[0]}; }, {x});
}

TEST(Regions, composite_runs_a_kernel_of_its_name) {
  ASSERT_TRUE(registered);
  for (const auto& [devices, wanted] :
       std::vector<std::pair<std::vector<std::string>, double>>{{{"cpu", "reference"}, 103}, {{"reference"}, 9}}) {
    Graph graph;
    graph.output("y", known(graph.input("x", {f32, {1}}))[0]);
    EXPECT_EQ(to_doubles(f32, run_graph(graph, {to_bytes(f32, {3})}, {.devices = devices})[0])[0], wanted);
  }
}
TEST(Regions, derivative_of_a_composite_with_a_kernel_is_its_body_s) {
  Graph graph;
  const Value x = graph.input("x", {f32, {}});
  graph.output("dx", gradients(known(x)[0], {x})[0]);
  EXPECT_EQ(to_doubles(f32, run_graph(graph, {to_bytes(f32, {3})})[0])[0], 6);
}
TEST(Regions, plan_with_a_custom_call_is_written_and_read) {
  Graph graph;
  const Values y = called(graph, {graph.input("x", {i32, {2}})});
  graph.output("y", y[1]);
  EXPECT_EQ(count(plan_from_bytes(plan_to_bytes(compile(graph)), "test"), "custom_call"), 1);
}

// --- bodies that are known ------------------------------------------------------------------------------------------

int steps(const std::function<Value(const Value&)>& build, const std::string& kernel) {
  Graph graph;
  graph.output("y", build(graph.input("x", {f32, {64}})));
  const Plan plan = compile(graph);
  return plan.instructions.size() == 1 ? count(plan, kernel) : -1;
}

// As JAX writes it: one zero, one NaN, total order.
Value as_jax_sorts(const Value& x) {
  const Value zero = scalar_like(x, 0), positive = select(compare("EQ", x, zero), zero, x);
  return select(compare("NE", positive, positive), scalar_like(x, NAN), positive);
}

TEST(Regions, known_bodies_cost_one_kernel) {
  const auto maximum_of = [](const Values& a, const Values& b) -> Values { return {maximum(b[0], a[0])}; };
  const auto init = [](const Value& x) { return constant(*x.graph, -INFINITY, x.dtype()); };
  EXPECT_EQ(steps([&](const Value& x) { return reduce_with_body({x}, {init(x)}, {0}, maximum_of)[0]; }, "row_program"),
            1);
  EXPECT_EQ(steps(
                [&](const Value& x) {
                  return reduce_window_with_body({x}, {init(x)}, {.size = {3}, .padding_low = {1}}, maximum_of)[0];
                },
                "reduce_window"),
            1);
  const auto sorted = [](const Comparator& before) {
    return steps([&](const Value& x) { return sort_with_body({x}, 0, before)[0]; }, "sort_keys");
  };
  EXPECT_EQ(sorted([](const Values& a, const Values& b) { return compare("GT", a[0], b[0]); }), 1);
  EXPECT_EQ(sorted([](const Values& a, const Values& b) {
              return compare("LT", as_jax_sorts(a[0]), as_jax_sorts(b[0]), true);
            }),
            1);
}

std::vector<double> sorted_by(const Comparator& before) {
  Graph graph;
  graph.output("y", sort_with_body({graph.input("x", {f32, {6}})}, 0, before)[0]);
  return to_doubles(f32, run_graph(graph, {to_bytes(f32, {NAN, 0.0, -0.0, 2, -NAN, -INFINITY})})[0]);
}

TEST(Regions, total_order_has_two_zeros_and_two_ends_of_nan) {
  const std::vector<double> y =
      sorted_by([](const Values& a, const Values& b) { return compare("LT", a[0], b[0], true); });
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[5]));
  EXPECT_EQ(y[1], -INFINITY);
  EXPECT_TRUE(y[2] == 0 && std::signbit(y[2]) && y[3] == 0 && !std::signbit(y[3]));
}
TEST(Regions, jax_s_order_has_one_zero_and_nan_last) {
  const std::vector<double> y = sorted_by(
      [](const Values& a, const Values& b) { return compare("LT", as_jax_sorts(a[0]), as_jax_sorts(b[0]), true); });
  EXPECT_EQ(y[0], -INFINITY);
  EXPECT_TRUE(!std::signbit(y[1]) && std::signbit(y[2]));  // as they stood
  EXPECT_TRUE(std::isnan(y[4]) && std::isnan(y[5]));
}

// A comparator that is no order must not lose elements or hang.
TEST(Regions, a_comparator_that_is_no_order_permutes) {
  std::vector<double> y = sorted_by([](const Values& a, const Values&) { return compare("EQ", a[0], a[0]); });
  double sum = 0;
  for (const double v : y) sum += std::isfinite(v) ? v : 1000;
  EXPECT_EQ(sum, 3002);
}

// --- errors ---------------------------------------------------------------------------------------------------------

std::string refusal(const std::function<void(Graph&, const Value&)>& build) {
  Graph graph;
  try {
    build(graph, graph.input("x", {f32, {4}}));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Regions, errors_name_what_a_body_should_take_and_give) {
  const auto zero = [](Graph& g) { return constant(g, 0); };
  EXPECT_EQ(
      refusal([&](Graph& g, const Value& x) {
        reduce_with_body({x}, {zero(g)}, {0}, [](const Values& a, const Values& b) { return Values{a[0], b[0]}; });
      }),
      "reduce_with_body: the body gives 2 values instead of 1");
  EXPECT_EQ(refusal([&](Graph& g, const Value& x) {
              reduce_with_body({x}, {zero(g)}, {0},
                               [](const Values& a, const Values& b) { return Values{compare("LT", a[0], b[0])}; });
            }),
            "reduce_with_body: the body gives bool[] as value 0 instead of f32[]");
  EXPECT_EQ(refusal([&](Graph& g, const Value& x) {
              reduce_with_body({x}, {constant(g, 0, i32)}, {0}, [](const Values& a, const Values&) { return a; });
            }),
            "reduce_with_body: init 0 is i32[]; it must be a scalar of operand 0's dtype, f32");
  EXPECT_EQ(refusal([&](Graph& g, const Value& x) {
              reduce_with_body({x}, {zero(g)}, {1}, [](const Values& a, const Values&) { return a; });
            }),
            "reduce_with_body: axes [1] must rise and exist in x x f32[4]");
  EXPECT_EQ(refusal([&](Graph&, const Value& x) {
              sort_with_body({x}, 0, [](const Values& a, const Values&) { return a[0]; });
            }),
            "sort_with_body: the body gives f32[] as value 0 instead of bool[]");
  EXPECT_EQ(refusal([&](Graph&, const Value& x) { map_elements([&](const Values&) { return Values{x}; }, {x}); }),
            "map: the body gives f32[4] as value 0 instead of f32[]");
  EXPECT_EQ(refusal([&](Graph& g, const Value& x) {
              select_and_scatter_with_body(x, x, zero(g),
                                           {.window = {},
                                            .select = [](const Value& a, const Value&) { return a; },
                                            .scatter = [](const Value& a, const Value&) { return a; }});
            }),
            "select_and_scatter_with_body: select gives f32[] as value 0 instead of bool[]");
  // As a reader of a file would build it: a body that was made for something else.
  EXPECT_EQ(refusal([&](Graph& g, const Value& x) {
              const auto body = std::make_shared<Graph>();
              body->output("y", body->input("x", {f32, {4}}));
              g.add("map", {x}, {{"operands", int64_t{1}}}, {body});
            }),
            "map: the body takes f32[4] as value 0 instead of f32[]");
}

TEST(Regions, errors_of_calls) {
  EXPECT_EQ(
      refusal([](Graph& g, const Value& x) { custom_call(g, {.target = "test.none", .results = {x.type()}}, {x}); }),
      "custom_call: no kernel is registered as 'test.none'\n  hint: register_kernel (device/register_kernel.h)");
  EXPECT_EQ(refusal([](Graph& g, const Value& x) {
              const Values y = custom_call(g, {.target = "composite.test.known", .results = {{f32, {}}}}, {x});
              gradients(y[0], {x});
            }),
            "custom_call: 'composite.test.known' has no derivative\n"
            "  hint: give it one with custom_vjp (ops/custom_derivative)\n  in grad");
}

}  // namespace

HEARTH_OP_TESTS(region_calls, call_rows)

}  // namespace hearth
