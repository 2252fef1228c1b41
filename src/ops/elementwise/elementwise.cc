// SPDX-License-Identifier: Apache-2.0
// The arithmetic of elementwise_table.h as operations.
#include "ops/elementwise/elementwise.h"

#include <cmath>

#include "base/error.h"
#include "ops/complex/complex_parts.h"
#include "ops/elementwise/elementwise_rules.h"
#include "ops/elementwise/elementwise_table.h"
#include "ops/elementwise/row_instructions.h"

namespace hearth {

void check_same(const InferArgs& args) {
  for (size_t i = 1; i < args.in.size(); ++i) {
    HEARTH_CHECK(args.in[i].dtype() == args.in[0].dtype(), dtype, args.op, ": dtypes differ: ", args.in[0].dtype(),
                 " != ", args.in[i].dtype(), "\n  a is ", args.in[0], "\n  b is ", args.in[i]);
    HEARTH_CHECK(args.in[i].dims() == args.in[0].dims(), shape, args.op, ": shapes differ\n  a is ", args.in[0],
                 "\n  b is ", args.in[i]);
  }
}

std::function<std::vector<TensorType>(const InferArgs&)> same_type_rule(Takes takes) {
  return [takes](const InferArgs& args) -> std::vector<TensorType> {
    check_same(args);
    HEARTH_CHECK(takes.allowed(args.in[0].dtype()), dtype, args.op, ": needs ", takes.wanted, "; x is ", args.in[0]);
    return {args.in[0].type()};
  };
}

// --- derivative helpers named in the table --------------------------------------------------------------------------

// 1 where `a direction b`, 1/2 at ties, else 0: maximum and minimum share the cotangent at ties, as JAX does.
static Value winner(const char* direction, const Value& a, const Value& b) {
  return select(compare(direction, a, b), scalar_like(a, 1),
                select(compare("EQ", a, b), scalar_like(a, 0.5), scalar_like(a, 0)));
}

// b a^(b - 1), and 0 where b is 0 whatever a is.
static Value power_slope(const Value& a, const Value& b) {
  const Value zero = compare("EQ", b, scalar_like(b, 0));
  return b * binary("power", a, select(zero, scalar_like(b, 1), b - 1.0));
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

// --- the operations -------------------------------------------------------------------------------------------------

// Derivatives as functions of the inputs and the result; no value: zero.
using Derivative = Value (*)(const Value& x, const Value& y);
using Derivative2 = Value (*)(const Value& a, const Value& b, const Value& y);

static OpInfo unary_op(const char* name, Takes takes, Derivative derivative) {
  return {.name = name,
          .doc = "element-wise",
          .infer = same_type_rule(takes),
          .vjp =
              [derivative](VjpArgs& v) {
                const Value slope = derivative(v.in[0], v.out[0]);
                if (slope.valid()) v.grad[0] = v.cotangent[0] * slope;
              },
          .expand = expand_complex,
          .row_kind = RowKind::elementwise,
          .row_op = row_instruction_of};
}

static OpInfo binary_op(const char* name, Takes takes, Derivative2 da, Derivative2 db) {
  return {.name = name,
          .doc = "element-wise",
          .infer = same_type_rule(takes),
          .vjp =
              [da, db](VjpArgs& v) {
                const Value &a = v.in[0], &b = v.in[1], &y = v.out[0];
                if (v.wanted[0]) v.grad[0] = v.cotangent[0] * da(a, b, y);
                if (v.wanted[1]) v.grad[1] = v.cotangent[0] * db(a, b, y);
              },
          .expand = expand_complex,
          .row_kind = RowKind::elementwise,
          .row_op = row_instruction_of};
}

// add and subtract pass the cotangent on, without a multiplication by one.
static void make_linear(OpInfo& op, bool negative) {
  op.vjp = [negative](VjpArgs& v) {
    v.grad[0] = v.cotangent[0];
    if (v.wanted[1]) v.grad[1] = negative ? -v.cotangent[0] : v.cotangent[0];
  };
}

// |z| of a complex z is real; its derivative is conj(z) / |z|, and 0 at 0.
static void make_abs(OpInfo& op) {
  op.infer = [](const InferArgs& args) -> std::vector<TensorType> {
    const TensorType type = same_type_rule(kSigned)(args)[0];
    return {{real_part(type.dtype), type.dims}};
  };
  op.vjp = [real_rule = op.vjp](VjpArgs& v) {
    if (!is_complex(v.in[0].dtype())) return real_rule(v);
    const Value zero = compare("EQ", v.out[0], scalar_like(v.out[0], 0));
    const Value scale = v.cotangent[0] / select(zero, scalar_like(v.out[0], 1), v.out[0]);
    v.grad[0] = complex(scale * real(v.in[0]), -(scale * imag(v.in[0])));
  };
}

static OpInfo input_op() {
  return {.name = "input",
          .doc = "an input of the graph",
          .infer = [](const InferArgs&) -> std::vector<TensorType> {
            HEARTH_FAIL(bug, "inputs are added with Graph::input");
          },
          .pure = false};
}

static void add_arithmetic(std::vector<OpInfo>& ops) {
#define HEARTH_ROW(op, value, derivative, takes, lo, hi)                                                             \
  ops.push_back(unary_op(#op, takes, []([[maybe_unused]] const Value& x, [[maybe_unused]] const Value& y) -> Value { \
    return derivative;                                                                                               \
  }));
  HEARTH_UNARY_OPS(HEARTH_ROW)
#undef HEARTH_ROW
#define HEARTH_ROW(op, value, da, db, takes)                                                                           \
  ops.push_back(binary_op(                                                                                             \
      #op, takes,                                                                                                      \
      []([[maybe_unused]] const Value& a, [[maybe_unused]] const Value& b, [[maybe_unused]] const Value& y) -> Value { \
        return da;                                                                                                     \
      },                                                                                                               \
      []([[maybe_unused]] const Value& a, [[maybe_unused]] const Value& b, [[maybe_unused]] const Value& y) -> Value { \
        return db;                                                                                                     \
      }));
  HEARTH_BINARY_OPS(HEARTH_ROW)
#undef HEARTH_ROW
}

std::vector<OpInfo> elementwise_ops() {
  std::vector<OpInfo> ops = {input_op()};
  add_arithmetic(ops);
  for (OpInfo& op : ops) {
    if (op.name == "add" || op.name == "subtract") make_linear(op, op.name == "subtract");
    if (op.name == "abs") make_abs(op);
  }
  for (const auto& family : {selection_ops(), bits_ops()}) ops.insert(ops.end(), family.begin(), family.end());
  return ops;
}

}  // namespace hearth
