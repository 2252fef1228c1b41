// SPDX-License-Identifier: Apache-2.0
#include "train/batches.h"

#include <algorithm>
#include <numeric>

namespace hearth {

static constexpr int64_t kWidths = 8, kWidthUnit = 16;
static constexpr int64_t kGroupedBatches =
    50;  // steps; sorted among each other, as transformers' LengthGroupedSampler does

int64_t round_width(int64_t length, int64_t block_size) {
  const int64_t unit = std::max(kWidthUnit, (block_size / kWidths + kWidthUnit - 1) / kWidthUnit * kWidthUnit);
  return std::min(block_size, (length + unit - 1) / unit * unit);
}

Batches::Batches(const TokenBlocks& blocks, const BatchOptions& options)
    : blocks_(blocks), options_(options), per_epoch_((blocks.count() + options.batch_size - 1) / options.batch_size) {}

void Batches::order_rows(int64_t epoch) {
  epoch_ = epoch;
  const int64_t together = blocks_.together, groups = blocks_.count() / together;
  std::vector<int64_t> order(static_cast<size_t>(groups));
  std::iota(order.begin(), order.end(), 0);
  if (options_.shuffle) order = shuffled_order(groups, options_.seed, epoch);
  if (options_.group_by_length && blocks_.has_examples() && !blocks_.packed()) group_by_length(order);
  order_.clear();
  for (const int64_t group : order)
    for (int64_t i = 0; i < together; ++i) order_.push_back(group * together + i);
}

void Batches::group_by_length(std::vector<int64_t>& order) const {
  const int64_t together = blocks_.together;
  const auto length = [&](int64_t group) {
    int64_t longest = 0;
    for (int64_t i = 0; i < together; ++i) longest = std::max(longest, blocks_.length(group * together + i));
    return longest;
  };
  const std::ptrdiff_t sorted = kGroupedBatches * options_.batch_size * options_.grad_accum / together;
  for (auto begin = order.begin(); begin < order.end();) {
    const auto end = order.end() - begin > sorted ? begin + sorted : order.end();
    std::stable_sort(begin, end, [&](int64_t a, int64_t b) { return length(a) > length(b); });
    begin = end;
  }
}

int64_t Batches::width_of(const std::vector<int64_t>& rows) const {
  if (!options_.any_width || !blocks_.has_examples() || blocks_.packed()) return blocks_.block_size;
  int64_t longest = 2;
  for (const int64_t row : rows) longest = std::max(longest, blocks_.length(row));
  return round_width(longest, blocks_.block_size);
}

// A token is predicted from those before it in the same example; the first of an example is not.
void Batches::fill_row(int64_t row, size_t at, Batch& batch) const {
  int32_t segment = 0;
  for (const int64_t example : blocks_.members(row)) {
    const std::vector<int32_t> ids = blocks_.block(example);
    for (size_t i = 0; i < ids.size(); ++i, ++at) {
      const bool counts = ids[i] >= 0;
      batch.tokens[at] = counts ? ids[i] : ~ids[i];
      if (blocks_.packed()) {
        batch.segments[at] = segment;
        batch.positions[at] = int32_t(i);
      }
      if (i == 0 || !counts) continue;
      batch.labels[at - 1] = ids[i];
      ++batch.counted;
    }
    batch.used += int64_t(ids.size());
    ++segment;
  }
}

void Batches::fill(int64_t epoch, int64_t index, Batch& batch) {
  if (epoch != epoch_) order_rows(epoch);
  const int64_t begin = index * options_.batch_size, end = std::min(begin + options_.batch_size, blocks_.count());
  const std::vector<int64_t> rows(order_.begin() + begin, order_.begin() + end);
  batch.width = width_of(rows);
  const size_t size = size_t(options_.batch_size * batch.width);
  batch.tokens.assign(size, 0);
  batch.labels.assign(size, -100);
  batch.counted = batch.used = 0;
  if (blocks_.packed()) {
    batch.segments.assign(size, -1);
    batch.positions.assign(size, 0);
  }
  for (size_t r = 0; r < rows.size(); ++r) fill_row(rows[r], r * size_t(batch.width), batch);
  batch.rows = rows;
}

}  // namespace hearth
