// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution/convolution.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "ops/convolution/convolution_rule.h"

namespace hearth {

ConvolutionAxes convolution_axes(const std::string& lhs, const std::string& rhs, const std::string& out) {
  const std::string all = "convolution_axes: '" + lhs + "', '" + rhs + "', '" + out + "': ";
  std::string spatial;
  for (const char c : rhs) {
    if (c != 'O' && c != 'I') spatial += c;
  }
  const auto axes_of = [&](const std::string& text, const std::string& roles) {
    Dims axes;
    for (const char role : roles + spatial) {
      HEARTH_CHECK(std::count(text.begin(), text.end(), role) == 1 && text.size() == roles.size() + spatial.size(),
                   value, all, "'", text, "' must name each of '", roles + spatial, "' once");
      axes.push_back(int64_t(text.find(role)));
    }
    return axes;
  };
  return {axes_of(lhs, "NC"), axes_of(rhs, "OI"), axes_of(out, "NC")};
}

Value conv_general_dilated(const Value& lhs, const Value& rhs, const ConvolutionOptions& options) {
  const size_t spatial = size_t(std::max<int64_t>(0, lhs.rank() - 2));
  const auto list = [&](const Dims& given, int64_t otherwise) {
    return given.empty() ? Dims(spatial, otherwise) : given;
  };
  const auto axes = [&](const Dims& given) {
    Dims in_order(spatial + 2);
    std::iota(in_order.begin(), in_order.end(), 0);
    return given.empty() ? in_order : given;
  };
  return lhs.graph->add("convolution", {lhs, rhs},
                        {{"strides", list(options.strides, 1)},
                         {"low", list(options.low, 0)},
                         {"high", list(options.high, 0)},
                         {"lhs_dilation", list(options.lhs_dilation, 1)},
                         {"rhs_dilation", list(options.rhs_dilation, 1)},
                         {"reversal", list(options.reversal, 0)},
                         {"lhs_axes", axes(options.axes.lhs)},
                         {"rhs_axes", axes(options.axes.rhs)},
                         {"out_axes", axes(options.axes.out)},
                         {"feature_groups", options.feature_groups},
                         {"batch_groups", options.batch_groups}});
}

ConvolutionOptions conv_options(const Attrs& attrs) {
  return {.strides = attrs.list("strides"),
          .low = attrs.list("low"),
          .high = attrs.list("high"),
          .lhs_dilation = attrs.list("lhs_dilation"),
          .rhs_dilation = attrs.list("rhs_dilation"),
          .reversal = attrs.list("reversal"),
          .axes = {attrs.list("lhs_axes"), attrs.list("rhs_axes"), attrs.list("out_axes")},
          .feature_groups = attrs.integer("feature_groups"),
          .batch_groups = attrs.integer("batch_groups")};
}

// --- conveniences ---------------------------------------------------------------------------------------------------

namespace {

// Sizes and numbers per spatial axis of x and weight.
struct PlainConv {
  ConvolutionAxes axes;
  Dims in, window, stride, padding, dilation;
};

Dims per_axis(const char* op, const char* what, const Dims& list, size_t spatial, const Value& x) {
  if (list.size() == 1) return Dims(spatial, list[0]);
  HEARTH_CHECK(list.size() == spatial, value, op, ": ", what, " ", ShowDims{list}, " needs one number or ", spatial,
               "; x is ", x);
  return list;
}

PlainConv plain_conv(const char* op, const Value& x, const Value& weight, const ConvOptions& options) {
  HEARTH_CHECK(x.rank() >= 2 && x.rank() == weight.rank(), shape, op, ": x and weight need the same rank\n  x is ", x,
               "\n  weight is ", weight);
  const size_t spatial = size_t(x.rank() - 2);
  PlainConv p;
  const int64_t last = int64_t(spatial) + 1;
  p.axes = options.channels_last ? ConvolutionAxes{{0, last}, {last, last - 1}, {0, last}}
                                 : ConvolutionAxes{{0, 1}, {0, 1}, {0, 1}};
  for (int64_t i = 0; i < int64_t(spatial); ++i) {
    p.axes.lhs.push_back(options.channels_last ? i + 1 : i + 2);
    p.axes.rhs.push_back(options.channels_last ? i : i + 2);
    p.in.push_back(x.dim(p.axes.lhs.back()));
    p.window.push_back(weight.dim(p.axes.rhs.back()));
  }
  p.axes.out = p.axes.lhs;
  p.stride = per_axis(op, "stride", options.stride, spatial, x);
  p.padding = per_axis(op, "padding", options.padding, spatial, x);
  p.dilation = per_axis(op, "dilation", options.dilation, spatial, x);
  for (size_t i = 0; i < spatial; ++i)
    HEARTH_CHECK(p.stride[i] >= 1 && p.dilation[i] >= 1, value, op, ": stride ", ShowDims{p.stride}, " and dilation ",
                 ShowDims{p.dilation}, " must be at least 1; x is ", x);
  return p;
}

Value plain(const char* op, int64_t rank, const Value& x, const Value& weight, const ConvOptions& options) {
  HEARTH_CHECK(x.rank() == rank, shape, op, ": x needs ", rank, " axes, has ", x.rank(), "\n  x is ", x,
               "\n  weight is ", weight);
  const PlainConv p = plain_conv(op, x, weight, options);
  Dims low = p.padding, high = p.padding;
  for (size_t i = 0; options.same && i < low.size(); ++i) {
    const int64_t out = (p.in[i] + p.stride[i] - 1) / p.stride[i];
    const int64_t all = std::max<int64_t>(0, (out - 1) * p.stride[i] + dilated(p.window[i], p.dilation[i]) - p.in[i]);
    low[i] = all / 2;
    high[i] = all - low[i];
  }
  return conv_general_dilated(x, weight,
                              {.strides = p.stride,
                               .low = low,
                               .high = high,
                               .rhs_dilation = p.dilation,
                               .axes = p.axes,
                               .feature_groups = options.groups});
}

}  // namespace

Value conv1d(const Value& x, const Value& weight, const ConvOptions& options) {
  return plain("conv1d", 3, x, weight, options);
}
Value conv2d(const Value& x, const Value& weight, const ConvOptions& options) {
  return plain("conv2d", 4, x, weight, options);
}
Value conv3d(const Value& x, const Value& weight, const ConvOptions& options) {
  return plain("conv3d", 5, x, weight, options);
}

Value conv_transpose(const Value& x, const Value& weight, const ConvOptions& options, const Dims& output_padding) {
  PlainConv p = plain_conv("conv_transpose", x, weight, options);
  const Dims more = per_axis("conv_transpose", "output_padding", output_padding, p.in.size(), x);
  const int64_t features = weight.dim(p.axes.rhs[0]);
  HEARTH_CHECK(options.groups >= 1 && features % options.groups == 0, shape, "conv_transpose: ", features,
               " features do not divide into ", options.groups, " groups\n  x is ", x, "\n  weight is ", weight);
  Dims low, high;
  for (size_t i = 0; i < p.in.size(); ++i) {
    const int64_t reach = dilated(p.window[i], p.dilation[i]), same = std::max<int64_t>(0, reach - p.stride[i]);
    low.push_back(reach - 1 - (options.same ? same / 2 : p.padding[i]));
    high.push_back((options.same ? p.stride[i] + reach - 2 - low[i] : reach - 1 - p.padding[i]) + more[i]);
  }
  const Value rhs = transposed_rhs(weight, p.axes.rhs, options.groups);
  std::swap(p.axes.rhs[0], p.axes.rhs[1]);
  return conv_general_dilated(x, rhs,
                              {.low = low,
                               .high = high,
                               .lhs_dilation = p.stride,
                               .rhs_dilation = p.dilation,
                               .reversal = Dims(low.size(), 1),
                               .axes = p.axes,
                               .feature_groups = options.groups});
}

// --- rules ----------------------------------------------------------------------------------------------------------

ConvShape conv_shape_of(const Value& lhs, const Value& rhs, const Attrs& attrs) {
  return conv_shape(lhs.type(), rhs.type(), attrs, [&] { return cat("\n  lhs is ", lhs, "\n  rhs is ", rhs); });
}

static std::vector<TensorType> infer(const InferArgs& args) {
  return {conv_shape_of(args.in[0], args.in[1], args.attrs).result};
}

std::vector<OpInfo> convolution_ops() {
  OpInfo conv{.name = "convolution",
              .doc = "sums of products over windows; strides, padding, dilations, groups, any order of axes",
              .infer = infer,
              .vjp = conv_vjp,
              .expand = conv_expand,
              .batch = conv_batch};
  conv.offers = {{"cpu", "convolution", [](const Graph&, const Node& n) -> std::string {
                    const DType t = n.types[0].dtype;
                    return is_float(t) ? "" : cat("no convolution kernel for ", t, "; has f32, f64, bf16, f16");
                  }}};
  return {conv};
}

}  // namespace hearth
