// SPDX-License-Identifier: Apache-2.0
#include "array/indexing.h"

#include "array/indexing_values.h"
#include "array/recording.h"
#include "base/error.h"

namespace hearth {

static Values as_values(const Arrays& arrays) {
  Values values;
  for (const Array& array : arrays) values.push_back(to_value(array));
  return values;
}

Array get_indexed(const Array& x, const IndexList& index, const GetOptions& options) {
  const std::lock_guard lock(array_mutex());
  const IndexPlan plan = index_plan("index", x, index);
  if (plan.is_whole() && plan.result == x.shape()) return x;
  HEARTH_CHECK(!options.fill || options.fill->ndim() == 0, shape, "index: fill must be a scalar; it is ",
               options.fill->type());
  const bool evaluated = x.state()->buffer != nullptr;
  const Value v = to_value(x);
  ReadOptions read{.mode = options.mode, .evaluated = evaluated};
  if (options.mode != IndexMode::clip)
    read.fill = options.fill ? to_value(*options.fill, x.dtype()) : usual_fill(*v.graph, x.dtype());
  return from_value(read_at(v, plan, as_values(plan.arrays), read), x.weak());
}

}  // namespace hearth
