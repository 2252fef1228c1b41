// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the time of a session went: by instruction, by kernel, and as a trace for chrome://tracing or ui.perfetto.dev.
// The instructions of bodies (while, case) are counted like others; time inside of them is theirs, not their loop's.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "plan/plan.h"

namespace hearth {

struct ProfileEntry {
  std::string kernel, scope;
  std::string operation;  // the kernel, and what a row program computes: "row_program exp mul"
  int64_t bytes = 0;  // of all inputs and outputs of one run; views and re-used bytes count as often as they are named
  int64_t runs = 0;
  int64_t total_ns = 0;
  int64_t nested_ns = 0;  // of total_ns, in instructions of its bodies
};

class Profile {
 public:
  Profile() = default;
  // One entry an instruction: those of the plan, then those of its first body with its bodies, of the second ...
  explicit Profile(const Plan& plan);
  static size_t entries_of(const Plan& plan);

  // Around an instruction: finish(i, start()). What is finished in between is nested in it.
  struct Started {
    int64_t ns, nested_ns;
  };
  Started start() const { return {now_ns(), finished_ns_}; }
  void finish(size_t entry, const Started& started);
  void clear();

  // The entries and events of one run of a session, and the call around it. Equal entries become one.
  void add_call(const std::string& name, int64_t start_ns, int64_t end_ns, const Profile& run);

  const std::vector<ProfileEntry>& entries() const { return entries_; }
  // One line an operation, slowest first: runs, time without what is nested, share, GB/s.
  std::string table() const;
  // JSON in the Trace Event Format. Keeps the first million events. Throws Error{file}.
  void write_trace(const std::string& path) const;

  static int64_t now_ns();

 private:
  struct Event {
    uint32_t entry;
    int64_t start_ns, end_ns;
  };
  void add_entries(const Plan& plan);
  size_t entry_like(const ProfileEntry& entry);
  void add_event(const Event& event);

  std::vector<ProfileEntry> entries_;
  std::vector<Event> events_;
  std::unordered_map<std::string, size_t> known_;  // entries that add_call made
  int64_t finished_ns_ = 0;                        // in instructions that no unfinished one contains
};

}  // namespace hearth
