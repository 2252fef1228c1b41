// SPDX-License-Identifier: Apache-2.0
// What NumPy has on top of StableHLO, made of primitives.
#include <cmath>
#include <limits>

#include "base/error.h"
#include "ops/elementwise/elementwise_rules.h"
#include "ops/elementwise/row_instructions.h"
#include "ops/shape/shape.h"
#include "ops/special/special.h"
#include "ops/special/special_rules.h"

namespace hearth {

Value log2(const Value& x) { return log(x) / std::log(2.0); }
Value log10(const Value& x) { return log(x) / std::log(10.0); }
Value exp2(const Value& x) { return power(scalar_like(x, 2), x); }
Value square(const Value& x) { return x * x; }
Value reciprocal(const Value& x) { return 1.0 / x; }

Value trunc(const Value& x) {
  if (!is_float(x.dtype())) {
    HEARTH_CHECK(is_int(x.dtype()), dtype, "trunc: needs real numbers; x is ", x);
    return x;
  }
  return select(below(x, 0), ceil(x), floor(x));
}

// --- division that rounds down --------------------------------------------------------------------------------------

static void check_real(const char* op, const Value& a, const Value& b) {
  for (const Value& x : {a, b}) {
    HEARTH_CHECK(is_int(x.dtype()) || is_float(x.dtype()), dtype, op, ": needs real numbers\n  a is ", a, "\n  b is ",
                 b);
  }
}
// The remainder is not 0 and of another sign than b: both it and the quotient move by one b.
static Value crosses(const Value& rest, const Value& b) {
  return compare("NE", rest, scalar_like(rest, 0)) & (below(rest, 0) ^ below(b, 0));
}
static Value zero_of(const Value& x) { return scalar_like(x, 0); }

Value mod(const Value& a, const Value& b) {
  check_real("mod", a, b);
  const Value rest = remainder(a, b), by = broadcast_to(b, rest.dims());
  const Value moved = select(crosses(rest, by), rest + by, rest);
  if (is_int(a.dtype())) return select(equals(by, 0), zero_of(by), moved);
  return select(equals(rest, 0), copysign(zero_of(by), by), moved);
}

Value floor_divide(const Value& a, const Value& b) {
  check_real("floor_divide", a, b);
  const Value rest = remainder(a, b), by = broadcast_to(b, rest.dims()), one = scalar_like(rest, 1);
  if (is_int(a.dtype())) {
    const Value quotient = a / b;
    return select(equals(by, 0), zero_of(by), select(crosses(rest, by), quotient - one, quotient));
  }
  // a - rest is a multiple of b up to rounding: its quotient is taken to the nearest integer.
  const Value quotient = a / b, exact = (a - rest) / by;
  const Value down = round_nearest_even(select(crosses(rest, by), exact - one, exact));
  const Value zero = copysign(zero_of(quotient), quotient);
  return select(equals(by, 0), quotient, select(equals(down, 0), zero, down));
}

Value fmod(const Value& a, const Value& b) {
  check_real("fmod", a, b);
  const Value rest = remainder(a, b), by = broadcast_to(b, rest.dims());
  return is_int(a.dtype()) ? select(equals(by, 0), zero_of(by), rest) : rest;
}

// --- signs and neighbours -------------------------------------------------------------------------------------------

static DType integer_like(DType t) {
  return size_bytes(t) == 8 ? DType::i64 : size_bytes(t) == 4 ? DType::i32 : DType::i16;
}

Value signbit(const Value& x) {
  HEARTH_CHECK(!is_complex(x.dtype()), dtype, "signbit: complex numbers have no sign; x is ", x);
  if (!is_float(x.dtype())) return compare("LT", x, zero_of(x));
  const Value w = wide(x), bits = bitcast_convert(w, integer_like(w.dtype()));
  return below(bits, 0);
}

Value copysign(const Value& magnitude, const Value& sign) {
  HEARTH_CHECK(is_float(magnitude.dtype()), dtype, "copysign: needs a float; magnitude is ", magnitude);
  return select(signbit(magnitude) ^ signbit(sign), -magnitude, magnitude);
}

// Floats of one sign are ordered as their bits are: the neighbour's are one more or one less.
Value nextafter(const Value& from, const Value& to) {
  HEARTH_CHECK(is_float(from.dtype()), dtype, "nextafter: needs floats; from is ", from);
  const Dims dims = broadcast_dims("nextafter", from, to);
  const Value a = broadcast_to(from, dims), b = broadcast_to(to, dims);
  const DType integer = integer_like(a.dtype());
  const Value bits = bitcast_convert(a, integer), one = scalar_like(bits, 1);
  const Value outward = compare("EQ", compare("LT", a, b), above(a, 0));
  const Value stepped = bitcast_convert(select(outward, bits + one, bits - one), a.dtype());
  const Value smallest = copysign(bitcast_convert(one, a.dtype()), b);
  const Value moved = select(equals(a, 0), smallest, stepped);
  return select(compare("NE", a, a) | compare("NE", b, b), a + b, select(compare("EQ", a, b), b, moved));
}

// --- tests and logic ------------------------------------------------------------------------------------------------

static Value all_false(const Value& x) { return convert(constant(*x.graph, 0.0, DType::i32), DType::boolean); }

Value is_nan(const Value& x) {
  if (is_inexact(x.dtype())) return compare("NE", x, x);
  return broadcast_to(all_false(x), x.dims());
}
Value is_inf(const Value& x) {
  if (is_complex(x.dtype())) return is_inf(real(x)) | is_inf(imag(x));
  if (is_float(x.dtype())) return equals(abs(x), std::numeric_limits<double>::infinity());
  return broadcast_to(all_false(x), x.dims());
}
Value is_finite_number(const Value& x) {
  if (is_complex(x.dtype())) return is_finite(real(x)) & is_finite(imag(x));
  if (is_float(x.dtype())) return is_finite(x);
  return ~broadcast_to(all_false(x), x.dims());
}

Value logical_and(const Value& a, const Value& b) { return convert(a, DType::boolean) & convert(b, DType::boolean); }
Value logical_or(const Value& a, const Value& b) { return convert(a, DType::boolean) | convert(b, DType::boolean); }
Value logical_xor(const Value& a, const Value& b) { return convert(a, DType::boolean) ^ convert(b, DType::boolean); }
Value logical_not(const Value& x) { return ~convert(x, DType::boolean); }

// --- logaddexp, hypot -----------------------------------------------------------------------------------------------

static OpInfo pair_op(const char* name, const char* doc, Value (*value)(const Value&, const Value&),
                      void (*grad)(VjpArgs&)) {
  return {.name = name,
          .doc = doc,
          .infer = same_type_rule(kFloat),
          .vjp = grad,
          .decompose = [value](Graph&, const std::vector<Value>& in, const Attrs&) -> std::vector<Value> {
            return {convert(value(wide(in[0]), wide(in[1])), in[0].dtype())};
          },
          .row_kind = RowKind::elementwise,  // a batch is done at once
          .row_op = row_instruction_of};
}

// max + log(1 + exp(-|a - b|)); two infinities of one sign are their own sum.
static Value logaddexp_value(const Value& a, const Value& b) {
  const Value difference = abs(a - b), same = compare("EQ", a, b);
  const Value rest = log1p(exp(-select(same, scalar_like(a, 0), difference)));
  return maximum(a, b) + rest;
}
// The cotangent is shared as softmax would.
static void grad_logaddexp(VjpArgs& v) {
  const Value &a = v.in[0], &b = v.in[1], &dy = v.cotangent[0];
  const Value same = compare("EQ", a, b), difference = select(same, scalar_like(a, 0), a - b);
  if (v.wanted[0]) v.grad[0] = dy * logistic(difference);
  if (v.wanted[1]) v.grad[1] = dy * logistic(-difference);
}

// a / y, 0 at the origin.
static void grad_hypot(VjpArgs& v) {
  const Value& y = v.out[0];
  const Value scale = v.cotangent[0] / select(equals(y, 0), scalar_like(y, 1), y);
  for (size_t i = 0; i < 2; ++i) {
    if (v.wanted[i]) v.grad[i] = scale * v.in[i];
  }
}

std::vector<OpInfo> pair_ops() {
  return {pair_op("logaddexp", "log(exp(a) + exp(b))", logaddexp_value, grad_logaddexp),
          pair_op(
              "hypot", "sqrt(a^2 + b^2)",
              [](const Value& a, const Value& b) {
                return magnitude({a, b});
              },
              grad_hypot)};
}

}  // namespace hearth
