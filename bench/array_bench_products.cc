// SPDX-License-Identifier: Apache-2.0
// Rows of array_bench that are bound by arithmetic: matrix products, attention, convolution.
#include "bench/array_bench.h"
#include "ops/attention/attention.h"
#include "ops/convolution/convolution.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"

namespace hearth::bench {
namespace {

Value sum_all(const Value& x) {
  Dims axes;
  for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  return reduce_sum(x, axes);
}

// matmul-f32-1024, or matmul-bf16-m512-n8640-k3200 with the weight as linear layers store it.
Call matmul_row(const Parts& parts) {
  const DType dtype = dtype_in(parts);
  if (parts.size() == 3) {
    const int64_t n = std::stoll(parts[2]);
    return jitted([](Graph&, const Values& in) { return Values{matmul(in[0], in[1])}; },
                  {uniform({n, n}, dtype), uniform({n, n}, dtype)});
  }
  const int64_t m = size_of(parts, 'm'), n = size_of(parts, 'n'), k = size_of(parts, 'k');
  return jitted([](Graph&, const Values& in) { return Values{linear(in[0], in[1])}; },
                {uniform({m, k}, dtype), uniform({n, k}, dtype)});
}

// attention-f32-fwd-b1-s512-d64: 8 heads, causal; grad: forward and backward.
Call attention_row(const Parts& parts) {
  const DType dtype = dtype_in(parts);
  const Dims dims = {size_of(parts, 'b'), size_of(parts, 's'), 8, size_of(parts, 'd')};
  const Array q = uniform(dims, dtype), k = uniform(dims, dtype), v = uniform(dims, dtype), w = uniform(dims, dtype);
  if (parts[2] == "fwd")
    return jitted([](Graph&, const Values& in) { return Values{attention(in[0], in[1], in[2])}; }, {q, k, v});
  return jitted_gradients(
      [](Graph&, const Values& in) { return Values{sum_all(attention(in[0], in[1], in[2]) * in[3])}; }, {q, k, v, w},
      3);
}

// conv-f32-fwd-nchw-b8-c64-o64-h56-w3-t1[-g64][-d2]: batch, in and out features, height and width, window, stride,
// groups, distance of window positions; padding keeps the size.
Call conv_row(const Parts& parts) {
  const DType dtype = dtype_in(parts);
  const bool last = parts[3] == "nhwc";
  const int64_t b = size_of(parts, 'b'), c = size_of(parts, 'c'), f = size_of(parts, 'o'), h = size_of(parts, 'h'),
                w = size_of(parts, 'w'), t = size_of(parts, 't'), g = size_of(parts, 'g', 1),
                d = size_of(parts, 'd', 1), o = (h + w / 2 * 2 * d - (w - 1) * d - 1) / t + 1;
  const ConvOptions options{.stride = {t}, .padding = {w / 2 * d}, .dilation = {d}, .groups = g, .channels_last = last};
  const Array x = uniform(last ? Dims{b, h, h, c} : Dims{b, c, h, h}, dtype);
  const Array weight = uniform(last ? Dims{w, w, c / g, f} : Dims{f, c / g, w, w}, dtype);
  const Array out = uniform(last ? Dims{b, o, o, f} : Dims{b, f, o, o}, dtype);
  if (parts[2] == "fwd")
    return jitted([options](Graph&, const Values& in) { return Values{conv2d(in[0], in[1], options)}; }, {x, weight});
  return jitted_gradients(
      [options](Graph&, const Values& in) { return Values{sum_all(conv2d(in[0], in[1], options) * in[2])}; },
      {x, weight, out}, 2);
}

}  // namespace

Rows product_rows() { return {{"matmul", matmul_row}, {"attention", attention_row}, {"conv", conv_row}}; }

}  // namespace hearth::bench
