// SPDX-License-Identifier: Apache-2.0
#pragma once
// A row program made ready for one call: instructions became steps on numbered slots (tile buffers), grouped by how
// often they run. Slots 0..63 are the full registers, 64..127 the row registers, later ones belong to one step each:
// loads, whose slot may point into a tensor instead of a buffer, and values that are made once and stay.

#include <vector>

#include "device/kernel.h"
#include "ops/row_program/row_program_table.h"
#include "ops/row_program/row_program_view.h"

namespace hearth {

inline constexpr uint32_t kRowSlot = kMaxRowRegisters, kOwnSlot = 2 * kMaxRowRegisters;

struct RowStep {
  RowOp op = RowOp::none;
  bool row = false;     // works on one number per row
  bool direct = false;  // a load that may use the tensor's memory as its slot
  uint32_t dst = 0, a = 0, b = 0, c = 0;
  uint32_t immediate = 0;
  uint32_t version = 0;  // of the row register that spread reads
  uint32_t view = 0;     // of loads, stores and iota
  uint8_t* memory = nullptr;
  int element_bytes = 4;
  RowTileFn tile = nullptr;
  RowReduceFn reduce = nullptr;
  RowLoadFn load = nullptr;
  RowStoreFn store = nullptr;
};

struct RowStepPhase {
  std::vector<RowStep> before;  // once per block of rows
  std::vector<RowStep> tiles, after;
};

struct RowSchedule {
  int64_t rows = 0, width = 0;
  bool linear = false;       // nothing per row: one row of all elements, cut anywhere
  bool keep_values = false;  // a value made in one phase stays in its slot for the next
  int64_t tile = 0;          // most elements in a tile
  int64_t block_rows = 1;    // rows that one pass works on: as many as fit a tile
  uint32_t slots = 0;
  std::vector<RowStep> once;  // per thread
  std::vector<RowStepPhase> phases;
  std::vector<RowView> views;
  std::vector<RowStep> kept;  // with keep_values: those whose values are found again

  bool one_tile() const { return block_rows * width <= tile; }
  int64_t slot_words() const { return tile + 16; }  // slots a multiple of 4 KiB apart would evict each other from L1
};

// Fills a schedule (memory of an earlier call is used again).
void prepare(RowSchedule* schedule, const RowTable& table, const KernelArgs& args);

}  // namespace hearth
