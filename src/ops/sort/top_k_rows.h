// SPDX-License-Identifier: Apache-2.0
#pragma once
// top_k of one row, once per instruction set.

#include <cstdint>

#include "base/dtype.h"

namespace hearth {

struct TopKRow {
  DType dtype;
  int64_t n, k;  // 0 < k <= n
  const void* x;
  void* values;
  int32_t* numbers;
};

void top_k_row_scalar(const TopKRow& row);
void top_k_row_avx2(const TopKRow& row);
void top_k_row_avx512(const TopKRow& row);

}  // namespace hearth
