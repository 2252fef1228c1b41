// SPDX-License-Identifier: Apache-2.0
#pragma once
// What gemm_bench and conv_bench share: options, timing of short calls in turns, and oneDNN on the same threads with
// the same instructions.
//   --filter TEXT   rows whose name has it    --turns N     HEARTH_ISA and HEARTH_THREADS: kernels and threads of both
#include <omp.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <dnnl.hpp>
#include <functional>
#include <string>
#include <thread>

#include "base/dtype.h"
#include "base/isa.h"
#include "base/threads.h"

namespace hearth::bench {

struct PeerOptions {
  std::string filter;
  int turns;
  bool has(const std::string& row) const { return row.find(filter) != std::string::npos; }
};

// Also tells oneDNN how many threads and which instructions it may use.
inline PeerOptions start_beside_onednn(int argc, char** argv, int turns) {
  PeerOptions options{"", turns};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!std::strcmp(argv[i], "--filter")) options.filter = argv[i + 1];
    if (!std::strcmp(argv[i], "--turns")) options.turns = std::max(1, std::atoi(argv[i + 1]));
  }
  omp_set_num_threads(num_threads());
  if (isa() <= Isa::avx2)
    dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  else if (isa() == Isa::avx512)
    dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core);
  return options;
}

// With one thread its processor time, which other processes of a busy machine do not lengthen; else the clock on the
// wall.
inline double now_s() {
  timespec t;
  clock_gettime(num_threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Seconds per call, over at least 4 ms of calls: short, so that some turns of a busy machine go undisturbed. The call
// gets the number of calls before it.
inline double time_calls(const std::function<void(int64_t)>& call) {
  for (int64_t done = 0, batch = 1;; batch *= 2) {
    const double start = now_s();
    for (int64_t i = 0; i < batch; ++i) call(done++);
    const double spent = now_s() - start;
    if (spent > 0.004) return spent / static_cast<double>(batch);
  }
}

// OpenMP's threads spin after their work, 300,000 pauses by default: 15 ms where a pause takes 140 cycles.
inline void wait_for_peer_threads() { std::this_thread::sleep_for(std::chrono::milliseconds(40)); }

// Numbers in [-0.5, 0.5), f32 or bf16.
inline void fill(void* data, DType dtype, int64_t count) {
  uint32_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    const float x = static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
    if (dtype == DType::f32)
      static_cast<float*>(data)[i] = x;
    else
      static_cast<bf16*>(data)[i] = bf16(x);
  }
}

}  // namespace hearth::bench
