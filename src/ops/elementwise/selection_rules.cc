// SPDX-License-Identifier: Apache-2.0
// constant, iota; compare, select, clamp, convert, is_finite.
#include <numeric>

#include "base/error.h"
#include "ops/complex/complex_parts.h"
#include "ops/elementwise/elementwise.h"
#include "ops/elementwise/elementwise_rules.h"
#include "ops/elementwise/row_instructions.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

static TensorType declared_type(const InferArgs& args) {
  const int64_t dtype = args.attrs.integer("dtype");
  HEARTH_CHECK(dtype >= 0 && dtype < kDTypes, value, args.op, ": dtype number ", dtype, " does not exist");
  const Dims& dims = args.attrs.list("shape");
  for (int64_t d : dims) HEARTH_CHECK(d >= 0, shape, args.op, ": negative size in shape ", ShowDims{dims});
  return {static_cast<DType>(dtype), dims};
}

static OpInfo constant_op() {
  return {.name = "constant",
          .doc = "a splat or a list of numbers",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> {
            const TensorType type = declared_type(args);
            if (args.attrs.has("values")) {
              const int64_t count = is_inexact(type.dtype) ? int64_t(args.attrs.reals("values").size())
                                                           : int64_t(args.attrs.list("values").size());
              const int64_t wanted = type.elements() * (is_complex(type.dtype) ? 2 : 1);  // real, imaginary, real ...
              HEARTH_CHECK(count == wanted, shape, "constant: ", count, " values do not fill ", type);
            }
            return {type};
          },
          .expand = expand_complex,
          .row_kind = RowKind::constant,
          .differentiable = false};
}

static OpInfo iota_op() {
  return {.name = "iota",
          .doc = "index along an axis",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> {
            const TensorType type = declared_type(args);
            const int64_t axis = args.attrs.integer("dimension");
            HEARTH_CHECK(axis >= 0 && axis < type.rank(), value, "iota: axis ", axis, " does not exist in ", type);
            return {type};
          },
          .row_kind = RowKind::constant,
          .differentiable = false};
}

// -NaN < -infinity < ... < -0 < +0 < ... < infinity < NaN: the order of the bits as integers, those of negative numbers
// inverted but for the sign.
static Value ordered_bits(const Value& x) {
  const bool half = size_bytes(x.dtype()) == 2;  // widening keeps the order
  const Value wide = half ? convert(x, DType::f32) : x;
  const DType bits = wide.dtype() == DType::f64 ? DType::i64 : DType::i32;
  const Value i = bitcast_convert(wide, bits),
              width = constant(*x.graph, wide.dtype() == DType::f64 ? 63.0 : 31.0, bits);
  const Value negative = binary("shift_right_arithmetic", i, width);
  return binary("xor", i, binary("shift_right_logical", negative, constant(*x.graph, 1.0, bits)));
}

static bool is_total(const Attrs& attrs) {
  return attrs.has("compare_type") && attrs.text("compare_type") == "TOTALORDER";
}

static std::vector<Value> expand_compare(Graph& graph, const Node& node, const std::vector<Value>& in) {
  if (!is_total(node.attrs)) return expand_complex(graph, node, in);
  return {compare(node.attrs.text("direction").c_str(), ordered_bits(in[0]), ordered_bits(in[1]))};
}

static std::vector<TensorType> infer_compare(const InferArgs& args) {
  check_same(args);
  const DType t = args.in[0].dtype();
  const std::string& d = args.attrs.text("direction");
  HEARTH_CHECK(d == "EQ" || d == "NE" || d == "LT" || d == "LE" || d == "GT" || d == "GE", value,
               "compare: unknown direction '", d, "'");
  HEARTH_CHECK(!is_complex(t) || d == "EQ" || d == "NE", dtype,
               "compare: complex numbers have no order; only EQ and NE", "\n  a is ", args.in[0], "\n  b is ",
               args.in[1]);
  if (args.attrs.has("compare_type")) {
    const std::string& type = args.attrs.text("compare_type");
    const bool fits = type == "FLOAT"        ? is_inexact(t)
                      : type == "TOTALORDER" ? is_float(t)
                      : type == "SIGNED"     ? is_signed_int(t)
                      : type == "UNSIGNED"   ? is_unsigned_int(t) || t == DType::boolean
                                             : false;
    HEARTH_CHECK(fits, value, "compare: compare_type '", type, "' does not fit ", t, "\n  a is ", args.in[0],
                 "\n  b is ", args.in[1]);
  }
  return {{DType::boolean, args.in[0].dims()}};
}

static OpInfo compare_op() {
  return {.name = "compare",
          .doc = "element-wise comparison",
          .infer = infer_compare,
          .expand = expand_compare,
          .row_kind = RowKind::elementwise,
          .row_op =
              [](const Node& n) {
                return is_total(n.attrs) ? RowOp::none
                                         : compare_instruction(n.attrs.text("direction"), n.inputs[0].dtype());
              },
          .differentiable = false};
}

static std::vector<TensorType> infer_select(const InferArgs& args) {
  const Value &pred = args.in[0], &on_true = args.in[1], &on_false = args.in[2];
  HEARTH_CHECK(pred.dtype() == DType::boolean, dtype, "select: pred must be bool; it is ", pred);
  HEARTH_CHECK(on_true.type() == on_false.type(), shape, "select: branches differ\n  on_true is ", on_true,
               "\n  on_false is ", on_false);
  HEARTH_CHECK(pred.rank() == 0 || pred.dims() == on_true.dims(), shape,
               "select: pred and branches differ in shape\n  pred is ", pred, "\n  on_true is ", on_true);
  return {on_true.type()};
}

// Row programs want one shape: a scalar pred is repeated.
static bool has_scalar_pred(const Node& node) { return node.inputs[0].rank() == 0 && node.types[0].rank() > 0; }
static std::vector<Value> expand_select(Graph& graph, const Node& node, const std::vector<Value>& in) {
  if (!has_scalar_pred(node)) return expand_complex(graph, node, in);
  return {graph.add("select", {broadcast_to(in[0], in[1].dims()), in[1], in[2]})};
}

static OpInfo select_op() {
  return {
      .name = "select",
      .doc = "pred ? on_true : on_false",
      .infer = infer_select,
      .vjp =
          [](VjpArgs& v) {
            const Value zero = scalar_like(v.cotangent[0], 0);
            if (v.wanted[1]) v.grad[1] = select(v.in[0], v.cotangent[0], zero);
            if (v.wanted[2]) v.grad[2] = select(v.in[0], zero, v.cotangent[0]);
          },
      .expand = expand_select,
      .row_kind = RowKind::elementwise,
      .row_op = [](const Node& n) { return has_scalar_pred(n) ? RowOp::none : select_instruction(n.types[0].dtype); }};
}

// The bounds pass the cotangent where they are the result, x strictly between them, as in JAX.
static void grad_clamp(VjpArgs& v) {
  const Value &low = v.in[0], &x = v.in[1], &high = v.in[2], &dy = v.cotangent[0], zero = scalar_like(dy, 0);
  const auto part = [&](size_t i, const Value& where) {
    const Value kept = select(where, dy, zero);
    Dims all(v.in[i].rank() == 0 ? size_t(x.rank()) : 0);  // a scalar bound was used by all elements
    std::iota(all.begin(), all.end(), 0);
    if (v.wanted[i]) v.grad[i] = reduce_sum(kept, all);
  };
  part(0, compare("LT", x, low));
  part(1, binary("and", compare("GT", x, low), compare("LT", x, high)));
  part(2, compare("GT", x, high));
}

static OpInfo clamp_op() {
  return {.name = "clamp",
          .doc = "minimum(maximum(x, low), high)",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> {
            const Value& x = args.in[1];
            HEARTH_CHECK(!is_complex(x.dtype()), dtype, "clamp: needs numbers with an order; x is ", x);
            for (const Value& bound : {args.in[0], args.in[2]}) {
              HEARTH_CHECK(bound.dtype() == x.dtype(), dtype, "clamp: dtypes differ: ", bound.dtype(),
                           " != ", x.dtype(), "\n  a bound is ", bound, "\n  x is ", x);
              HEARTH_CHECK(bound.rank() == 0 || bound.dims() == x.dims(), shape,
                           "clamp: bounds must be scalars or of x's shape\n  a bound is ", bound, "\n  x is ", x);
            }
            return {x.type()};
          },
          .vjp = grad_clamp,
          .decompose = [](Graph&, const std::vector<Value>& in, const Attrs&) -> std::vector<Value> {
            return {minimum(maximum(in[1], in[0]), in[2])};
          },
          .row_kind = RowKind::elementwise,  // a batch is done at once
          .row_op = row_instruction_of};
}

static OpInfo convert_op() {
  return {.name = "convert",
          .doc = "change of dtype",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> {
            const int64_t dtype = args.attrs.integer("dtype");
            HEARTH_CHECK(dtype >= 0 && dtype < kDTypes, value, "convert: dtype number ", dtype, " does not exist");
            return {{static_cast<DType>(dtype), args.in[0].dims()}};
          },
          .vjp =
              [](VjpArgs& v) {
                if (is_inexact(v.in[0].dtype()) && is_inexact(v.out[0].dtype()))
                  v.grad[0] = convert(v.cotangent[0], v.in[0].dtype());
              },
          .expand = expand_complex,
          .jvp =
              [](JvpArgs& j) {
                if (is_inexact(j.out[0].dtype())) j.out_tangent[0] = convert(j.tangent[0], j.out[0].dtype());
              },
          .row_kind = RowKind::elementwise,
          .row_op = [](const Node& n) { return convert_instruction(n.inputs[0].dtype(), n.types[0].dtype); }};
}

static OpInfo is_finite_op() {
  return {.name = "is_finite",
          .doc = "neither infinite nor NaN",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> {
            HEARTH_CHECK(is_float(args.in[0].dtype()), dtype, "is_finite: needs a float; x is ", args.in[0]);
            return {{DType::boolean, args.in[0].dims()}};
          },
          .row_kind = RowKind::elementwise,
          .row_op = row_instruction_of,
          .differentiable = false};
}

std::vector<OpInfo> selection_ops() {
  return {constant_op(), iota_op(), compare_op(), select_op(), clamp_op(), convert_op(), is_finite_op()};
}

}  // namespace hearth
