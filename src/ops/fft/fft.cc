// SPDX-License-Identifier: Apache-2.0
#include "ops/fft/fft.h"

#include "ir/rules.h"
#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/fft/fft_check.h"
#include "ops/shape/shape.h"

namespace hearth {

Value fft_op(const Value& x, const std::string& type, const Dims& length) {
  return x.graph->add("fft", {x}, {{"fft_type", type}, {"fft_length", length}});
}

static std::vector<TensorType> infer(const InferArgs& args) {
  return {fft_result(args.in[0].type(), args.attrs.text("fft_type"), args.attrs.list("fft_length"), cat(args.in[0]))};
}

static Value again(const Value& x, const Attrs& attrs) {
  return fft_op(x, attrs.text("fft_type"), attrs.list("fft_length"));
}

// rfft is fft of real numbers, cut: its transpose fills the cut part with zeros, and keeps the real part of the result.
static Value rfft_transposed(const Value& t, const Dims& length) {
  Padding padding{Dims(size_t(t.rank()), 0), Dims(size_t(t.rank()), 0), Dims(size_t(t.rank()), 0)};
  padding.high.back() = length.back() - t.dim(-1);
  const Value full = pad(t, constant(*t.graph, 0, t.dtype()), padding);
  return real(fft_op(full, "FFT", length));
}

// Every element but the first, and the last of an even length, stands for its mirror image too: their weight is 2.
// Source: JAX 0.10, lax/fft.py, _irfft_transpose, conjugated as JAX has its derivatives of complex numbers.
static Value irfft_transposed(const Value& t, const Dims& length) {
  const Value x = fft_op(t, "RFFT", length);
  const int64_t n = length.back(), half = x.dim(-1);
  double count = 1;
  for (const int64_t size : length) count *= double(size);
  std::vector<double> weights(size_t(half), 2 / count);
  weights[0] = 1 / count;
  if (n % 2 == 0) weights.back() = 1 / count;
  const Value w = broadcast_to(constant_list(*t.graph, weights, t.dtype(), {half}), x.dims());
  return complex(real(x) * w, -(imag(x) * w));
}

static void vjp(VjpArgs& v) {
  if (!v.wanted[0]) return;
  const std::string& type = v.attrs.text("fft_type");
  const Dims& length = v.attrs.list("fft_length");
  const Value& t = v.cotangent[0];
  v.grad[0] = type == "RFFT"    ? rfft_transposed(t, length)
              : type == "IRFFT" ? irfft_transposed(t, length)
                                : again(t, v.attrs);
}

std::vector<OpInfo> fft_ops() {
  OpInfo op{.name = "fft", .doc = "Fourier transform of the last 1 to 3 axes", .infer = infer, .vjp = vjp};
  op.jvp = jvp_linear;
  op.batch = batch_same;
  op.offers = {{"cpu", "fft", nullptr}};
  return {op};
}

}  // namespace hearth
