// SPDX-License-Identifier: Apache-2.0
// Batches of the shape operations: the same operation, one axis further.
#include "ops/shape/batch_rules.h"

#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

void batch_broadcast(BatchArgs& b) {
  const Dims dims = with_first(0, axes_after_batch(b.node.attrs.list("dims")));
  b.out = {broadcast_in_dim(b.in[0], with_first(b.size, b.node.attrs.list("shape")), dims)};
}

void batch_reshape(BatchArgs& b) { b.out = {reshape(b.in[0], with_first(b.size, b.node.attrs.list("shape")))}; }

void batch_transpose(BatchArgs& b) {
  b.out = {transpose(b.in[0], with_first(0, axes_after_batch(b.node.attrs.list("permutation"))))};
}

void batch_slice(BatchArgs& b) {
  const Attrs& attrs = b.node.attrs;
  b.out = {slice(b.in[0], with_first(0, attrs.list("start")), with_first(b.size, attrs.list("limit")),
                 with_first(1, attrs.list("strides")))};
}

void batch_reverse(BatchArgs& b) { b.out = {reverse(b.in[0], axes_after_batch(b.node.attrs.list("dims")))}; }

void batch_concatenate(BatchArgs& b) {
  std::vector<Value> parts;
  for (size_t i = 0; i < b.in.size(); ++i) parts.push_back(b.with_batch(i));
  b.out = {concatenate(parts, b.node.attrs.integer("dimension") + 1)};
}

// One fill for each example: pad with the first thing at hand, then put the fill where a padded mask says so.
void batch_pad(BatchArgs& b) {
  const Attrs& attrs = b.node.attrs;
  const Padding padding{with_first(0, attrs.list("low")), with_first(0, attrs.list("high")),
                        with_first(0, attrs.list("interior"))};
  const Value x = b.with_batch(0);
  if (!b.batched[1]) {
    b.out = {pad(x, b.in[1], padding)};
    return;
  }
  const Value outside =
      pad(constant(b.graph, 0, DType::boolean, x.dims()), constant(b.graph, 1, DType::boolean), padding);
  const Value padded = pad(x, constant(b.graph, 0, x.dtype()), padding);
  b.out = {select(outside, broadcast_in_dim(b.in[1], padded.dims(), {0}), padded)};
}

}  // namespace hearth
