// SPDX-License-Identifier: Apache-2.0
#include "train/memory_estimate.h"

#include <algorithm>
#include <vector>

#include "base/threads.h"

namespace hearth {

int64_t weight_bytes_read(const Plan& plan) {
  std::vector<bool> read(plan.tensors.size(), false);
  for (const PlanInstruction& instruction : plan.instructions) {
    for (const int32_t t : instruction.inputs) read[size_t(t)] = true;
  }
  std::vector<bool> input_read(plan.inputs.size(), false);
  for (size_t t = 0; t < read.size(); ++t) {
    if (read[t] && plan.tensors[t].storage == Storage::input) input_read[size_t(plan.tensors[t].offset)] = true;
  }
  int64_t bytes = 0;
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    if (input_read[i] && plan.inputs[i].name.rfind("weight:", 0) == 0)
      bytes += plan.tensors[size_t(plan.inputs[i].tensor)].type.bytes();
  }
  return bytes;
}

int64_t working_bytes() {
  constexpr int64_t kProcess = 17 << 20;  // Measured: code, libraries, tokenizer, text, graph and plan
  // ops/matmul/gemm.h: at most 24 MiB that all threads read and 2.4 MiB of each; small matrices do not fill them.
  constexpr int64_t kPacking = 8 << 20, kPerThread = 2 << 20;
  return kProcess + kPacking + num_threads() * kPerThread;
}

}  // namespace hearth
