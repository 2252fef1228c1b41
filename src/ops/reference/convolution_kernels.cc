// SPDX-License-Identifier: Apache-2.0
// convolution: sums of floats in f64, rounded once; sums of integers wrap around. Holes and padding add nothing.

#include "ops/convolution/conv_shape.h"
#include "ops/reference/elements.h"
#include "ops/reference/reference.h"

namespace hearth {
namespace {

using namespace reference;

ConvShape shape_of(const TensorType& lhs, const TensorType& rhs, const Attrs& attrs) {
  return conv_shape(lhs, rhs, attrs, [&] { return cat("\n  lhs is ", lhs, "\n  rhs is ", rhs); });
}

// Position in lhs of output position o and window position t along one axis, or -1.
int64_t met(const ConvAxis& axis, int64_t o, int64_t t) {
  const int64_t at = o * axis.stride + t * axis.rhs_dilation - axis.low;
  return at < 0 || at % axis.lhs_dilation != 0 || at / axis.lhs_dilation >= axis.lhs ? -1 : at / axis.lhs_dilation;
}

void run(const KernelArgs& args) {
  const TensorArg &lhs = args.in[0], &rhs = args.in[1], &out = args.out[0];
  const ConvShape s = shape_of(*lhs.type, *rhs.type, args.attrs);
  Dims at_lhs(lhs.dims().size()), at_rhs(rhs.dims().size()), window{s.in_features};
  for (const ConvAxis& axis : s.axes) window.push_back(axis.window);
  for_each_index(out.dims(), [&](const Dims& index, int64_t i) {
    const int64_t feature = index[size_t(s.out_axes[1])], group = feature / std::max<int64_t>(1, s.out_features);
    std::complex<double> complex = 0;
    double real = 0;
    uint64_t integer = 0;
    for_each_index(window, [&](const Dims& term, int64_t) {
      at_lhs[size_t(s.lhs_axes[0])] = index[size_t(s.out_axes[0])] + (s.batch_groups > 1 ? group * s.batch : 0);
      at_lhs[size_t(s.lhs_axes[1])] = term[0] + (s.feature_groups > 1 ? group * s.in_features : 0);
      at_rhs[size_t(s.rhs_axes[0])] = feature;
      at_rhs[size_t(s.rhs_axes[1])] = term[0];
      for (size_t a = 0; a < s.axes.size(); ++a) {
        const int64_t from = met(s.axes[a], index[size_t(s.out_axes[a + 2])], term[a + 1]);
        if (from < 0) return;
        at_lhs[size_t(s.lhs_axes[a + 2])] = from;
        at_rhs[size_t(s.rhs_axes[a + 2])] = s.axes[a].reversed ? s.axes[a].window - 1 - term[a + 1] : term[a + 1];
      }
      const int64_t x = position(at_lhs, lhs.dims()), w = position(at_rhs, rhs.dims());
      if (is_complex(out.dtype()))
        complex += load_complex(lhs, x) * load_complex(rhs, w);
      else if (is_float(out.dtype()))
        real += load_real(lhs, x) * load_real(rhs, w);
      else
        integer += uint64_t(load_integer(lhs, x)) * uint64_t(load_integer(rhs, w));
    });
    if (is_complex(out.dtype()))
      store_complex(out, i, complex);
    else if (is_float(out.dtype()))
      store_real(out, i, real);
    else
      store_integer(out, i, int64_t(integer));
  });
}

void check(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 2, 1);
  expect_type("output", out[0], shape_of(in[0], in[1], attrs).result);
}

}  // namespace

std::vector<KernelInfo> reference_convolution() { return {{"convolution", run, check}}; }

}  // namespace hearth
