// SPDX-License-Identifier: Apache-2.0
#pragma once
// One row of a sort: operands whose elements lie together.

#include <cstdint>
#include <vector>

#include "base/dtype.h"

namespace hearth {

struct SortRow {
  int64_t n = 0;
  std::vector<DType> dtypes = {};  // of the operands
  int64_t num_keys = 1;
  bool descending = false;
  bool all_threads = false;  // use every thread for this row
  // Two buffers of 16 n bytes, and n numbers.
  char *items = nullptr, *spare = nullptr;
  uint32_t* order = nullptr;
};

// out[k] = in[k] in the order of the keys; `indices`, where not null, gets the numbers in that order, as i32 or i64.
void sort_row(const SortRow& row, const char* const* in, char* const* out, void* indices, DType index_dtype);

}  // namespace hearth
