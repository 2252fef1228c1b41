// SPDX-License-Identifier: Apache-2.0
#pragma once
// Arrays for tests of products.

#include <vector>

#include "array/array.h"

namespace hearth {

// Small whole numbers from -5 to 5 in no order, f32.
inline Array numbers(const Dims& dims) {
  std::vector<float> values(size_t(num_elements(dims)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = float(int(i * 7 % 11) - 5);
  return array(values, dims);
}

}  // namespace hearth
