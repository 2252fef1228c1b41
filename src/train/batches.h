// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which blocks make up which micro-batch, and their labels.

#include "text/dataset.h"

namespace hearth {

struct Batch {
  std::vector<int32_t> tokens, labels;  // [B*T]; label = next token, -100 where none counts
  int64_t counted = 0;                  // labels that count
};

// Micro-batches of one epoch after another. The order of an epoch's blocks is a function of seed and epoch alone, so a
// resumed run needs no other record of it. The last micro-batch of an epoch may hold fewer blocks: the rest does not
// count.
class Batches {
 public:
  Batches(const TokenBlocks& blocks, int64_t batch_size, bool shuffle, uint64_t seed);
  int64_t per_epoch() const { return per_epoch_; }
  void fill(int64_t epoch, int64_t index, Batch& batch);

 private:
  const TokenBlocks& blocks_;
  const int64_t batch_size_, per_epoch_;
  const bool shuffle_;
  const uint64_t seed_;
  int64_t epoch_ = -1;
  std::vector<int64_t> order_;
};

}  // namespace hearth
