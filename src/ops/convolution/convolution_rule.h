// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the files of the graph side share.

#include "ir/op.h"
#include "ops/convolution/conv_shape.h"
#include "ops/convolution/convolution.h"

namespace hearth {

// `axis` becomes the outer part of the axis `into`, counted without it.
Value axis_into(const Value& x, int64_t axis, int64_t into);
// The axis is cut in two, of sizes outer and the rest.
Value axis_out_of(const Value& x, int64_t axis, int64_t outer);

// rhs of the transposed convolution: with groups each group's in features stand among all of them, out features are
// those of one group. axes: {out feature, in feature, ...}, which the caller swaps.
Value transposed_rhs(const Value& rhs, const Dims& axes, int64_t groups);

// The options that a node's attributes say.
ConvolutionOptions conv_options(const Attrs& attrs);
ConvShape conv_shape_of(const Value& lhs, const Value& rhs, const Attrs& attrs);

void conv_vjp(VjpArgs& v);
void conv_batch(BatchArgs& b);
std::vector<Value> conv_expand(Graph& graph, const Node& node, const std::vector<Value>& in);

}  // namespace hearth
