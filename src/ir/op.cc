// SPDX-License-Identifier: Apache-2.0
#include "ir/op.h"

#include <numeric>

#include "ir/batch.h"

namespace hearth {

Value repeat_for_batch(const Value& x, int64_t size) {
  Dims shape = x.dims(), axes(shape.size());
  shape.insert(shape.begin(), size);
  std::iota(axes.begin(), axes.end(), 1);
  return x.graph->add("broadcast_in_dim", {x}, {{"shape", shape}, {"dims", axes}});
}

Value BatchArgs::with_batch(size_t i) const { return batched[i] ? in[i] : repeat_for_batch(in[i], size); }

}  // namespace hearth
