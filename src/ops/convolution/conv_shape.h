// SPDX-License-Identifier: Apache-2.0
#pragma once
// The sizes of a convolution by their role, from the attributes of a node or instruction. For both sides: the shape
// rule and the kernels' checks.

#include <functional>
#include <string>
#include <vector>

#include "base/attrs.h"
#include "base/shape.h"

namespace hearth {

// One spatial axis. Output position o meets lhs position (o * stride + t * rhs_dilation - low) / lhs_dilation at window
// position t, when that is whole and inside [0, lhs).
struct ConvAxis {
  int64_t lhs, window, out;
  int64_t stride, low, high, lhs_dilation, rhs_dilation;
  bool reversed;
};

struct ConvShape {
  int64_t batch, in_features, out_features;  // per group: batch elements, features summed over, features of the result
  int64_t feature_groups, batch_groups;
  std::vector<ConvAxis> axes;
  Dims lhs_axes, rhs_axes, out_axes;
  TensorType result;

  int64_t groups() const { return feature_groups * batch_groups; }  // one of them is 1
};

// Throws Error; `operands` gives the lines that say what lhs and rhs are.
ConvShape conv_shape(const TensorType& lhs, const TensorType& rhs, const Attrs& attrs,
                     const std::function<std::string()>& operands);

inline int64_t dilated(int64_t size, int64_t dilation) { return size == 0 ? 0 : (size - 1) * dilation + 1; }

}  // namespace hearth
