// SPDX-License-Identifier: Apache-2.0
#include "array/neural.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include "array/recording.h"
#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/norms/norms.h"
#include "ops/reduce/reduce.h"
#include "ops/rms_norm/rms_norm.h"
#include "ops/shape/shape.h"
#include "ops/softmax/softmax.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

// f(value...) of the arrays in their common type, a float.
template <class F, class... A>
Array on_floats(F&& f, const A&... in) {
  const std::lock_guard lock(array_mutex());
  const PromotedType type = promote_to_inexact(promoted({in...}));
  return from_value(f(to_value(in, type.dtype)...), type.weak);
}

// Number of examples and positions that a channel of [B, C, spatial] has.
Dims axes_beside_channels(const Value& x) {
  Dims axes{0};
  for (int64_t axis = 2; axis < x.rank(); ++axis) axes.push_back(axis);
  return axes;
}
Value beside_channels(const Value& channels, const Value& x) {  // [C] -> [1, C, 1 ...]
  Dims dims(size_t(x.rank()), 1);
  dims[1] = channels.dim(0);
  return reshape(channels, dims);
}

DType sums(const Value& x) { return x.dtype() == DType::f64 ? DType::f64 : DType::f32; }

void check_channels(const Array& x, const Arrays& channels) {
  HEARTH_CHECK(x.ndim() >= 2, shape, "batch_norm: x needs axes [B, C, ...]; it is ", x.type());
  for (const Array& c : channels)
    HEARTH_CHECK(c.shape() == Dims{x.dim(1)}, shape, "batch_norm: needs one number a channel, [", x.dim(1),
                 "]\n  x is ", x.type(), "\n  got ", c.type());
}

Value normalized_by(const Value& x, const Value& weight, const Value& bias, const Value& mean, const Value& variance,
                    double eps) {
  const DType t = sums(x);
  const Value scale = convert(weight, t) * rsqrt(convert(variance, t) + eps);
  const Value shift = convert(bias, t) - convert(mean, t) * scale;
  return convert(convert(x, t) * beside_channels(scale, x) + beside_channels(shift, x), x.dtype());
}

}  // namespace

Array linear(const Array& x, const Array& weight) {
  return on_floats([](const Value& v, const Value& w) { return hearth::linear(v, w); }, x, weight);
}
Array linear(const Array& x, const Array& weight, const Array& bias) { return linear(x, weight) + bias; }

Array cross_entropy(const Array& logits, const Array& labels) {
  HEARTH_CHECK(is_int(labels.dtype()), dtype, "cross_entropy: labels must be integers; they are ", labels.type());
  Dims examples = logits.shape();
  HEARTH_CHECK(!examples.empty(), shape, "cross_entropy: logits need an axis of classes; they are ", logits.type());
  examples.pop_back();
  HEARTH_CHECK(labels.shape() == examples, shape, "cross_entropy: needs one label an example\n  logits is ",
               logits.type(), "\n  labels is ", labels.type());
  const std::lock_guard lock(array_mutex());
  const PromotedType type = promote_to_inexact(promoted({logits}));
  const Value x = to_value(logits, type.dtype), wide = convert(x, sums(x));
  const Value label = convert(to_value(labels), DType::i64);
  Dims column = examples, all(examples.size());
  column.push_back(1);
  std::iota(all.begin(), all.end(), 0);
  const Value score = reshape(gather_along_axis(wide, reshape(label, column), -1), examples);
  const Value zero = scalar_like(label, 0);
  const Value counted = compare("GE", label, zero) & compare("LT", label, scalar_like(label, double(x.dim(-1))));
  const Value losses = select(counted, hearth::logsumexp(wide) - score, scalar_like(score, 0));
  const Value count = reduce_sum(convert(counted, sums(x)), all);
  return from_value(convert(reduce_sum(losses, all) / maximum(count, scalar_like(count, 1)), x.dtype()));
}

Array conv2d(const Array& x, const Array& weight, const ConvOptions& options) {
  return on_floats([&](const Value& v, const Value& w) { return hearth::conv2d(v, w, options); }, x, weight);
}
Array max_pool(const Array& x, const PoolOptions& options) {
  return record([&](const Value& v) { return hearth::max_pool(v, options); }, x);
}
Array avg_pool(const Array& x, const PoolOptions& options) {
  return on_floats([&](const Value& v) { return hearth::avg_pool(v, options); }, x);
}
Array global_avg_pool(const Array& x) {
  HEARTH_CHECK(x.ndim() >= 2, shape, "global_avg_pool: x needs axes [B, C, ...]; it is ", x.type());
  return on_floats(
      [](const Value& v) {
        const Value rows = reshape(v, {v.dim(0), v.dim(1), -1});
        return reduce_sum(rows, {2}) / double(rows.dim(2));
      },
      x);
}

Array layer_norm(const Array& x, const Array& weight, const Array& bias, double eps) {
  return on_floats([=](const Value& v, const Value& w, const Value& b) { return hearth::layer_norm(v, w, b, eps); }, x,
                   weight, bias);
}
Array rms_norm(const Array& x, const Array& weight, double eps) {
  return on_floats([=](const Value& v, const Value& w) { return hearth::rms_norm(v, w, eps); }, x, weight);
}
Array group_norm(const Array& x, const Array& weight, const Array& bias, int64_t groups, double eps) {
  return on_floats(
      [=](const Value& v, const Value& w, const Value& b) { return hearth::group_norm(v, w, b, groups, eps); }, x,
      weight, bias);
}

BatchNorm batch_norm(const Array& x, const Array& weight, const Array& bias, double eps) {
  check_channels(x, {weight, bias});
  const Arrays out = record_all({x, weight, bias}, [&](Graph&, const Values& in) {
    const Value wide = convert(in[0], sums(in[0]));
    const Dims axes = axes_beside_channels(wide);
    const double share = double(wide.dim(1)) / double(wide.type().elements());
    const Value mean = reduce_sum(wide, axes) * share;
    const Value centred = wide - beside_channels(mean, wide);
    const Value variance = reduce_sum(centred * centred, axes) * share;
    return Values{normalized_by(in[0], in[1], in[2], mean, variance, eps), mean, variance};
  });
  return {out[0], out[1], out[2]};
}
Array batch_norm(const Array& x, const Array& weight, const Array& bias, const Array& mean, const Array& variance,
                 double eps) {
  check_channels(x, {weight, bias, mean, variance});
  return record([=](const Value& v, const Value& w, const Value& b, const Value& m,
                    const Value& s) { return normalized_by(v, w, b, m, s, eps); },
                x, weight, bias, mean, variance);
}

}  // namespace hearth
