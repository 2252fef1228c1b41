// SPDX-License-Identifier: Apache-2.0
#include "ops/sort/top_k_impl.h"

namespace hearth {
void top_k_row_avx2(const TopKRow& row) { top_k_row_of(row); }
}  // namespace hearth
