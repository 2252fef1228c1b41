// SPDX-License-Identifier: Apache-2.0
#pragma once
// Arena: the scratch memory that plans place their intermediate tensors in, one block per device. Sessions that never
// run at the same time (a training step and an evaluation) can share one.

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device/device.h"
#include "plan/plan.h"

namespace hearth {

class Arena {
 public:
  // Room for the largest of these plans on each of their devices. Memory is used only once touched.
  // Throws Error{memory} that lists the biggest tensors.
  static std::shared_ptr<Arena> for_plans(const std::vector<const Plan*>& plans);

  bool fits(const Plan& plan) const;
  void* data(const std::string& device) const { return blocks_.at(device).data(); }
  int64_t bytes() const;

  // Held by a session while it runs. Throws Error{state} when another session holds it.
  class Lease {
   public:
    explicit Lease(Arena& arena);
    ~Lease() { arena_.busy_.clear(std::memory_order_release); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

   private:
    Arena& arena_;
  };

 private:
  std::map<std::string, DeviceMemory> blocks_;
  std::atomic_flag busy_;
};

// The plan's largest tensors with their places in the model, one line, for messages about memory.
std::string biggest_tensors(const Plan& plan);

}  // namespace hearth
