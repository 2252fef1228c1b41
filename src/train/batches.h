// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which rows make up which micro-batch, and their labels.

#include "text/dataset.h"

namespace hearth {

struct Batch {
  int64_t width = 0;                         // T: tokens in a row
  std::vector<int32_t> tokens, labels;       // [B*T]; label = next token, -100 where none counts
  std::vector<int32_t> segments, positions;  // [B*T], packed rows only: which example, and the place in it
  std::vector<int64_t> rows;                 // of the dataset, in order
  int64_t counted = 0;                       // labels that count
  int64_t used = 0;                          // tokens that are no padding
};

struct BatchOptions {
  int64_t batch_size = 8;  // rows; a multiple of those that belong together
  bool shuffle = false;
  uint64_t seed = 0;
  bool group_by_length = false;  // examples of similar length together
  int64_t grad_accum = 1;        // micro-batches of a step: with group_by_length its rows do not depend on their number
  bool any_width = false;        // rows end with the longest example, rounded up; otherwise all have block_size tokens
};

// Micro-batches of one epoch after another. The order of an epoch's rows is a function of seed and epoch alone, so a
// resumed run needs no other record of it. The last micro-batch of an epoch may hold fewer rows: the rest does not
// count. Rows that belong together (TokenBlocks::together) stay so. Padding stands behind the examples, so that causal
// attention never sees it.
class Batches {
 public:
  Batches(const TokenBlocks& blocks, const BatchOptions& options);
  int64_t per_epoch() const { return per_epoch_; }
  void fill(int64_t epoch, int64_t index, Batch& batch);

 private:
  void order_rows(int64_t epoch);
  void group_by_length(std::vector<int64_t>& order) const;
  int64_t width_of(const std::vector<int64_t>& rows) const;
  void fill_row(int64_t row, size_t begin, Batch& batch) const;
  const TokenBlocks& blocks_;
  const BatchOptions options_;
  const int64_t per_epoch_;
  int64_t epoch_ = -1;
  std::vector<int64_t> order_;
};

// Widths that batches of examples may have: at most eight, so that few step programs are needed.
int64_t round_width(int64_t length, int64_t block_size);

}  // namespace hearth
