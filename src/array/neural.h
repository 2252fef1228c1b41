// SPDX-License-Identifier: Apache-2.0
#pragma once
// The functions that neural networks are made of, on arrays. B: examples, C: channels or width, "spatial": any number
// of further axes. relu, gelu, softmax and their kind are in elementwise_extras.h. Floats; operands are promoted
// together as with operators. Sums of f16 and bf16 are made in f32. Errors are thrown at the call: Error{shape},
// Error{dtype}, Error{value}.

#include "array/elementwise_extras.h"
#include "ops/convolution/convolution.h"
#include "ops/window/window.h"

namespace hearth {

Array linear(const Array& x, const Array& weight);  // x [..., K], weight [N, K] -> x weight^T [..., N]
// Adds bias [N].
Array linear(const Array& x, const Array& weight, const Array& bias);

// Mean of -log_softmax(logits)[label]: logits [..., V], labels integers [...] -> scalar. Examples whose label lies
// outside of [0, V) are left out; 0 when none is left.
Array cross_entropy(const Array& logits, const Array& labels);

// x [B, C, H, W], weight [F, C / groups, h, w] -> [B, F, H', W']; stride, padding ... in ops/convolution/convolution.h.
Array conv2d(const Array& x, const Array& weight, const ConvOptions& options = {});
// Over the last axes of x, as many as the window has: [B, C, spatial]; options in ops/window/window.h.
Array max_pool(const Array& x, const PoolOptions& options);
Array avg_pool(const Array& x, const PoolOptions& options);
Array global_avg_pool(const Array& x);  // [B, C, spatial] -> [B, C]

// w (x - mean) / sqrt(variance + eps) + b over the last axis: x [..., C], weight and bias [C].
Array layer_norm(const Array& x, const Array& weight, const Array& bias, double eps = 1e-5);
// w x / sqrt(mean(x^2) + eps) over the last axis: x [..., C], weight [C].
Array rms_norm(const Array& x, const Array& weight, double eps = 1e-5);
// Over the positions and C / groups channels of each group: x [B, C, spatial], weight and bias [C].
Array group_norm(const Array& x, const Array& weight, const Array& bias, int64_t groups, double eps = 1e-5);
// Over the examples and positions of each channel, as in training: y [B, C, spatial], mean and variance [C] of the
// batch, f32 at least (variance: divided by their number), to be averaged for use later. Ioffe & Szegedy 2015,
// arXiv:1502.03167.
struct BatchNorm {
  Array y, mean, variance;
};
BatchNorm batch_norm(const Array& x, const Array& weight, const Array& bias, double eps = 1e-5);
// With a mean and variance that are given, as after training.
Array batch_norm(const Array& x, const Array& weight, const Array& bias, const Array& mean, const Array& variance,
                 double eps = 1e-5);

}  // namespace hearth
