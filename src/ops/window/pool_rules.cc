// SPDX-License-Identifier: Apache-2.0
// Poolings in terms of reduce_window.
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"
#include "ops/window/window.h"

namespace hearth {
namespace {

WindowDims pool_window(const char* op, const Value& x, const PoolOptions& o) {
  const size_t rank = size_t(x.rank()), spatial = o.window.size(), behind = o.channels_last ? 1 : 0;
  HEARTH_CHECK(spatial + behind <= rank, shape, op, ": ", spatial, " spatial axes",
               o.channels_last ? " before the channels" : "", " do not fit\n  x is ", x);
  for (const Dims* list : {&o.strides, &o.padding_low, &o.padding_high, &o.dilations}) {
    HEARTH_CHECK(list->empty() || list->size() == spatial, shape, op, ": ", ShowDims{*list},
                 " needs one number for each of ", spatial, " spatial axes\n  x is ", x);
  }
  const size_t first = rank - behind - spatial;
  const auto spread = [&](const Dims& list, int64_t otherwise) {
    Dims all(rank, otherwise);
    for (size_t i = 0; i < list.size(); ++i) all[first + i] = list[i];
    return all;
  };
  return {.size = spread(o.window, 1),
          .strides = spread(o.strides.empty() ? o.window : o.strides, 1),
          .base_dilations = Dims(rank, 1),
          .window_dilations = spread(o.dilations, 1),
          .padding_low = spread(o.padding_low, 0),
          .padding_high = spread(o.padding_high, 0)};
}

}  // namespace

Value max_pool(const Value& x, const PoolOptions& options) {
  return reduce_window(x, "max", pool_window("max_pool", x, options));
}

Value avg_pool(const Value& x, const PoolOptions& options) {
  HEARTH_CHECK(is_float(x.dtype()), dtype, "avg_pool: needs floats; x is ", x);
  const WindowDims window = pool_window("avg_pool", x, options);
  const Value sum = reduce_window(x, "sum", window);
  if (options.count_padding) return sum / double(num_elements(options.window));
  // The counts differ along spatial axes only.
  Dims ones = x.dims();
  for (size_t i = 0; i < ones.size(); ++i)
    if (i + options.window.size() + options.channels_last < ones.size() ||
        (options.channels_last && i + 1 == ones.size()))
      ones[i] = std::min<int64_t>(ones[i], 1);
  const Value counts = reduce_window(constant(*x.graph, 1, x.dtype(), ones), "sum", window);
  return sum / maximum(counts, scalar_like(counts, 1));  // a window of padding only: 0, not 0 / 0
}

}  // namespace hearth
