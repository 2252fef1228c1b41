// SPDX-License-Identifier: Apache-2.0
// The two devices whose memory is the host's: cpu and reference.

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>

#include "base/error.h"
#include "device/device.h"

namespace hearth {
namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;
// From here on a block is mapped for itself: pages come when touched, huge ones where the system has them.
constexpr int64_t kMapFrom = 2 * kHugePage;

int64_t round_up(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

// What the system says it can still give without swapping; a huge number where it says nothing.
int64_t free_bytes() {
  int64_t available = std::numeric_limits<int64_t>::max();
  std::ifstream meminfo("/proc/meminfo");
  for (std::string key; meminfo >> key;) {
    int64_t kib = 0;
    if (key == "MemAvailable:" && meminfo >> kib) available = kib * 1024;
    meminfo.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  int64_t limit = 0, used = 0;  // a container's own limit; the file says "max" when there is none
  if (std::ifstream("/sys/fs/cgroup/memory.max") >> limit && std::ifstream("/sys/fs/cgroup/memory.current") >> used) {
    available = std::min(available, std::max<int64_t>(limit - used, 0));
  }
  return available;
}

[[noreturn]] void fail_out_of_memory(const std::string& device, int64_t bytes) {
  HEARTH_FAIL(memory, device, ": out of memory: wanted ", show_bytes(bytes), ", ", show_bytes(free_bytes()), " free");
}

// The system promises more than it has and kills the process when it touches the rest, so big wishes are refused here.
void* map_block(const std::string& device, int64_t bytes) {
  if (bytes > free_bytes()) fail_out_of_memory(device, bytes);
  // One huge page more than wanted, so that an aligned start lies inside; the ends are given back.
  const int64_t size = round_up(bytes, kHugePage);
  void* mapped = mmap(nullptr, size_t(size + kHugePage), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) fail_out_of_memory(device, bytes);
  char* start = static_cast<char*>(mapped);
  char* aligned = reinterpret_cast<char*>(round_up(int64_t(reinterpret_cast<uintptr_t>(start)), kHugePage));
  if (aligned > start) munmap(start, size_t(aligned - start));
  if (aligned < start + kHugePage) munmap(aligned + size, size_t(start + kHugePage - aligned));
#ifdef MADV_HUGEPAGE
  madvise(aligned, size_t(size), MADV_HUGEPAGE);
#endif
  return aligned;
}

class HostDevice : public Device {
 public:
  using Device::Device;

  void* allocate(int64_t bytes) override {
    HEARTH_CHECK(bytes >= 0, bug, name(), ": wanted ", bytes, " bytes");
    if (bytes > std::numeric_limits<int64_t>::max() / 2) fail_out_of_memory(name(), bytes);
    if (bytes >= kMapFrom) return map_block(name(), bytes);
    void* data = std::aligned_alloc(64, size_t(round_up(std::max<int64_t>(bytes, 1), 64)));
    if (!data) fail_out_of_memory(name(), bytes);
    return data;
  }
  void free(void* data, int64_t bytes) noexcept override {
    if (bytes >= kMapFrom) {
      munmap(data, size_t(round_up(bytes, kHugePage)));
    } else {
      std::free(data);
    }
  }
  void copy_in(void* to_device, const void* from_host, int64_t bytes) override { copy(to_device, from_host, bytes); }
  void copy_out(void* to_host, const void* from_device, int64_t bytes) override { copy(to_host, from_device, bytes); }
  bool shares_host_memory() const override { return true; }

 protected:
  static void copy(void* to, const void* from, int64_t bytes) {
    if (bytes > 0) std::memcpy(to, from, size_t(bytes));
  }
};

// Fresh memory holds NaN (all bits set) instead of convenient zeros, and copies must name memory of this device: a plan
// that forgets a move or reads what nobody wrote shows in the first test.
class ReferenceDevice : public HostDevice {
 public:
  using HostDevice::HostDevice;

  void* allocate(int64_t bytes) override {
    void* data = HostDevice::allocate(bytes);
    if (bytes > 0) std::memset(data, 0xff, size_t(bytes));
    const std::lock_guard lock(mutex_);
    blocks_[static_cast<const char*>(data)] = bytes;
    return data;
  }
  void free(void* data, int64_t bytes) noexcept override {
    {
      const std::lock_guard lock(mutex_);
      blocks_.erase(static_cast<const char*>(data));
    }
    HostDevice::free(data, bytes);
  }
  void copy_in(void* to_device, const void* from_host, int64_t bytes) override {
    HEARTH_CHECK(owns(to_device, bytes), bug, "reference: copy to memory of another device");
    copy(to_device, from_host, bytes);
  }
  void copy_out(void* to_host, const void* from_device, int64_t bytes) override {
    HEARTH_CHECK(owns(from_device, bytes), bug, "reference: copy from memory of another device");
    copy(to_host, from_device, bytes);
  }
  bool shares_host_memory() const override { return false; }

 private:
  bool owns(const void* data, int64_t bytes) {
    const std::lock_guard lock(mutex_);
    const char* begin = static_cast<const char*>(data);
    auto block = blocks_.upper_bound(begin);
    if (block == blocks_.begin()) return false;
    --block;
    return begin + bytes <= block->first + block->second;
  }

  std::mutex mutex_;
  std::map<const char*, int64_t> blocks_;
};

}  // namespace

// Never destroyed: memory may be freed by objects that live until the process ends.
Device& cpu_device() {
  static HostDevice& device = *new HostDevice("cpu");
  return device;
}
Device& reference_device() {
  static ReferenceDevice& device = *new ReferenceDevice("reference");
  return device;
}

}  // namespace hearth
