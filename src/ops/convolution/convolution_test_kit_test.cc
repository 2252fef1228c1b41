// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution/convolution_test_kit_test.h"

#include <algorithm>
#include <numeric>

namespace hearth {
namespace {

Dims or_all(const Dims& list, size_t count, int64_t value) { return list.empty() ? Dims(count, value) : list; }
Dims or_in_order(const Dims& list, size_t count) {
  Dims axes(count);
  std::iota(axes.begin(), axes.end(), 0);
  return list.empty() ? axes : list;
}

// x with its axes in the order `axes`.
Reals arranged(const Reals& x, const Dims& axes) {
  Dims dims;
  for (const int64_t axis : axes) dims.push_back(x.dim(axis));
  Reals y(dims);
  for_each_index(dims, [&](const Dims& index, int64_t i) {
    Dims from(index.size());
    for (size_t k = 0; k < axes.size(); ++k) from[size_t(axes[k])] = index[k];
    y[i] = x(from);
  });
  return y;
}

// [N, C, spatial...] with holes and padding.
Reals spread(const Reals& x, const Dims& dilation, const Dims& low, const Dims& high) {
  Dims dims = x.dims;
  for (size_t i = 0; i < low.size(); ++i) {
    int64_t& n = dims[i + 2];
    n = std::max<int64_t>(0, (n == 0 ? 0 : (n - 1) * dilation[i] + 1) + low[i] + high[i]);
  }
  Reals y(dims);
  for_each_index(x.dims, [&](const Dims& index, int64_t i) {
    Dims to = index;
    for (size_t a = 0; a < low.size(); ++a) {
      to[a + 2] = index[a + 2] * dilation[a] + low[a];
      if (to[a + 2] < 0 || to[a + 2] >= dims[a + 2]) return;
    }
    y(to) = x[i];
  });
  return y;
}

}  // namespace

Reals convolution_definition(const Reals& lhs, const Reals& rhs, const ConvolutionOptions& o) {
  const size_t rank = lhs.dims.size(), spatial = rank - 2;
  const Dims strides = or_all(o.strides, spatial, 1), dilation = or_all(o.rhs_dilation, spatial, 1),
             reversal = or_all(o.reversal, spatial, 0);
  const Reals x = spread(arranged(lhs, or_in_order(o.axes.lhs, rank)), or_all(o.lhs_dilation, spatial, 1),
                         or_all(o.low, spatial, 0), or_all(o.high, spatial, 0));
  const Reals w = arranged(rhs, or_in_order(o.axes.rhs, rank));
  Dims dims{x.dim(0) / o.batch_groups, w.dim(0)}, window(w.dims.begin() + 1, w.dims.end());
  for (size_t i = 0; i < spatial; ++i) {
    const int64_t reach = w.dims[i + 2] == 0 ? 0 : (w.dims[i + 2] - 1) * dilation[i] + 1, all = x.dims[i + 2];
    dims.push_back(all <= 0 || reach > all ? 0 : (all - reach) / strides[i] + 1);
  }
  Reals y(dims);
  Dims from(rank), at(rank);
  for_each_index(dims, [&](const Dims& index, int64_t i) {
    const int64_t groups = o.feature_groups * o.batch_groups, group = index[1] / (w.dim(0) / groups);
    for_each_index(window, [&](const Dims& t, int64_t) {
      at[0] = index[1];
      at[1] = t[0];
      from[0] = index[0] + (o.batch_groups > 1 ? group * dims[0] : 0);
      from[1] = t[0] + (o.feature_groups > 1 ? group * w.dim(1) : 0);
      for (size_t a = 0; a < spatial; ++a) {
        from[a + 2] = index[a + 2] * strides[a] + t[a + 1] * dilation[a];
        at[a + 2] = reversal[a] ? w.dims[a + 2] - 1 - t[a + 1] : t[a + 1];
      }
      y[i] += x(from) * w(at);
    });
  });
  const Dims to = or_in_order(o.axes.out, rank);
  Dims back(rank);
  for (size_t k = 0; k < rank; ++k) back[size_t(to[k])] = int64_t(k);
  return arranged(y, back);
}

}  // namespace hearth
