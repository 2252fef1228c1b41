// SPDX-License-Identifier: Apache-2.0
#pragma once
// Device: memory that kernels work in. "cpu" is the host's memory. "reference" lies in host memory too but hides it: it
// has a heap of its own, so that plans must move tensors to it and back as they would for a GPU, on any machine.

#include <cstdint>
#include <string>
#include <vector>

namespace hearth {

class Device {
 public:
  explicit Device(std::string name) : name_(std::move(name)) {}
  virtual ~Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const std::string& name() const { return name_; }

  // 64-byte aligned, contents undefined; big blocks cost memory only when touched. Never null, also for 0 bytes.
  // Throws Error{memory}: "cpu: out of memory: wanted 2.10 GiB, 1.30 GiB free".
  virtual void* allocate(int64_t bytes) = 0;
  virtual void free(void* data, int64_t bytes) noexcept = 0;  // bytes as given to allocate
  virtual void copy_in(void* to_device, const void* from_host, int64_t bytes) = 0;
  virtual void copy_out(void* to_host, const void* from_device, int64_t bytes) = 0;
  virtual bool shares_host_memory() const = 0;  // kernels of this device may read any host memory: nothing is copied

 private:
  std::string name_;
};

Device& find_device(const std::string& name);  // Error{unsupported} that lists the devices when there is none
std::vector<std::string> device_names();

// "2.10 GiB", "640 B"
std::string show_bytes(int64_t bytes);

// One block of device memory; frees it.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(Device& device, int64_t bytes) : device_(&device), data_(device.allocate(bytes)), bytes_(bytes) {}
  ~DeviceMemory() {
    if (device_) device_->free(data_, bytes_);
  }
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    swap(other);
    return *this;
  }

  void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  void swap(DeviceMemory& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }
  Device* device_ = nullptr;
  void* data_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace hearth
