// SPDX-License-Identifier: Apache-2.0
// A small residual network (He et al. 2015, arXiv:1512.03385, with group normalisation) that learns to tell four kinds
// of texture apart. Writes a chart of the loss:  resnet [resnet.svg]
#include <cmath>
#include <iostream>
#include <random>

#include "array/jit.h"
#include "array/neural.h"
#include "train/metrics/svg_chart.h"

using namespace hearth;

static std::mt19937 random_bits(1);
static float uniform() { return float(random_bits() >> 8) * 0x1p-24f; }
// Uniform with variance 2 / fan_in, for layers before relu; biases and gains begin at 0.
static Array weights(const Dims& shape) {
  std::vector<float> values(size_t(num_elements(shape)));
  const float most = shape.size() == 1 ? 0.0f : std::sqrt(6.0f * float(shape[0]) / float(values.size()));
  for (float& value : values) value = (2 * uniform() - 1) * most;
  return array(values, shape);
}

// The list, then images [B,1,16,16] of waves under noise, labels [B] that tell their direction.
static Arrays with_examples(Arrays list, int64_t count) {
  std::vector<float> images;
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    labels.push_back(int32_t(random_bits() % 4));
    const float angle = 0.785398f * float(labels.back()), pitch = 0.8f + uniform(), phase = 6.2832f * uniform();
    for (int at = 0; at < 16 * 16; ++at) {
      const float along = std::cos(angle) * float(at % 16) + std::sin(angle) * float(at / 16);
      images.push_back(std::sin(pitch * along + phase) + 3 * uniform() - 1.5f);
    }
  }
  return list.insert(list.end(), {array(images, {count, 1, 16, 16}), array(labels)}), list;
}

using Parameters = std::function<Array(const Dims&)>;  // the next one, of this shape
static Array network(const Parameters& next, const Array& x) {
  const auto conv = [&](const Array& in, int64_t to, int64_t stride) {  // [B,C,H,W] -> [B,to,H/stride,W/stride]
    const Array y = conv2d(in, next({to, in.dim(1), 3, 3}), {.stride = {stride}, .same = true});
    const Array gain = next({to}) + 1, bias = next({to});
    return group_norm(y, gain, bias, 4);
  };
  const auto block = [&](const Array& in, int64_t to, int64_t stride) {
    const Array y = conv(relu(conv(in, to, stride)), to, 1);
    return relu(y + (stride == 1 ? in : conv2d(in, next({to, in.dim(1), 1, 1}), {.stride = {stride}})));
  };
  const Array h = block(block(relu(conv(x, 8, 1)), 8, 1), 16, 2);
  const Array features = global_avg_pool(block(h, 32, 2)), weight = next({4, 32}), bias = next({4});
  return linear(features, weight, bias);
}
static Array loss_of(const Arrays& in) {  // in: parameters, images, labels
  const Array* next = in.data();
  return cross_entropy(network([&](const Dims&) { return *next++; }, in[in.size() - 2]), in.back());
}

int main(int argc, char** argv) {
  Arrays p;  // parameters
  std::vector<size_t> all;
  const auto make = [&](const Dims& shape) { return all.push_back(p.size()), p.emplace_back(weights(shape)); };
  network(make, with_examples({}, 1)[0]);
  const ArrayFunction loss = [](const Arrays& in) -> Arrays { return {loss_of(in)}; };
  const ArrayFunction step = jit([&](const Arrays& in) {
    Arrays out = value_and_grad(loss, all)(in);
    for (const size_t i : all) out[1 + i] = in[i] - 0.1 * out[1 + i];
    return out;
  });
  ChartSeries series{.name = "loss"};
  for (int i = 0; i < 200; ++i) {
    const Arrays out = step(with_examples(p, 32));
    p.assign(out.begin() + 1, out.end());
    series.x.push_back(i), series.y.push_back(out[0].item<float>());
    if (i % 50 == 0 || i == 199) std::cout << "step " << i << " loss " << series.y.back() << "\n";
  }
  std::cout << "test loss " << loss_of(with_examples(p, 256)).item<float>() << "\n";
  if (argc > 1) write_svg(argv[1], {.title = "resnet", .y_label = "loss (nats)", .series = {series}});
}
