// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution/conv_shape.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {
namespace {

constexpr int64_t kMostPositions = int64_t{1}
                                   << 48;  // of an axis with its holes and padding: sums of few never overflow

struct Checker {
  const TensorType &lhs, &rhs;
  const Attrs& attrs;
  const std::function<std::string()>& operands;
  size_t spatial = 0;

  // The axes of one tensor, each named once.
  Dims axes(const char* name, int64_t rank) const {
    const Dims& list = attrs.list(name);
    Dims sorted = list;
    std::sort(sorted.begin(), sorted.end());
    bool all = int64_t(list.size()) == rank;
    for (size_t i = 0; all && i < sorted.size(); ++i) all = sorted[i] == int64_t(i);
    HEARTH_CHECK(all, value, "convolution: ", name, " ", ShowDims{list}, " do not name each of ", rank, " axes once",
                 operands());
    return list;
  }
  const Dims& numbers(const char* name, int64_t least) const {
    const Dims& list = attrs.list(name);
    HEARTH_CHECK(list.size() == spatial, value, "convolution: ", name, " ", ShowDims{list}, " needs ", spatial,
                 " numbers, one per spatial axis", operands());
    for (const int64_t x : list) {
      HEARTH_CHECK(x >= least && x <= kMostPositions && x >= -kMostPositions, value, "convolution: ", name, " ",
                   ShowDims{list}, " must lie in ", std::max(least, -kMostPositions), "..", kMostPositions, operands());
    }
    return list;
  }
  int64_t groups(const char* name) const {
    const int64_t count = attrs.integer(name);
    HEARTH_CHECK(count >= 1, value, "convolution: ", name, " is ", count, ", must be at least 1", operands());
    return count;
  }
  int64_t positions(const char* what, int64_t size, int64_t dilation, __int128 padding) const {
    const __int128 all = (size == 0 ? 0 : __int128(size - 1) * dilation + 1) + padding;
    HEARTH_CHECK(all <= kMostPositions, value, "convolution: ", what, " with holes and padding is larger than ",
                 kMostPositions, operands());
    return int64_t(all);
  }
};

}  // namespace

ConvShape conv_shape(const TensorType& lhs, const TensorType& rhs, const Attrs& attrs,
                     const std::function<std::string()>& operands) {
  HEARTH_CHECK(lhs.dtype == rhs.dtype, dtype, "convolution: dtypes differ", operands());
  HEARTH_CHECK(lhs.dtype != DType::boolean, dtype, "convolution: needs numbers", operands());
  HEARTH_CHECK(lhs.rank() == rhs.rank() && lhs.rank() >= 2, shape,
               "convolution: lhs and rhs need the same rank, at least 2", operands());
  Checker check{lhs, rhs, attrs, operands, size_t(lhs.rank() - 2)};
  ConvShape s;
  s.lhs_axes = check.axes("lhs_axes", lhs.rank());
  s.rhs_axes = check.axes("rhs_axes", lhs.rank());
  s.out_axes = check.axes("out_axes", lhs.rank());
  s.feature_groups = check.groups("feature_groups");
  s.batch_groups = check.groups("batch_groups");
  HEARTH_CHECK(s.feature_groups == 1 || s.batch_groups == 1, value, "convolution: feature_groups ", s.feature_groups,
               " and batch_groups ", s.batch_groups, ": one of them must be 1", operands());
  const auto lhs_size = [&](size_t role) { return lhs.dims[size_t(s.lhs_axes[role])]; };
  const auto rhs_size = [&](size_t role) { return rhs.dims[size_t(s.rhs_axes[role])]; };
  s.in_features = rhs_size(1);
  HEARTH_CHECK(__int128(s.in_features) * s.feature_groups == lhs_size(1), shape, "convolution: lhs has ", lhs_size(1),
               " features, rhs takes ", s.in_features,
               s.feature_groups == 1 ? "" : cat(" in each of ", s.feature_groups, " groups"), operands());
  HEARTH_CHECK(rhs_size(0) % s.groups() == 0, shape, "convolution: ", rhs_size(0), " out features do not divide into ",
               s.groups(), " groups", operands());
  HEARTH_CHECK(lhs_size(0) % s.batch_groups == 0, shape, "convolution: a batch of ", lhs_size(0),
               " does not divide into ", s.batch_groups, " groups", operands());
  s.out_features = rhs_size(0) / s.groups();
  s.batch = lhs_size(0) / s.batch_groups;
  const Dims &strides = check.numbers("strides", 1), &low = check.numbers("low", INT64_MIN),
             &high = check.numbers("high", INT64_MIN), &lhs_dilation = check.numbers("lhs_dilation", 1),
             &rhs_dilation = check.numbers("rhs_dilation", 1), &reversal = check.numbers("reversal", 0);
  s.result = {lhs.dtype, Dims(lhs.dims.size())};
  s.result.dims[size_t(s.out_axes[0])] = s.batch;
  s.result.dims[size_t(s.out_axes[1])] = rhs_size(0);
  for (size_t i = 0; i < check.spatial; ++i) {
    const int64_t in = lhs_size(i + 2), window = rhs_size(i + 2);
    const int64_t padded = check.positions("lhs", in, lhs_dilation[i], __int128(low[i]) + high[i]);
    const int64_t reach = check.positions("the window", window, rhs_dilation[i], 0);
    const int64_t out = padded <= 0 || reach > padded ? 0 : (padded - reach) / strides[i] + 1;
    s.axes.push_back(
        {in, window, out, strides[i], low[i], high[i], lhs_dilation[i], rhs_dilation[i], reversal[i] != 0});
    s.result.dims[size_t(s.out_axes[i + 2])] = out;
  }
  __int128 elements = 1;
  for (const int64_t n : s.result.dims) {
    elements *= n;
    HEARTH_CHECK(elements <= kMostPositions, value, "convolution: the result ", ShowDims{s.result.dims},
                 " is too large", operands());
  }
  return s;
}

}  // namespace hearth
