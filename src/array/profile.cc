// SPDX-License-Identifier: Apache-2.0
#include "array/profile.h"

#include <cstdio>

#include "base/error.h"
#include "runtime/session.h"

namespace hearth {
namespace {

thread_local Profiling* active = nullptr;

// Sessions stay in caches: they stop to count when the run is over, also when it fails.
class Counting {
 public:
  explicit Counting(Session& session) : session_(session) {
    session_.clear_profile();
    session_.set_profiling(true);
  }
  ~Counting() { session_.set_profiling(false); }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  Session& session_;
};

}  // namespace

Profiling::Profiling() : outer_(active) { active = this; }
Profiling::Profiling(std::string trace_path) : Profiling() { trace_path_ = std::move(trace_path); }

Profiling::~Profiling() {
  active = outer_;
  if (trace_path_.empty()) return;
  try {
    profile_.write_trace(trace_path_);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "profiling: %s\n", error.what());
  }
}

void run_profiled(const char* what, Session& session) {
  if (!active) return session.run();
  const Counting counting(session);
  const int64_t start_ns = Profile::now_ns();
  session.run();
  active->profile_.add_call(what, start_ns, Profile::now_ns(), session.profile());
}

}  // namespace hearth
