// SPDX-License-Identifier: Apache-2.0
#include "ir/op.h"

#include <numeric>

namespace hearth {

Value BatchArgs::with_batch(size_t i) const {
  if (batched[i]) return in[i];
  Dims shape = in[i].dims(), axes(shape.size());
  shape.insert(shape.begin(), size);
  std::iota(axes.begin(), axes.end(), 1);
  return graph.add("broadcast_in_dim", {in[i]}, {{"shape", shape}, {"dims", axes}});
}

}  // namespace hearth
