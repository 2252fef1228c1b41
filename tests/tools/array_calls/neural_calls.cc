// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "call.h"

namespace hearth {

namespace {

PoolOptions pool_options(const Call& c) {
  return {.window = c.dims("window"),
          .strides = c.dims("strides"),
          .padding_low = c.dims("padding_low"),
          .padding_high = c.dims("padding_high"),
          .dilations = c.dims("dilations"),
          .channels_last = c.get<bool>("channels_last", false),
          .count_padding = c.get<bool>("count_padding", true)};
}

ConvOptions convolution_options(const Call& c) {
  return {.stride = c.get<Dims>("stride", Dims{1}),
          .padding = c.get<Dims>("padding", Dims{0}),
          .dilation = c.get<Dims>("dilation", Dims{1}),
          .same = c.get<bool>("same", false),
          .groups = c.integer("groups", 1),
          .channels_last = c.get<bool>("channels_last", false)};
}

const CallTable kNeural = {
    HEARTH_CALL_TWO(cross_entropy),
    HEARTH_CALL_ONE(global_avg_pool),
    {"linear",
     [](const Call& c) { return Arrays{c.arrays().size() == 3 ? linear(c[0], c[1], c[2]) : linear(c[0], c[1])}; }},
    {"conv2d", [](const Call& c) { return Arrays{conv2d(c[0], c[1], convolution_options(c))}; }},
    {"max_pool", [](const Call& c) { return Arrays{max_pool(c[0], pool_options(c))}; }},
    {"avg_pool", [](const Call& c) { return Arrays{avg_pool(c[0], pool_options(c))}; }},
    {"layer_norm", [](const Call& c) { return Arrays{layer_norm(c[0], c[1], c[2], c.get<double>("eps", 1e-5))}; }},
    {"rms_norm", [](const Call& c) { return Arrays{rms_norm(c[0], c[1], c.get<double>("eps", 1e-5))}; }},
    {"group_norm",
     [](const Call& c) {
       return Arrays{group_norm(c[0], c[1], c[2], c.integer("groups"), c.get<double>("eps", 1e-5))};
     }},
    {"batch_norm",
     [](const Call& c) {
       if (c.arrays().size() == 5) return Arrays{batch_norm(c[0], c[1], c[2], c[3], c[4])};
       const BatchNorm b = batch_norm(c[0], c[1], c[2]);
       return Arrays{b.y, b.mean, b.variance};
     }},
};

}  // namespace

void add_neural_calls(CallTable& table) { table.insert(kNeural.begin(), kNeural.end()); }

}  // namespace hearth
