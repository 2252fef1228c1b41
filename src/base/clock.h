// SPDX-License-Identifier: Apache-2.0
#pragma once
// Time for measuring.

#include <chrono>

namespace hearth {

// Seconds since some moment; never runs backwards.
inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace hearth
