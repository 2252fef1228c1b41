// SPDX-License-Identifier: Apache-2.0
// composite    inputs [in..., captured...]  attrs composite_name, version and those of its kernel  body {in...,
//              captured...}
// custom_call  inputs [in...]  attrs target, result_dtypes, result_ranks, result_dims and those of its kernel
#include "base/error.h"
#include "device/kernel.h"
#include "ir/inline.h"
#include "ops/regions/region_body.h"

namespace hearth {
namespace {

Types infer_composite(const InferArgs& args) {
  Types takes, gives;
  HEARTH_CHECK(args.bodies.size() == 1, value, args.op, ": needs the body; there are ", args.bodies.size(), " bodies");
  for (const Value& value : args.in) takes.push_back(value.type());
  for (const GraphOutput& output : args.bodies[0]->outputs()) gives.push_back(output.value.type());
  check_body(args, {.own = takes, .gives = gives});
  return gives;
}

Values decompose_composite(Graph& graph, const Node& node, const Values& in) {
  return inline_graph(innermost(graph), *node.bodies[0], in);
}

std::string refuse_composite(const Graph&, const Node& node) {
  const std::string& name = node.attrs.text("composite_name");
  return find_kernel("composite." + name) ? "" : cat("no kernel composite.", name);
}

Types infer_custom_call(const InferArgs& args) {
  const std::string& target = args.attrs.text("target");
  HEARTH_CHECK(find_kernel(target), value, "custom_call: no kernel is registered as '", target,
               "'\n  hint: register_kernel (device/register_kernel.h)");
  const Dims &dtypes = args.attrs.list("result_dtypes"), &ranks = args.attrs.list("result_ranks"),
             &dims = args.attrs.list("result_dims");
  Types types;
  size_t next = 0;
  HEARTH_CHECK(dtypes.size() == ranks.size() && !dtypes.empty(), value, "custom_call: '", target, "' gives nothing");
  for (size_t i = 0; i < dtypes.size(); ++i) {
    HEARTH_CHECK(next + size_t(ranks[i]) <= dims.size(), bug, "custom_call: sizes are missing");
    types.push_back({DType(dtypes[i]), Dims(dims.begin() + long(next), dims.begin() + long(next + size_t(ranks[i])))});
    next += size_t(ranks[i]);
  }
  return types;
}

[[noreturn]] void refuse_derivative(const Attrs& attrs) {
  HEARTH_FAIL(unsupported, "custom_call: '", attrs.text("target"), "' has no derivative",
              "\n  hint: give it one with custom_vjp (ops/custom_derivative)");
}

}  // namespace

OpInfo composite_op() {
  return {.name = "composite",
          .doc = "a function under a name that a device may have a kernel for",
          .infer = infer_composite,
          .decompose_node = decompose_composite,
          .offers = {{"cpu", "composite", refuse_composite}}};
}

OpInfo custom_call_op() {
  return {.name = "custom_call",
          .doc = "runs a kernel that the program registered",
          .infer = infer_custom_call,
          .vjp = [](VjpArgs& v) { refuse_derivative(v.attrs); },
          .jvp = [](JvpArgs& j) { refuse_derivative(j.node.attrs); },
          .offers = {{"cpu", "custom_call", nullptr}},
          .pure = false};
}

}  // namespace hearth
