// SPDX-License-Identifier: Apache-2.0
// An operation of one's own: y = c tanh(x / c), with shape rule, kernel, derivative and batching rule. It is computed,
// jitted, differentiated twice, batched, and kept in a plan that examples/run_custom_plan.cc runs without the compiler:
//   custom_operation softcap.plan && run_custom_plan softcap.plan
#include <iostream>

#include "array/jit.h"
#include "array/recording.h"
#include "base/error.h"
#include "compiler/compile.h"
#include "ir/op.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "plan/plan_file.h"
#include "softcap_kernel.h"

using namespace hearth;

static Value softcap(const Value& x, double c) { return x.graph->add("example.softcap", {x}, {{"c", c}}); }
static Array softcap(const Array& x, double c) {
  return record([c](const Value& v) { return softcap(v, c); }, x);
}
static Array total(const Array& x) {
  return record([](const Value& v) { return reduce_sum(v, {0}); }, x);
}

static OpInfo softcap_operation() {
  return {.name = "example.softcap",
          .doc = "c tanh(x / c)",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> {
            HEARTH_CHECK(is_float(args.in[0].dtype()), dtype, "softcap: needs floats; x is ", args.in[0]);
            HEARTH_CHECK(args.attrs.real("c") > 0, value, "softcap: c must be above 0; it is ", args.attrs.real("c"));
            return {args.in[0].type()};
          },
          // dx = dy (1 - (y / c)^2), made of operations that have derivatives themselves
          .vjp =
              [](VjpArgs& v) {
                const Value share = v.out[0] / v.attrs.real("c");
                v.grad[0] = v.cotangent[0] * (1 - share * share);
              },
          // For dtypes and devices without a kernel
          .decompose = [](Graph&, const std::vector<Value>& in, const Attrs& attrs) -> std::vector<Value> {
            const double c = attrs.real("c");
            return {c * tanh(in[0] / c)};
          },
          .batch = batch_same,  // a batch is one more axis
          .offers = {{.device = "cpu", .kernel = "example.softcap", .refuse = [](const Graph&, const Node& node) {
                        return node.types[0].dtype == DType::f32 ? "" : "example.softcap: the kernel takes f32";
                      }}}};
}

static void print(const char* what, const Array& x) {
  std::cout << what << ":";
  for (const float value : x.to_vector<float>()) std::cout << " " << value;
  std::cout << "\n";
}

int main(int argc, char** argv) try {
  register_softcap_kernel();
  register_op(softcap_operation());
  const auto f = [](const Array& x) { return softcap(x, 2); };
  const auto sum = [](const Array& x) { return total(softcap(x, 2)); };
  const auto slope = [](const Array& x) { return softcap(x, 2); };
  const Array x = array({-8.0f, -1.0f, 0.0f, 1.0f, 8.0f});
  print("softcap", f(x));
  print("jit", jit(f)(x));
  print("grad", jit(grad(sum))(x));
  print("second derivative", vmap(grad(grad(slope)))(x));
  print("vmap", vmap(sum)(array({{1.0f, 2.0f}, {3.0f, 4.0f}})));
  print("bf16, decomposed", f(x.astype(DType::bf16)));

  Graph graph;
  const Value in = graph.input("x", {DType::f32, {5}});
  const Value out = softcap(in, 2);
  graph.output("y", out);
  graph.output("dx", gradients(reduce_sum(out, {0}), {in})[0]);
  const Plan plan = compile(graph);
  for (const PlanInstruction& step : plan.instructions) std::cout << "plan: " << step.kernel << "\n";
  if (argc > 1) save_plan(plan, argv[1]);
} catch (const std::exception& error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
