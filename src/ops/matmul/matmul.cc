// SPDX-License-Identifier: Apache-2.0
#include "ops/matmul/matmul.h"

#include <algorithm>

#include "base/error.h"
#include "ir/rules.h"
#include "ops/complex/complex_parts.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul_rule.h"
#include "ops/shape/shape.h"

namespace hearth {

Value dot_general(const Value& a, const Value& b, const DotAxes& axes) {
  return a.graph->add("dot_general", {a, b},
                      {{"lhs_batch", axes.a_batch},
                       {"rhs_batch", axes.b_batch},
                       {"lhs_contract", axes.a_contract},
                       {"rhs_contract", axes.b_contract}});
}

Value matmul(const Value& a, const Value& b, MatmulOptions options) {
  HEARTH_CHECK(a.rank() == 2 && b.rank() == 2, shape, "matmul: both inputs need 2 dimensions; a is ", a, ", b is ", b);
  const int64_t ka = options.transpose_a ? 0 : 1, kb = options.transpose_b ? 1 : 0;
  const char* flipped = options.transpose_b ? "false" : "true";
  HEARTH_CHECK(a.dim(ka) == b.dim(kb), shape, "matmul: inner sizes differ: ", a.dim(ka), " != ", b.dim(kb), "\n  a is ",
               a, "\n  b is ", b,
               a.dim(ka) == b.dim(1 - kb)
                   ? cat("\n  hint: b fits when transposed: matmul(a, b, {.transpose_b = ", flipped, "})")
                   : "");
  return dot_general(a, b, {.a_contract = {ka}, .b_contract = {kb}});
}

Value linear(const Value& x, const Value& weight) {
  HEARTH_CHECK(x.rank() >= 1 && weight.rank() == 2 && x.dim(-1) == weight.dim(1), shape, "linear: x needs ",
               weight.rank() == 2 ? weight.dim(1) : -1, " features\n  x is ", x, "\n  weight [out,in] is ", weight);
  return dot_general(x, convert(weight, x.dtype()), {.a_contract = {x.rank() - 1}, .b_contract = {1}});
}

// --- rules
// -------------------------------------------------------------------------------------------------------------

static DotShape dot_shape(const Attrs& attrs, const std::vector<Value>& in) {
  DotShape d;
  d.a_batch = attrs.list("lhs_batch");
  d.b_batch = attrs.list("rhs_batch");
  d.a_contract = attrs.list("lhs_contract");
  d.b_contract = attrs.list("rhs_contract");
  d.a_free = free_axes(in[0].rank(), d.a_batch, d.a_contract);
  d.b_free = free_axes(in[1].rank(), d.b_batch, d.b_contract);
  return d;
}

DotShape dot_shape(const Node& node) { return dot_shape(node.attrs, node.inputs); }

Dims free_axes(int64_t rank, const Dims& batch, const Dims& contract) {
  Dims free;
  for (int64_t i = 0; i < rank; ++i) {
    const auto is_i = [i](int64_t axis) { return axis == i; };
    if (std::none_of(batch.begin(), batch.end(), is_i) && std::none_of(contract.begin(), contract.end(), is_i))
      free.push_back(i);
  }
  return free;
}

static void check_axes(const InferArgs& args, const char* what, const Dims& a, const Dims& b) {
  HEARTH_CHECK(a.size() == b.size(), shape, args.op, ": ", what, " axes ", ShowDims{a}, " and ", ShowDims{b},
               " do not pair up\n  a is ", args.in[0], "\n  b is ", args.in[1]);
  for (size_t i = 0; i < a.size(); ++i) {
    HEARTH_CHECK(a[i] >= 0 && a[i] < args.in[0].rank() && b[i] >= 0 && b[i] < args.in[1].rank(), shape, args.op, ": ",
                 what, " axes ", ShowDims{a}, " and ", ShowDims{b}, " do not exist\n  a is ", args.in[0], "\n  b is ",
                 args.in[1]);
    HEARTH_CHECK(args.in[0].dim(a[i]) == args.in[1].dim(b[i]), shape, args.op, ": ", what,
                 " sizes differ: ", args.in[0].dim(a[i]), " != ", args.in[1].dim(b[i]), "\n  a is ", args.in[0],
                 "\n  b is ", args.in[1]);
  }
}

static void check_distinct(const InferArgs& args, Dims axes) {
  std::sort(axes.begin(), axes.end());
  HEARTH_CHECK(std::adjacent_find(axes.begin(), axes.end()) == axes.end(), shape, args.op,
               ": an axis is named twice\n  a is ", args.in[0], "\n  b is ", args.in[1]);
}

static Dims join(Dims a, const Dims& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value &a = args.in[0], &b = args.in[1];
  HEARTH_CHECK(a.dtype() == b.dtype(), dtype, args.op, ": dtypes differ\n  a is ", a, "\n  b is ", b);
  HEARTH_CHECK(a.dtype() != DType::boolean, dtype, args.op, ": needs numbers; a is ", a);
  const Dims &ab = args.attrs.list("lhs_batch"), &bb = args.attrs.list("rhs_batch");
  const Dims &ac = args.attrs.list("lhs_contract"), &bc = args.attrs.list("rhs_contract");
  check_axes(args, "batch", ab, bb);
  check_axes(args, "inner", ac, bc);
  check_distinct(args, join(ab, ac));
  check_distinct(args, join(bb, bc));
  Dims dims;
  for (int64_t i : ab) dims.push_back(a.dim(i));
  for (int64_t i : free_axes(a.rank(), ab, ac)) dims.push_back(a.dim(i));
  for (int64_t i : free_axes(b.rank(), bb, bc)) dims.push_back(b.dim(i));
  return {{a.dtype(), dims}};
}

// Result axes are [batch, a free, b free]. da contracts dC with b over b's free axes; what comes out as
// [batch, a free, contracted] is put back in a's order. db likewise, from the other side.
static Value grad_of(const Value& dc, const Value& other, const DotShape& d, bool self_is_a) {
  const int64_t nb = int64_t(d.a_batch.size()), na = int64_t(d.a_free.size());
  const Dims &batch = self_is_a ? d.a_batch : d.b_batch, &other_batch = self_is_a ? d.b_batch : d.a_batch;
  const Dims &free = self_is_a ? d.a_free : d.b_free, &other_free = self_is_a ? d.b_free : d.a_free;
  const Dims &contract = self_is_a ? d.a_contract : d.b_contract,
             &other_contract = self_is_a ? d.b_contract : d.a_contract;
  Dims dc_batch, dc_contract;
  for (int64_t i = 0; i < nb; ++i) dc_batch.push_back(i);
  for (size_t i = 0; i < other_free.size(); ++i) dc_contract.push_back(nb + (self_is_a ? na : 0) + int64_t(i));
  // For a: dC x b -> [batch, a free, contracted in b's order]; for b: a x dC -> [batch, contracted in a's order, b
  // free].
  const Value product = self_is_a ? dot_general(dc, other, {dc_batch, other_batch, dc_contract, other_free})
                                  : dot_general(other, dc, {other_batch, dc_batch, other_free, dc_contract});
  Dims sorted = other_contract, order;  // contracted axes come out in rising order of `other`
  std::sort(sorted.begin(), sorted.end());
  Dims contracted;
  for (int64_t axis : sorted) {
    contracted.push_back(
        contract[size_t(std::find(other_contract.begin(), other_contract.end(), axis) - other_contract.begin())]);
  }
  const Dims have = self_is_a ? join(join(batch, free), contracted) : join(join(batch, contracted), free);
  Dims permutation(have.size());
  bool same = true;
  for (size_t i = 0; i < have.size(); ++i) permutation[size_t(have[i])] = int64_t(i);
  for (size_t i = 0; i < have.size(); ++i) same = same && permutation[i] == int64_t(i);
  return same ? product : transpose(product, permutation);
}

static void grad(VjpArgs& v) {
  const DotShape d = dot_shape(v.attrs, v.in);
  if (v.wanted[0]) v.grad[0] = grad_of(v.cotangent[0], v.in[1], d, true);
  if (v.wanted[1]) v.grad[1] = grad_of(v.cotangent[0], v.in[0], d, false);
}

// d(A B) = dA B + A dB
static void jvp(JvpArgs& j) {
  const auto product = [&](const Value& a, const Value& b) { return j.graph.add("dot_general", {a, b}, j.node.attrs); };
  if (j.tangent[0].valid()) j.out_tangent[0] = product(j.tangent[0], j.in[1]);
  if (!j.tangent[1].valid()) return;
  const Value second = product(j.in[0], j.tangent[1]);
  j.out_tangent[0] = j.out_tangent[0].valid() ? j.out_tangent[0] + second : second;
}

// Two batched inputs: one more batch axis. One: its batch is one more free axis, so that weights that all examples
// share stay one matrix; it comes out among the free axes and is moved to the front.
static void batch(BatchArgs& b) {
  const DotShape d = dot_shape(b.node);
  const auto moved = [](const Dims& axes, bool batched) { return batched ? axes_after_batch(axes) : axes; };
  DotAxes axes{moved(d.a_batch, b.batched[0]), moved(d.b_batch, b.batched[1]), moved(d.a_contract, b.batched[0]),
               moved(d.b_contract, b.batched[1])};
  if (b.batched[0] && b.batched[1]) {
    axes.a_batch = with_first(0, axes.a_batch);
    axes.b_batch = with_first(0, axes.b_batch);
    b.out = {dot_general(b.in[0], b.in[1], axes)};
    return;
  }
  const Value product = dot_general(b.in[0], b.in[1], axes);
  const size_t at = d.a_batch.size() + (b.batched[0] ? 0 : d.a_free.size());
  Dims permutation;
  for (size_t i = 0; i < size_t(product.rank()); ++i) {
    if (i != at) permutation.push_back(int64_t(i));
  }
  b.out = {at == 0 ? product : transpose(product, with_first(int64_t(at), permutation))};
}

std::vector<OpInfo> matmul_ops() {
  OpInfo dot{.name = "dot_general",
             .doc = "sum of products over paired axes",
             .infer = infer,
             .vjp = grad,
             .jvp = jvp,
             .batch = batch};
  dot.expand = expand_complex_dot_general;
  dot.offers = {{"cpu", "matmul", nullptr}};
  // A matmul with what follows it, made by the compiler (compiler/epilogue.cc): C = A1 B1 [+ scale A2 B2] [+ addend].
  OpInfo fused{.name = "matmul_epilogue",
               .doc = "made by the compiler: matmul, low-rank update and addition in one pass",
               .infer = [](const InferArgs& args) -> std::vector<TensorType> {
                 return {{static_cast<DType>(args.attrs.integer("dtype")), args.attrs.list("shape")}};
               },
               .differentiable = false};
  fused.offers = {{"cpu", "matmul", nullptr}};
  return {dot, fused};
}

}  // namespace hearth
