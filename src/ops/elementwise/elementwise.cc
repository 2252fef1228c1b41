// SPDX-License-Identifier: Apache-2.0
#include "ops/elementwise/elementwise.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise_table.h"
#include "ops/elementwise/row_instructions.h"
#include "ops/shape/shape.h"

namespace hearth {

// --- functions ------------------------------------------------------------------------------------------------------

Value constant(Graph& graph, double value, DType dtype, const Dims& dims) {
  const Attrs::Item item = is_float(dtype) ? Attrs::Item(value) : Attrs::Item(static_cast<int64_t>(value));
  return graph.add("constant", {}, {{"value", item}, {"dtype", int64_t(dtype)}, {"shape", dims}});
}

Value constant_list(Graph& graph, const std::vector<double>& values, DType dtype, const Dims& dims) {
  Attrs::Item item = values;
  if (!is_float(dtype)) item = std::vector<int64_t>(values.begin(), values.end());
  return graph.add("constant", {}, {{"values", item}, {"dtype", int64_t(dtype)}, {"shape", dims}});
}

Value iota(Graph& graph, DType dtype, const Dims& dims, int64_t axis) {
  return graph.add("iota", {}, {{"dimension", axis}, {"dtype", int64_t(dtype)}, {"shape", dims}});
}

Value scalar_like(const Value& x, double value) { return broadcast_to(constant(*x.graph, value, x.dtype()), x.dims()); }

Value unary(const char* op, const Value& x) { return x.graph->add(op, {x}); }

// NumPy's rule: align at the right, a 1 stretches.
static Dims broadcast_dims(const char* op, const Value& a, const Value& b) {
  const int64_t rank = std::max(a.rank(), b.rank());
  Dims dims(size_t(rank), 1);
  for (int64_t i = 0; i < rank; ++i) {
    const int64_t ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const int64_t da = ia < 0 ? 1 : a.dim(ia), db = ib < 0 ? 1 : b.dim(ib);
    HEARTH_CHECK(da == db || da == 1 || db == 1, shape, op, ": shapes do not broadcast: ", da, " != ", db,
                 " along axis ", i, "\n  a is ", a, "\n  b is ", b);
    dims[size_t(i)] = da == 1 ? db : da;
  }
  return dims;
}

Value binary(const char* op, const Value& a, const Value& b) {
  if (a.dims() == b.dims()) return a.graph->add(op, {a, b});
  const Dims dims = broadcast_dims(op, a, b);
  return a.graph->add(op, {broadcast_to(a, dims), broadcast_to(b, dims)});
}

Value convert(const Value& x, DType dtype) {
  return x.dtype() == dtype ? x : x.graph->add("convert", {x}, {{"dtype", int64_t(dtype)}});
}

Value select(const Value& pred, const Value& on_true, const Value& on_false) {
  const Dims dims = broadcast_dims("select", on_true, on_false);
  return pred.graph->add("select",
                         {broadcast_to(pred, dims), broadcast_to(on_true, dims), broadcast_to(on_false, dims)});
}

Value compare(const char* direction, const Value& a, const Value& b) {
  const Dims dims = broadcast_dims("compare", a, b);
  return a.graph->add("compare", {broadcast_to(a, dims), broadcast_to(b, dims)},
                      {{"direction", std::string(direction)}});
}

// --- derivative helpers named in the table
// ----------------------------------------------------------------------------

// 1 where `a direction b`, 1/2 at ties, else 0: maximum and minimum share the cotangent at ties, as JAX does.
static Value winner(const char* direction, const Value& a, const Value& b) {
  return select(compare(direction, a, b), scalar_like(a, 1),
                select(compare("EQ", a, b), scalar_like(a, 0.5), scalar_like(a, 0)));
}

// log a, but 0 where a is 0: x^y has derivative 0 in y there, not NaN.
static Value log_or_zero(const Value& a) {
  const Value zero = compare("EQ", a, scalar_like(a, 0));
  return log(select(zero, scalar_like(a, 1), a));
}

static Value truncated_quotient(const Value& a, const Value& b) {
  const Value q = a / b;
  return unary("sign", q) * unary("floor", unary("abs", q));
}

// --- shape rules
// -------------------------------------------------------------------------------------------------------

static void check_same(const InferArgs& args) {
  for (size_t i = 1; i < args.in.size(); ++i) {
    HEARTH_CHECK(args.in[i].dtype() == args.in[0].dtype(), dtype, args.op, ": dtypes differ: ", args.in[0].dtype(),
                 " != ", args.in[i].dtype(), "\n  a is ", args.in[0], "\n  b is ", args.in[i]);
    HEARTH_CHECK(args.in[i].dims() == args.in[0].dims(), shape, args.op, ": shapes differ\n  a is ", args.in[0],
                 "\n  b is ", args.in[i]);
  }
}

static auto same_type_rule(bool (*allowed)(DType), const char* wanted) {
  return [allowed, wanted](const InferArgs& args) -> std::vector<TensorType> {
    check_same(args);
    HEARTH_CHECK(allowed(args.in[0].dtype()), dtype, args.op, ": needs ", wanted, "; x is ", args.in[0]);
    return {args.in[0].type()};
  };
}

static bool is_number(DType t) { return t != DType::boolean; }
static bool is_signed(DType t) { return is_float(t) || is_signed_int(t); }
static bool is_bits(DType t) { return !is_float(t); }

static TensorType declared_type(const InferArgs& args) {
  const int64_t dtype = args.attrs.integer("dtype");
  HEARTH_CHECK(dtype >= 0 && dtype < kDTypes, value, args.op, ": dtype number ", dtype, " does not exist");
  const Dims& dims = args.attrs.list("shape");
  for (int64_t d : dims) HEARTH_CHECK(d >= 0, shape, args.op, ": negative size in shape ", ShowDims{dims});
  return {static_cast<DType>(dtype), dims};
}

// --- the operations
// ----------------------------------------------------------------------------------------------------

using Derivative = Value (*)(const Value& x, const Value& y);
using Derivative2 = Value (*)(const Value& a, const Value& b, const Value& y);

static OpInfo unary_op(const char* name, bool (*allowed)(DType), const char* wanted, Derivative derivative) {
  return {.name = name,
          .doc = "element-wise",
          .infer = same_type_rule(allowed, wanted),
          .vjp = [derivative](VjpArgs& v) { v.grad[0] = v.cotangent[0] * derivative(v.in[0], v.out[0]); },
          .row_kind = RowKind::elementwise,
          .row_op = row_instruction_of};
}

static OpInfo binary_op(const char* name, bool (*allowed)(DType), const char* wanted, Derivative2 da, Derivative2 db) {
  OpInfo op{.name = name,
            .doc = "element-wise",
            .infer = same_type_rule(allowed, wanted),
            .row_kind = RowKind::elementwise,
            .row_op = row_instruction_of};
  if (!da) {
    op.differentiable = false;
    return op;
  }
  op.vjp = [da, db](VjpArgs& v) {
    if (v.wanted[0]) v.grad[0] = v.cotangent[0] * da(v.in[0], v.in[1], v.out[0]);
    if (v.wanted[1]) v.grad[1] = v.cotangent[0] * db(v.in[0], v.in[1], v.out[0]);
  };
  return op;
}

// add and subtract pass the cotangent on, without a multiplication by one.
static OpInfo linear_op(const char* name, double sign) {
  OpInfo op =
      binary_op(name, name == std::string("add") ? [](DType) { return true; } : is_number, "numbers", nullptr, nullptr);
  op.differentiable = true;
  op.vjp = [sign](VjpArgs& v) {
    v.grad[0] = v.cotangent[0];
    if (v.wanted[1]) v.grad[1] = sign > 0 ? v.cotangent[0] : -v.cotangent[0];
  };
  return op;
}

static OpInfo constant_op() {
  return {.name = "constant",
          .doc = "a splat or a list of numbers",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> {
            const TensorType type = declared_type(args);
            if (args.attrs.has("values")) {
              const int64_t count = is_float(type.dtype) ? int64_t(args.attrs.reals("values").size())
                                                         : int64_t(args.attrs.list("values").size());
              HEARTH_CHECK(count == type.elements(), shape, "constant: ", count, " values do not fill ", type);
            }
            return {type};
          },
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

static OpInfo compare_op() {
  return {.name = "compare",
          .doc = "element-wise comparison",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> {
            check_same(args);
            const std::string& d = args.attrs.text("direction");
            HEARTH_CHECK(d == "EQ" || d == "NE" || d == "LT" || d == "LE" || d == "GT" || d == "GE", value,
                         "compare: unknown direction '", d, "'");
            return {{DType::boolean, args.in[0].dims()}};
          },
          .row_kind = RowKind::elementwise,
          .row_op = [](const Node& n) { return compare_instruction(n.attrs.text("direction"), n.inputs[0].dtype()); },
          .differentiable = false};
}

static OpInfo select_op() {
  return {.name = "select",
          .doc = "pred ? on_true : on_false",
          .infer = [](const InferArgs& args) -> std::vector<TensorType> {
            HEARTH_CHECK(args.in[0].dtype() == DType::boolean, dtype, "select: pred must be bool; it is ", args.in[0]);
            HEARTH_CHECK(args.in[1].type() == args.in[2].type(), shape, "select: branches differ\n  on_true is ",
                         args.in[1], "\n  on_false is ", args.in[2]);
            HEARTH_CHECK(args.in[0].dims() == args.in[1].dims(), shape,
                         "select: pred and branches differ in shape\n  pred is ", args.in[0], "\n  on_true is ",
                         args.in[1]);
            return {args.in[1].type()};
          },
          .vjp =
              [](VjpArgs& v) {
                const Value zero = scalar_like(v.cotangent[0], 0);
                if (v.wanted[1]) v.grad[1] = select(v.in[0], v.cotangent[0], zero);
                if (v.wanted[2]) v.grad[2] = select(v.in[0], zero, v.cotangent[0]);
              },
          .row_kind = RowKind::elementwise,
          .row_op = [](const Node& n) { return select_instruction(n.types[0].dtype); }};
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
                if (is_float(v.in[0].dtype()) && is_float(v.out[0].dtype()))
                  v.grad[0] = convert(v.cotangent[0], v.in[0].dtype());
              },
          .jvp =
              [](JvpArgs& j) {
                if (is_inexact(j.out[0].dtype())) j.out_tangent[0] = convert(j.tangent[0], j.out[0].dtype());
              },
          .row_kind = RowKind::elementwise,
          .row_op = [](const Node& n) { return convert_instruction(n.inputs[0].dtype(), n.types[0].dtype); }};
}

static OpInfo input_op() {
  return {.name = "input",
          .doc = "an input of the graph",
          .infer = [](const InferArgs&) -> std::vector<TensorType> {
            HEARTH_FAIL(bug, "inputs are added with Graph::input");
          },
          .pure = false};
}

std::vector<OpInfo> elementwise_ops() {
  std::vector<OpInfo> ops = {input_op(), constant_op(), iota_op(), compare_op(), select_op(), convert_op()};
#define HEARTH_ROW(op, value, derivative, lo, hi) \
  ops.push_back(                                  \
      unary_op(#op, is_float, "a float",          \
               []([[maybe_unused]] const Value& x, [[maybe_unused]] const Value& y) -> Value { return derivative; }));
  HEARTH_UNARY_FLOAT_OPS(HEARTH_ROW)
  HEARTH_UNARY_STEP_OPS(HEARTH_ROW)
#undef HEARTH_ROW
#define HEARTH_ROW(op, value, derivative, lo, hi) \
  ops.push_back(                                  \
      unary_op(#op, is_signed, "signed numbers",  \
               []([[maybe_unused]] const Value& x, [[maybe_unused]] const Value& y) -> Value { return derivative; }));
  HEARTH_UNARY_SIGNED_OPS(HEARTH_ROW)
#undef HEARTH_ROW
#define HEARTH_ROW(op, value, da, db)                                        \
  if (std::string(#op) == "add" || std::string(#op) == "subtract") {         \
    ops.push_back(linear_op(#op, std::string(#op) == "add" ? 1 : -1));       \
  } else {                                                                   \
    ops.push_back(binary_op(                                                 \
        #op, [](DType) { return true; }, "numbers",                          \
        []([[maybe_unused]] const Value& a, [[maybe_unused]] const Value& b, \
           [[maybe_unused]] const Value& y) -> Value { return da; },         \
        []([[maybe_unused]] const Value& a, [[maybe_unused]] const Value& b, \
           [[maybe_unused]] const Value& y) -> Value { return db; }));       \
  }
  HEARTH_BINARY_OPS(HEARTH_ROW)
#undef HEARTH_ROW
  for (const char* name : {"and", "or", "xor", "shift_left", "shift_right_logical", "shift_right_arithmetic"}) {
    ops.push_back(binary_op(name, is_bits, "integers or bool", nullptr, nullptr));
  }
  OpInfo not_op{.name = "not",
                .doc = "element-wise",
                .infer = same_type_rule(is_bits, "integers or bool"),
                .row_kind = RowKind::elementwise,
                .row_op = row_instruction_of,
                .differentiable = false};
  ops.push_back(not_op);
  OpInfo finite{.name = "is_finite",
                .doc = "element-wise",
                .infer = [](const InferArgs& args) -> std::vector<TensorType> {
                  HEARTH_CHECK(is_float(args.in[0].dtype()), dtype, "is_finite: needs a float; x is ", args.in[0]);
                  return {{DType::boolean, args.in[0].dims()}};
                },
                .row_kind = RowKind::elementwise,
                .row_op = row_instruction_of,
                .differentiable = false};
  ops.push_back(finite);
  return ops;
}

}  // namespace hearth
