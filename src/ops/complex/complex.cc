// SPDX-License-Identifier: Apache-2.0
#include "ops/complex/complex.h"

#include "base/error.h"
#include "ir/op.h"
#include "ir/rules.h"
#include "ops/complex/complex_parts.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

Value complex(const Value& re, const Value& im) {
  const Dims dims = broadcast_dims("complex", re, im);
  return re.graph->add("complex", {broadcast_to(re, dims), broadcast_to(im, dims)});
}
Value real(const Value& x) { return is_complex(x.dtype()) ? unary("real", x) : x; }
Value imag(const Value& x) { return is_complex(x.dtype()) ? unary("imag", x) : scalar_like(x, 0); }
Value conj(const Value& x) { return is_complex(x.dtype()) ? complex(real(x), -imag(x)) : x; }
Value angle(const Value& x) { return atan2(imag(x), real(x)); }

static std::vector<TensorType> infer_complex(const InferArgs& args) {
  const Value &re = args.in[0], &im = args.in[1];
  HEARTH_CHECK((re.dtype() == DType::f32 || re.dtype() == DType::f64) && re.dtype() == im.dtype(), dtype,
               "complex: needs two f32 or two f64\n  re is ", re, "\n  im is ", im);
  HEARTH_CHECK(re.dims() == im.dims(), shape, "complex: shapes differ\n  re is ", re, "\n  im is ", im);
  return {{re.dtype() == DType::f32 ? DType::complex64 : DType::complex128, re.dims()}};
}

static std::vector<TensorType> infer_part(const InferArgs& args) {
  const Value& x = args.in[0];
  HEARTH_CHECK(is_inexact(x.dtype()), dtype, args.op, ": needs a float or complex number; x is ", x);
  return {{real_part(x.dtype()), x.dims()}};
}

// Pairing without conjugation: Re(ct (a + i b)) = Re(ct) a - Im(ct) b.
static void grad_complex(VjpArgs& v) {
  if (v.wanted[0]) v.grad[0] = real(v.cotangent[0]);
  if (v.wanted[1]) v.grad[1] = -imag(v.cotangent[0]);
}
static void grad_real(VjpArgs& v) {
  const Value& dy = v.cotangent[0];
  v.grad[0] = is_complex(v.in[0].dtype()) ? complex(dy, scalar_like(dy, 0)) : dy;
}
static void grad_imag(VjpArgs& v) {
  const Value& dy = v.cotangent[0];
  if (is_complex(v.in[0].dtype())) v.grad[0] = complex(scalar_like(dy, 0), -dy);
}

// Of real numbers, for devices that have only the kernels of complex ones.
static std::vector<Value> expand_part(Graph&, const Node& node, const std::vector<Value>& in) {
  if (is_complex(in[0].dtype())) return {};
  return {node.op->name == "real" ? in[0] : scalar_like(in[0], 0)};
}
static std::string refuse_real_numbers(const Graph&, const Node& node) {
  return is_complex(node.inputs[0].dtype()) ? "" : "the kernel takes complex numbers only";
}

std::vector<OpInfo> complex_ops() {
  return {{.name = "complex",
           .doc = "re + i im",
           .infer = infer_complex,
           .vjp = grad_complex,
           .batch = batch_same,
           .offers = {{"cpu", "complex", nullptr}}},
          {.name = "real",
           .doc = "real part",
           .infer = infer_part,
           .vjp = grad_real,
           .expand = expand_part,
           .batch = batch_same,
           .offers = {{"cpu", "real", refuse_real_numbers}}},
          {.name = "imag",
           .doc = "imaginary part",
           .infer = infer_part,
           .vjp = grad_imag,
           .expand = expand_part,
           .batch = batch_same,
           .offers = {{"cpu", "imag", refuse_real_numbers}}}};
}

}  // namespace hearth
