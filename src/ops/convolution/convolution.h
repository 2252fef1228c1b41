// SPDX-License-Identifier: Apache-2.0
#pragma once
// convolution, StableHLO's: for output position o, out feature f and batch element n
//   out[n, f, o] = sum over in features c and window positions t of lhs'[n, c, o * stride + t * rhs_dilation] rhs[f, c,
//   t]
// where lhs' is lhs with lhs_dilation - 1 holes between neighbours, padded low and high (negative: cut off). Holes and
// padding add nothing where rhs is finite; else they may add NaN (0 * inf), or nothing. Any number of spatial axes,
// none included; any order of axes. Size of an output axis: dilated = (n - 1) * dilation + 1 (0 of 0); (padded lhs -
// dilated window) / stride + 1, or 0 when the window is larger. feature_groups G: in features are cut into G groups,
// rhs has features / G, out feature f reads group f / (F / G). batch_groups: the same with the batch axis; at most one
// of both is not 1. Cost: 2 * batch * F * output positions * window * c flops. bf16 and f16 are summed in f32, integers
// wrap around. Throws Error{shape, value, dtype} at the call.

#include <string>

#include "ir/graph.h"

namespace hearth {

// Where each axis lies: {batch, feature, spatial...} of lhs and out, {out feature, in feature, spatial...} of rhs.
struct ConvolutionAxes {
  Dims lhs = {}, rhs = {}, out = {};
};
// From texts such as "NCHW", "OIHW", "NHWC": N, C batch and feature, O, I out and in feature; every other character is
// the spatial axis of that name, in the order in which rhs has them.
ConvolutionAxes convolution_axes(const std::string& lhs, const std::string& rhs, const std::string& out);

struct ConvolutionOptions {  // per spatial axis; empty: 1, padding 0, no reversal, axes as in NCHW, OIHW, NCHW
  Dims strides = {}, low = {}, high = {}, lhs_dilation = {}, rhs_dilation = {};
  Dims reversal = {};  // 1: the window is read backwards along that axis
  ConvolutionAxes axes = {};
  int64_t feature_groups = 1, batch_groups = 1;
};
Value conv_general_dilated(const Value& lhs, const Value& rhs, const ConvolutionOptions& options = {});

// Lists of one number hold for every spatial axis.
struct ConvOptions {
  Dims stride = {1}, padding = {0}, dilation = {1};
  bool same = false;  // instead of padding: out has ceil(n / stride) positions, the odd one padded at the end
  int64_t groups = 1;
  bool channels_last = false;  // x [B, spatial, C] and weight [spatial, C / groups, F]
};
// x [B, C, spatial], weight [F, C / groups, spatial] -> [B, F, spatial].
Value conv1d(const Value& x, const Value& weight, const ConvOptions& options = {});
Value conv2d(const Value& x, const Value& weight, const ConvOptions& options = {});
Value conv3d(const Value& x, const Value& weight, const ConvOptions& options = {});

// The transpose of the convolution of these options (its derivative by x): x has the F features of the weight, the
// result C features and (n - 1) * stride - 2 * padding + dilation * (window - 1) + 1 + output_padding positions.
// With `same`: n * stride positions. Any number of spatial axes.
Value conv_transpose(const Value& x, const Value& weight, const ConvOptions& options = {},
                     const Dims& output_padding = {0});

}  // namespace hearth
