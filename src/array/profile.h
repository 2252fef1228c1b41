// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the time of array programs goes. While a Profiling lives, what its thread evaluates and the jitted functions it
// calls are timed, instruction by instruction:
//   Profiling profiling("trace.json");
//   step(w, x);
//   std::cout << profiling.table();
// The trace opens in ui.perfetto.dev: each call with its operations inside, each operation with the Scopes in which the
// function wrote it. Cost: about 50 ns an instruction.

#include <string>

#include "runtime/profile.h"

namespace hearth {

class Session;

class Profiling {
 public:
  // Ends what an earlier Profiling of this thread counts, until this one is gone.
  Profiling();
  explicit Profiling(std::string trace_path);  // written at the end; a file that cannot be is told on the error stream
  ~Profiling();
  Profiling(const Profiling&) = delete;
  Profiling& operator=(const Profiling&) = delete;

  const Profile& profile() const { return profile_; }
  std::string table() const { return profile_.table(); }  // one line an operation, slowest first
  void write_trace(const std::string& path) const { profile_.write_trace(path); }  // Error{file}

 private:
  friend void run_profiled(const char* what, Session& session);
  Profiling* outer_;
  std::string trace_path_;
  Profile profile_;
};

// Runs the session; counted as a call of that name where the thread has a Profiling.
void run_profiled(const char* what, Session& session);

}  // namespace hearth
