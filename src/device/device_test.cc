// SPDX-License-Identifier: Apache-2.0
#include "device/device.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/file_test_folder.h"
#include "device/register_kernel.h"

namespace hearth {
namespace {

TEST(Device, names) {
  EXPECT_EQ(device_names(), (std::vector<std::string>{"cpu", "reference"}));
  EXPECT_TRUE(find_device("cpu").shares_host_memory());
  EXPECT_FALSE(find_device("reference").shares_host_memory());
  EXPECT_EQ(error_of(Kind::unsupported, [] { find_device("cuda9"); }),
            "there is no device 'cuda9'; this build has: cpu, reference");
}

TEST(Device, memory_is_aligned_and_whole) {
  for (const std::string& name : device_names()) {
    for (int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{63}, int64_t{65}, int64_t{4} << 20, (int64_t{5} << 20) + 1}) {
      DeviceMemory memory(find_device(name), bytes);
      ASSERT_NE(memory.data(), nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.data()) % 64, 0u) << name << " " << bytes;
      if (bytes > 0) std::memset(memory.data(), 1, size_t(bytes));
    }
  }
}

TEST(Device, memory_moves_with_its_owner) {
  DeviceMemory a(find_device("cpu"), 8), b;
  void* data = a.data();
  b = std::move(a);
  EXPECT_EQ(b.data(), data);
  EXPECT_EQ(DeviceMemory(std::move(b)).data(), data);
}

// Refused before the system promises what it does not have.
TEST(Device, out_of_memory) {
  for (int64_t bytes : {int64_t{1} << 45, int64_t{1} << 62, INT64_MAX}) {
    EXPECT_EQ(error_of(Kind::memory, [&] { DeviceMemory(find_device("cpu"), bytes); })
                  .find(cat("cpu: out of memory: wanted ", show_bytes(bytes), ", ")),
              0u);
  }
}

TEST(ReferenceDevice, hides_its_memory_and_shows_what_nobody_wrote) {
  Device& device = find_device("reference");
  DeviceMemory memory(device, 8);
  EXPECT_TRUE(std::isnan(static_cast<float*>(memory.data())[1]));
  const float two[2] = {1, 2};
  float back[2] = {};
  device.copy_in(memory.data(), two, 8);
  device.copy_out(back, memory.data(), 8);
  EXPECT_EQ(back[1], 2);
  EXPECT_THROW(device.copy_out(back, two, 8), Error);
  EXPECT_THROW(device.copy_in(memory.data(), two, 16), Error);  // longer than the block
}

TEST(Device, show_bytes) {
  EXPECT_EQ(show_bytes(1023), "1023 B");
  EXPECT_EQ(show_bytes(1024), "1.00 KiB");
  EXPECT_EQ(show_bytes(2254857830), "2.10 GiB");
  EXPECT_EQ(show_bytes(INT64_MAX), "8.00 EiB");
}

TEST(KernelRegistry, names_are_unique) {
  EXPECT_EQ(find_kernel("no such kernel"), nullptr);
  ASSERT_NE(find_kernel("reference.add"), nullptr);
  EXPECT_EQ(find_kernel("reference.add")->name, "reference.add");
  EXPECT_THROW(register_kernel(*find_kernel("reference.add")), Error);
  EXPECT_THROW(register_kernel({"test.nothing", nullptr, nullptr}), Error);
  EXPECT_EQ(find_kernel("test.nothing"), nullptr);
}

}  // namespace
}  // namespace hearth
