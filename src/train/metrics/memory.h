// SPDX-License-Identifier: Apache-2.0
#pragma once
// How much memory this process holds and this machine has.

#include <cstdint>
#include <string>

namespace hearth {

// Resident now, and the most it ever was, in bytes; 0 where the system does not tell.
int64_t resident_bytes();
int64_t peak_resident_bytes();

struct MachineMemory {
  int64_t total_bytes = 0;  // what this process may use at most: the machine's, or its control group's limit if lower
  int64_t available_bytes = 0;  // of that, free without swapping; pages that only cache files count as free
};

// `root` is "/" but for tests.
MachineMemory machine_memory(const std::string& root = "/");

}  // namespace hearth
