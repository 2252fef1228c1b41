// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inner loops of scans, once per instruction set. Elements of 8 and 16 bits are taken in as 32-bit ones, f16 and
// bf16 as f32; the running values ("carries") are as wide: of 4 to 16 bytes.

#include <cstdint>

#include "base/dtype.h"

namespace hearth {

enum class ScanKind { sum, product, max, min, recurrence };

struct ScanTile {
  DType dtype;
  ScanKind kind;
  bool reverse;
};

// Part of a scan: n elements along the axis of each of `lanes` lanes. carry: of each lane, what came before; updated.
struct ScanBlock {
  const char* x;
  const char* a;  // recurrence: the factors; else null
  char* y;        // null: only the carries are wanted
  int64_t n, pitch, lanes;
  void* carry;
};

constexpr int64_t kScanRows = 4, kScanColumns = 1024, kScanCarryBytes = 16;

struct ScanTiles {
  void (*start)(const ScanTile& tile, void* carry, int64_t count);  // the carries of nothing
  // carry = carry op total, where total is the carry of a part that began with nothing; not for recurrences.
  void (*join)(const ScanTile& tile, void* carry, const void* total, int64_t count);
  void (*rows)(const ScanTile& tile, const ScanBlock& block);     // lanes <= kScanRows, pitch from lane to lane
  void (*columns)(const ScanTile& tile, const ScanBlock& block);  // lanes <= kScanColumns, pitch from step to step
};

extern const ScanTiles scan_scalar, scan_avx2, scan_avx512;

}  // namespace hearth
