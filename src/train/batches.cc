// SPDX-License-Identifier: Apache-2.0
#include "train/batches.h"

#include <algorithm>
#include <numeric>

namespace hearth {

Batches::Batches(const TokenBlocks& blocks, int64_t batch_size, bool shuffle, uint64_t seed)
    : blocks_(blocks),
      batch_size_(batch_size),
      per_epoch_((blocks.count() + batch_size - 1) / batch_size),
      shuffle_(shuffle),
      seed_(seed) {}

void Batches::fill(int64_t epoch, int64_t index, Batch& batch) {
  if (epoch != epoch_) {
    epoch_ = epoch;
    order_.resize(size_t(blocks_.count()));
    std::iota(order_.begin(), order_.end(), 0);
    if (shuffle_) order_ = shuffled_order(blocks_.count(), seed_, epoch);
  }
  const int64_t T = blocks_.block_size;
  batch.tokens.assign(size_t(batch_size_ * T), 0);
  batch.labels.assign(size_t(batch_size_ * T), -100);
  batch.counted = 0;
  for (int64_t row = 0; row < batch_size_; ++row) {
    const int64_t at = index * batch_size_ + row;
    if (at >= blocks_.count()) break;
    const auto block = blocks_.block(order_[size_t(at)]);
    std::copy(block.begin(), block.end(), batch.tokens.begin() + row * T);
    std::copy(block.begin() + 1, block.end(), batch.labels.begin() + row * T);
    batch.counted += T - 1;
  }
}

}  // namespace hearth
