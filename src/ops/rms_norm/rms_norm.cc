// SPDX-License-Identifier: Apache-2.0
#include "ops/rms_norm/rms_norm.h"

#include <numeric>

#include "base/error.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"

namespace hearth {

Value rms_norm(const Value& x, const Value& weight, double eps) {
  return x.graph->add("rms_norm", {x, weight}, {{"eps", eps}});
}

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value &x = args.in[0], &w = args.in[1];
  HEARTH_CHECK(is_float(x.dtype()) && is_float(w.dtype()), dtype, "rms_norm: needs floats\n  x is ", x,
               "\n  weight is ", w);
  HEARTH_CHECK(x.rank() >= 1 && w.rank() == 1 && w.dim(0) == x.dim(-1), shape, "rms_norm: weight must be [",
               x.rank() ? x.dim(-1) : 0, "]\n  x is ", x, "\n  weight is ", w);
  return {x.type()};
}

static DType sums(DType stored) { return stored == DType::f64 ? DType::f64 : DType::f32; }

static Value inverse_rms(const Value& x, double eps) {
  return rsqrt(sum_last(x * x) * (1.0 / double(x.dim(-1))) + eps);
}

static std::vector<Value> decompose(Graph&, const std::vector<Value>& in, const Attrs& attrs) {
  const DType t = sums(in[0].dtype());
  const Value x = convert(in[0], t);
  return {convert(x * inverse_rms(x, attrs.real("eps")) * convert(in[1], t), in[0].dtype())};
}

// With r = 1/rms and g = dy w:  dx = r g - x r^3 mean(g x),  dw = sum over rows of dy x r.
static void grad(VjpArgs& v) {
  const DType t = sums(v.in[0].dtype());
  const Value x = convert(v.in[0], t), w = convert(v.in[1], t), dy = convert(v.cotangent[0], t);
  const Value r = inverse_rms(x, v.attrs.real("eps"));
  if (v.wanted[0]) {
    const Value g = dy * w;
    const Value mean = sum_last(g * x) * (1.0 / double(x.dim(-1)));
    v.grad[0] = convert(r * g - x * (r * r * r * mean), v.in[0].dtype());
  }
  if (v.wanted[1]) {
    Dims rows(size_t(x.rank() - 1));
    std::iota(rows.begin(), rows.end(), 0);
    v.grad[1] = convert(reduce_sum(dy * x * r, rows), v.in[1].dtype());
  }
}

static void batch(BatchArgs& b) {
  if (b.batched[1]) return batch_decomposition(b);
  b.out = {rms_norm(b.in[0], b.in[1], b.node.attrs.real("eps"))};
}

std::vector<OpInfo> rms_norm_ops() {
  return {{.name = "rms_norm",
           .doc = "RMS normalisation of the last axis",
           .infer = infer,
           .vjp = grad,
           .decompose = decompose,
           .batch = batch}};
}

}  // namespace hearth
