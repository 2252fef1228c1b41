// SPDX-License-Identifier: Apache-2.0
// A multi-layer perceptron that learns ten digits of 28 x 28 points: strokes of its own making, moved
// about and covered with noise. Writes a chart of the loss:  mlp [mlp.svg]
#include <iostream>
#include <random>

#include "array/jit.h"
#include "array/neural.h"
#include "train/metrics/svg_chart.h"

using namespace hearth;

static std::mt19937 random_bits(1);
static float uniform() { return float(random_bits() >> 8) * 0x1p-24f; }

// [rows, columns], uniform within +-sqrt(3 / columns): variance 1 / columns.
static Array weights(int64_t rows, int64_t columns) {
  std::vector<float> values(static_cast<size_t>(rows * columns));
  for (float& value : values) value = (2 * uniform() - 1) * std::sqrt(3.0f / float(columns));
  return array(values, {rows, columns});
}

// Seven strokes, lit as on a pocket calculator.
static bool lit(int digit, int y, int x) {
  static const int strokes[10] = {0x77, 0x24, 0x5d, 0x6d, 0x2e, 0x6b, 0x7b, 0x25, 0x7f, 0x6f};
  const bool left = x < 3, right = x >= 9, top = y < 9, row = x >= 2 && x < 10;
  const int on = strokes[digit];
  return (row && y < 3 && on & 1) || (left && top && on & 2) || (right && top && on & 4) ||
         (row && y >= 8 && y < 11 && on & 8) || (left && !top && on & 16) || (right && !top && on & 32) ||
         (row && y >= 16 && on & 64);
}

struct Examples {
  Array images, labels;  // [B, 784], [B]
};
static Examples draw(int64_t count) {
  std::vector<float> images;
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    labels.push_back(int32_t(random_bits() % 10));
    const int down = int(random_bits() % 9), across = int(random_bits() % 16);
    for (int y = 0; y < 28; ++y)
      for (int x = 0; x < 28; ++x) {
        const bool inside = y >= down && y < down + 19 && x >= across && x < across + 12;
        images.push_back(0.8f * uniform() + (inside && lit(labels.back(), y - down, x - across) ? 0.5f : 0.0f));
      }
  }
  return {array(images, {count, 784}), array(labels)};
}

static Array logits(const Arrays& p, const Array& x) {
  const Array h = relu(linear(x - 0.5, p[0], p[1]));
  return linear(relu(linear(h, p[2], p[3])), p[4], p[5]);
}

int main(int argc, char** argv) {
  const Array zeros[] = {array(std::vector<float>(256)), array(std::vector<float>(64)), array(std::vector<float>(10))};
  Arrays p{weights(256, 784), zeros[0], weights(64, 256), zeros[1], weights(10, 64), zeros[2]};
  const ArrayFunction loss = [](const Arrays& in) -> Arrays { return {cross_entropy(logits(in, in[6]), in[7])}; };
  const ArrayFunction step = jit(
      [&](const Arrays& in) {
        Arrays out = value_and_grad(loss, {0, 1, 2, 3, 4, 5})(in);
        for (size_t i = 0; i < 6; ++i) out[1 + i] = in[i] - 0.1 * out[1 + i];
        return out;
      },
      {.donate = {0, 1, 2, 3, 4, 5}});
  ChartSeries series{.name = "loss"};
  for (int i = 0; i < 600; ++i) {
    const Examples batch = draw(64);
    const Arrays out = step({p[0], p[1], p[2], p[3], p[4], p[5], batch.images, batch.labels});
    p.assign(out.begin() + 1, out.end());
    series.x.push_back(i);
    series.y.push_back(out[0].item<float>());
    if (i % 100 == 0 || i == 599) std::cout << "step " << i << " loss " << series.y.back() << "\n";
  }
  const Examples test = draw(1000);
  std::cout << "test loss " << cross_entropy(logits(p, test.images), test.labels).item<float>() << "\n";
  if (argc > 1) write_svg(argv[1], {.title = "mlp", .x_label = "step", .y_label = "loss (nats)", .series = {series}});
}
