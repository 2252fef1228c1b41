// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tile registers of AMX, for files compiled for it (*_amx.cc) and functions with target("amx-tile").

#include <immintrin.h>

#include <cstdint>

namespace hearth {
namespace {

// Eight tiles of 16 rows of 64 bytes. Edges are padded with zeros instead of smaller tiles.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

// In memory from the start: GCC 12 tells the optimiser that ldtilecfg reads 8 of the 64 bytes, and drops stores to the
// rest.
const TileConfig tile_config;

// Loads a tile with rows of 64 bytes, `stride` bytes apart. GCC 12 does not tell its optimiser that tileloadd reads
// memory, and drops or delays stores to what is loaded.
#define HEARTH_TILE_LOAD(tile, from, stride) \
  do {                                       \
    asm volatile("" ::: "memory");           \
    _tile_loadd(tile, from, stride);         \
  } while (0)

// The tiles of this thread, for one piece of work: others on the thread configure them for themselves.
struct TilesInUse {
  __attribute__((target("amx-tile"))) TilesInUse() { _tile_loadconfig(&tile_config); }
  __attribute__((target("amx-tile"))) ~TilesInUse() { _tile_release(); }
  TilesInUse(const TilesInUse&) = delete;
  TilesInUse& operator=(const TilesInUse&) = delete;
};

}  // namespace
}  // namespace hearth
