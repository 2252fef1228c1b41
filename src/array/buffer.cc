// SPDX-License-Identifier: Apache-2.0
#include "array/buffer.h"

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>
#include <vector>

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
      const auto found = kept_.find(bytes);
      if (found != kept_.end() && !found->second.empty()) {
        void* block = found->second.back();
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

  // No more is kept than arrays have ever held at once.
  void give(void* block, int64_t bytes) noexcept {
    const std::lock_guard lock(mutex_);
    statistics_.live_bytes -= bytes;
    if (statistics_.live_bytes + statistics_.kept_bytes + bytes > most_live_) return device_.free(block, bytes);
    kept_[bytes].push_back(block);
    statistics_.kept_bytes += bytes;
  }

  void release() {
    const std::lock_guard lock(mutex_);
    for (auto& [bytes, blocks] : kept_) {
      for (void* block : blocks) device_.free(block, bytes);
    }
    kept_.clear();
    statistics_.kept_bytes = 0;
    most_live_ = statistics_.live_bytes;
  }

  BufferStatistics statistics() const {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  mutable std::mutex mutex_;
  Device& device_ = find_device("cpu");
  std::map<int64_t, std::vector<void*>> kept_;
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
