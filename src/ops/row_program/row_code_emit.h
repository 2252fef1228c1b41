// SPDX-License-Identifier: Apache-2.0
#pragma once
// Machine code of a recording: void f(void* const* arguments, int64_t n), n > 0 elements, a multiple of those that one
// turn of the loop takes.

#include "ops/row_program/row_code_record.h"

namespace hearth {

struct EmittedCode {
  std::vector<uint8_t> bytes;  // empty when it has more tensors than there are registers for their addresses
  bool spilled = false;        // values pass through memory
};
EmittedCode emit(const CodeRecord& record);

}  // namespace hearth
