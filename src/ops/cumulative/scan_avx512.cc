// SPDX-License-Identifier: Apache-2.0
#include "ops/cumulative/scan_impl.h"

namespace hearth {
const ScanTiles scan_avx512 = {start_scan, join_scan, rows_of_scan, columns_of_scan};
}  // namespace hearth
