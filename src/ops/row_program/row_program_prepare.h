// SPDX-License-Identifier: Apache-2.0
#pragma once
// A row program made ready for one call: instructions became steps on numbered slots, grouped by how often they run.
// Slots 0..63 are the row registers, later ones hold tiles; a slot is a buffer of its thread, or points into a tensor.

#include <memory>
#include <vector>

#include "device/kernel.h"
#include "ops/row_program/row_code.h"
#include "ops/row_program/row_program_table.h"
#include "ops/row_program/row_program_view.h"

namespace hearth {

struct RowStep {
  RowTileFn tile = nullptr;  // calls on slots; the others are done by `op`
  RowReduceFn reduce = nullptr;
  RowReduceFn combine = nullptr;  // of a reduction: numbers per row into others
  RowOp op = RowOp::none;
  bool row = false;  // works on one number per row
  bool one = false;  // makes a single word
  uint32_t dst = 0, a = 0, b = 0, c = 0;
  uint64_t immediate = 0;  // a constant; what a reduction starts with
  int words = 1;           // of an element: of the result, or of what a store writes
  uint32_t view = 0;       // of loads, stores and iota
  uint8_t* memory = nullptr;
  int element_bytes = 4;
  RowLoadFn load = nullptr;
  RowStoreFn store = nullptr;
  RowRead reads[2] = {RowRead::words, RowRead::words};  // a and b
  RowWrite write = RowWrite::words;
  int call = -1;  // to machine code: its number among the phase's
};

constexpr size_t kMostArguments = 96, kMostReductionsOfRun = 2;

// A run of steps as machine code: its arguments' slots, and the reductions whose numbers it leaves unfinished.
struct RowCall {
  std::shared_ptr<const RowCode> code;
  std::vector<uint32_t> slots;
  std::vector<RowStep> results;
};

// A slot that follows the tiles through a tensor: base + outer * outer_bytes + row * row_bytes + column * column_bytes.
struct RowPointer {
  uint32_t slot = 0;
  uint8_t* base = nullptr;  // null: the row register `row_register`, of the row at hand
  uint32_t row_register = 0;
  int words = 1;  // of a number of that register
  int64_t outer_bytes = 0, row_bytes = 0, column_bytes = 0;
  bool dense = false, one = false;  // how a tile's elements lie: one after the other, or it is the same for all
};

struct RowStepPhase {
  std::vector<RowStep> block;        // before the tiles, once per block of rows
  std::vector<RowPointer> pointers;  // set for each tile
  std::vector<RowStep> row, tiles;   // once per row (or per tile of whole rows), once per tile
  std::vector<RowStep> after;        // once per block of rows
  std::vector<RowStep> results;      // the reductions among the tiles' steps
  std::vector<RowStep> coded;        // `tiles` with calls in place of runs, for tiles of a multiple of `unit` elements
  std::vector<RowCall> calls;
  int64_t unit = 0;  // 0: there is no such list
};

struct RowSchedule {
  int64_t rows = 0, width = 0;
  int64_t inner = 1;         // rows that interleave (RowProgram); above 1 a block is of neighbours among them
  bool linear = false;       // nothing per row: one row of all elements, cut anywhere
  bool packed = false;       // a tile holds all rows of a block; else one row or part of one
  bool keep_values = false;  // a value made in one phase stays in its slot for the next: a block is one tile
  int64_t tile = 0;          // most elements in a tile
  int64_t tile_width = 0;    // of a row, or of each interleaved row
  int64_t parts = 1;         // that the width of each block is divided into, shared by the threads
  int words = 1;             // of the widest register: what a slot has per element
  int64_t block_rows = 1;    // rows that go through the phases together
  uint32_t slots = 0;
  std::vector<RowStep> once;  // per thread
  std::vector<RowStepPhase> phases;
  std::vector<RowView> views;

  bool interleaved() const { return inner > 1; }
  // Blocks that threads share; several lie side by side along `inner`.
  int64_t blocks_along() const { return interleaved() ? (inner + block_rows - 1) / block_rows : 1; }
  int64_t blocks() const {
    return interleaved() ? rows / inner * blocks_along() : (rows + block_rows - 1) / block_rows;
  }
  int64_t slot_words() const {
    return tile * words + 16;
  }  // slots a multiple of 4 KiB apart would evict each other from L1
};

// Words of the register that an instruction writes, or that a store reads. Almost all have one: found out without the
// table, as this is asked for every instruction of every call.
inline int words_at(const RowProgram& program, const RowInstruction& i) {
  const bool memory =
      i.op == RowOp::load || i.op == RowOp::store || i.op == RowOp::load_row || i.op == RowOp::store_row;
  if (memory) return words_of(register_bytes(program.operands[i.operand].dtype));
  return i.op <= RowOp::copy ? 1 : words_of(result_bytes(program, i));
}

// Chooses tiles and blocks for kernels on vectors of so many bytes. `threads` that share the rows, so that there is a
// block for each.
void choose_tiles(RowSchedule* schedule, const RowProgram& program, int vector_bytes, int threads);

// Finds the runs of each phase that become machine code (row_code.h).
void add_calls(RowSchedule* schedule, const RowTable& table);

// Fills a schedule (memory of an earlier call is used again).
void prepare(RowSchedule* schedule, const RowTable& table, const KernelArgs& args);

}  // namespace hearth
