// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the time of a session went: by instruction, by kernel, and as a trace for chrome://tracing or ui.perfetto.dev.

#include <cstdint>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace hearth {

struct ProfileEntry {
  std::string kernel, scope;
  int64_t bytes = 0;  // of all inputs and outputs of one run; views and re-used bytes count as often as they are named
  int64_t runs = 0;
  int64_t total_ns = 0;
};

class Profile {
 public:
  explicit Profile(const Plan& plan);

  void record(size_t instruction, int64_t start_ns, int64_t end_ns);
  void clear();

  const std::vector<ProfileEntry>& entries() const { return entries_; }  // per instruction
  // One line a kernel, slowest first: runs, time, share, GB/s.
  std::string table() const;
  // JSON in the Trace Event Format. Keeps the first million events. Throws Error{file}.
  void write_trace(const std::string& path) const;

 private:
  struct Event {
    uint32_t instruction;
    int64_t start_ns, end_ns;
  };
  std::vector<ProfileEntry> entries_;
  std::vector<Event> events_;
};

}  // namespace hearth
