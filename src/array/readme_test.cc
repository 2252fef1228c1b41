// SPDX-License-Identifier: Apache-2.0
// The README's program on arrays.
#include <gtest/gtest.h>

#include "array/arrays.h"

namespace hearth {

TEST(Readme, arrays) {
  Array x = random::normal(random::key(0), {1000, 3});
  Array w = zeros({3});
  const auto loss = [&](const Array& w) { return mean(square(matmul(x, w) - 1)); };
  const float before = loss(w).item<float>();
  const auto step = jit([&](const Array& w) { return w - 0.1 * grad(loss)(w); });
  for (int i = 0; i < 100; ++i) w = step(w);
  EXPECT_LT(loss(w).item<float>(), before);
  const std::vector<float> slope = grad(loss)(w).to_vector<float>();
  for (const float s : slope) EXPECT_NEAR(s, 0, 1e-5);
  EXPECT_EQ(w.at(0).multiply(2)(0).item<float>(), 2 * w(0).item<float>());
}

}  // namespace hearth
