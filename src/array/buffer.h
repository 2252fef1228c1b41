// SPDX-License-Identifier: Apache-2.0
#pragma once
// Memory of evaluated arrays.

#include <cstdint>
#include <memory>

namespace hearth {

// A block of host memory, 64-byte aligned. Given back to a pool when the last array that holds it ends, so that a loop
// over arrays of the same sizes asks the system for nothing.
class Buffer {
 public:
  explicit Buffer(int64_t bytes);  // contents undefined; Error{memory} when there is none
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  int64_t bytes_, block_bytes_;
  void* data_;
};

// Bytes of all buffers alive, and of blocks kept for later ones.
struct BufferStatistics {
  int64_t live_bytes = 0, kept_bytes = 0;
};
BufferStatistics buffer_statistics();
void release_kept_buffers();  // gives all blocks that no array holds back to the system

}  // namespace hearth
