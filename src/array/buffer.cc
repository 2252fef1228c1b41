// SPDX-License-Identifier: Apache-2.0
#include "array/buffer.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <list>
#include <mutex>
#include <unordered_map>

#include "base/error.h"
#include "device/device.h"

namespace hearth {
namespace {

// Blocks that nobody holds, by size. Safe from several threads.
class BlockPool {
 public:
  void* take(int64_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      statistics_.live_bytes += bytes;
      most_live_ = std::max(most_live_, statistics_.live_bytes);
      const auto found = by_size_.find(bytes);
      if (found != by_size_.end() && !found->second.empty()) {
        void* block = found->second.back()->data;  // given last: what a cache still holds
        kept_.erase(found->second.back());
        found->second.pop_back();
        statistics_.kept_bytes -= bytes;
        return block;
      }
    }
    try {
      return device_.allocate(bytes);
    } catch (const Error&) {  // what is kept may be what is missing
      release();
    }
    try {
      return device_.allocate(bytes);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      statistics_.live_bytes -= bytes;
      throw;
    }
  }

  // No more is kept than arrays have ever held at once; what was given first makes room for what is given now, which
  // a loop will want again.
  void give(void* block, int64_t bytes) noexcept {
    const std::lock_guard lock(mutex_);
    statistics_.live_bytes -= bytes;
    while (!kept_.empty() && statistics_.live_bytes + statistics_.kept_bytes + bytes > most_live_) free_first();
    by_size_[bytes].push_back(kept_.insert(kept_.end(), {block, bytes}));
    statistics_.kept_bytes += bytes;
  }

  void release() {
    const std::lock_guard lock(mutex_);
    while (!kept_.empty()) free_first();
    by_size_.clear();
    most_live_ = statistics_.live_bytes;
  }

  BufferStatistics statistics() const {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  struct Block {
    void* data;
    int64_t bytes;
  };

  void free_first() {
    const Block block = kept_.front();
    std::deque<std::list<Block>::iterator>& same = by_size_[block.bytes];
    same.pop_front();  // lists of a size are in the order of kept_
    kept_.pop_front();
    statistics_.kept_bytes -= block.bytes;
    device_.free(block.data, block.bytes);
  }

  mutable std::mutex mutex_;
  Device& device_ = find_device("cpu");
  std::list<Block> kept_;  // in the order in which they were given
  std::unordered_map<int64_t, std::deque<std::list<Block>::iterator>> by_size_;
  BufferStatistics statistics_;
  int64_t most_live_ = 0;
};

// Never destroyed: arrays in static variables may end after it would have.
BlockPool& pool() {
  static BlockPool& the_pool = *new BlockPool;
  return the_pool;
}

// Sizes of a kind share blocks: 16 steps between powers of two waste at most a sixteenth.
int64_t block_size(int64_t bytes) {
  if (bytes <= 64) return 64;
  const int64_t step = std::max<int64_t>(64, int64_t(std::bit_floor(uint64_t(bytes))) / 16);
  return (bytes + step - 1) / step * step;
}

}  // namespace

Buffer::Buffer(int64_t bytes) : bytes_(bytes), block_bytes_(block_size(bytes)), data_(pool().take(block_bytes_)) {}
Buffer::~Buffer() { pool().give(data_, block_bytes_); }

BufferStatistics buffer_statistics() { return pool().statistics(); }
void release_kept_buffers() { pool().release(); }

}  // namespace hearth
