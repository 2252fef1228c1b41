// SPDX-License-Identifier: Apache-2.0
#pragma once
// The second computation of checkpoint regions, which the backward pass reads instead of the first.

#include <functional>
#include <map>
#include <vector>

#include "ir/derivative.h"

namespace hearth {

class CheckpointRegions {
 public:
  explicit CheckpointRegions(const Stretch& stretch) : stretch_(stretch) {}

  // The region whose values a node's derivative must compute again; 0: none. The region that is still being written
  // needs nothing: the derivative belongs to it.
  int32_t region_of(const Node& node) const {
    return node.checkpoint == stretch_.graph->checkpoint_region ? 0 : node.checkpoint;
  }

  // Writes the second computation of a region, once, when the backward pass first enters it. It reads the region's
  // inputs through a barrier that the cotangents which have arrived enter too, so it cannot start before they exist,
  // and no pass can merge it with the first.
  void enter(int32_t region, const std::function<Value(const Value&)>& cotangent_of);

  // What stands for the value in the second computation.
  Value again(const Value& value, int32_t region) const;

 private:
  using Copy = ValueMap<Value>;
  bool computed_again(const Value& value, int32_t region) const;
  std::vector<Value> read_from_outside(const std::vector<int32_t>& members, int32_t region) const;
  void write_again(int32_t id, Copy& copy);

  Stretch stretch_;
  std::map<int32_t, std::vector<int32_t>> members_;  // nodes of each region, in order; found when first needed
  std::map<int32_t, Copy> copies_;                   // of each region entered
};

}  // namespace hearth
