// SPDX-License-Identifier: Apache-2.0
#include "ops/special/special.h"

#include "base/error.h"
#include "ops/elementwise/row_instructions.h"
#include "ops/special/special_rules.h"

namespace hearth {

Value polynomial(const Value& x, std::initializer_list<double> coefficients) {
  const double* c = coefficients.begin();
  Value y = scalar_like(x, *c);
  while (++c != coefficients.end()) y = y * x + *c;
  return y;
}
Value above(const Value& x, double limit) { return compare("GT", x, scalar_like(x, limit)); }
Value below(const Value& x, double limit) { return compare("LT", x, scalar_like(x, limit)); }
Value equals(const Value& x, double value) { return compare("EQ", x, scalar_like(x, value)); }
Value wide(const Value& x) { return size_bytes(x.dtype()) == 2 ? convert(x, DType::f32) : x; }

static OpInfo special_op(const SpecialFunction& f) {
  OpInfo op{.name = f.name,
            .doc = f.doc,
            .infer = [complex = f.complex_value != nullptr](const InferArgs& args) -> std::vector<TensorType> {
              const Value& x = args.in[0];
              const bool takes = is_float(x.dtype()) || (complex && is_complex(x.dtype()));
              HEARTH_CHECK(takes, dtype, args.op, ": needs a float", complex ? " or complex number" : "", "; x is ", x);
              return {x.type()};
            },
            .decompose = [f](Graph&, const std::vector<Value>& in, const Attrs&) -> std::vector<Value> {
              if (is_complex(in[0].dtype())) return {joined(f.complex_value(parts_of(in[0])))};
              return {convert(f.value(wide(in[0])), in[0].dtype())};
            },
            .row_kind = RowKind::elementwise,  // a batch is done at once; only erf of f32 has an instruction
            .row_op = row_instruction_of};
  if (f.derivative) {
    op.vjp = [derivative = f.derivative](VjpArgs& v) {
      const Value slope = derivative(wide(v.in[0]), wide(v.out[0]));
      v.grad[0] = convert(wide(v.cotangent[0]) * slope, v.in[0].dtype());
    };
  }
  return op;
}

std::vector<OpInfo> special_ops() {
  std::vector<OpInfo> ops = pair_ops();
  for (const auto& family : {erf_functions(), gamma_functions(), hyperbolic_functions()}) {
    for (const SpecialFunction& f : family) ops.push_back(special_op(f));
  }
  return ops;
}

Value erf(const Value& x) { return unary("erf", x); }
Value erfc(const Value& x) { return unary("erfc", x); }
Value erf_inv(const Value& x) { return unary("erf_inv", x); }
Value lgamma(const Value& x) { return unary("lgamma", x); }
Value digamma(const Value& x) { return unary("digamma", x); }
Value sinc(const Value& x) { return unary("sinc", x); }
Value asin(const Value& x) { return unary("asin", x); }
Value acos(const Value& x) { return unary("acos", x); }
Value atan(const Value& x) { return unary("atan", x); }
Value sinh(const Value& x) { return unary("sinh", x); }
Value cosh(const Value& x) { return unary("cosh", x); }
Value asinh(const Value& x) { return unary("asinh", x); }
Value acosh(const Value& x) { return unary("acosh", x); }
Value atanh(const Value& x) { return unary("atanh", x); }
Value logaddexp(const Value& a, const Value& b) { return binary("logaddexp", a, b); }
Value hypot(const Value& a, const Value& b) { return binary("hypot", a, b); }

}  // namespace hearth
