// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_program_run.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "ops/row_program/row_program_prepare.h"

namespace hearth {
namespace {

constexpr int64_t kSerialElements = 16384;  // below this the other threads cost more than they bring

RowWord identity(RowOp op) {
  switch (op) {
    case RowOp::prod_f32: return std::bit_cast<uint32_t>(1.0f);
    case RowOp::max_row_f32: return std::bit_cast<uint32_t>(-std::numeric_limits<float>::infinity());
    case RowOp::min_row_f32: return std::bit_cast<uint32_t>(std::numeric_limits<float>::infinity());
    case RowOp::max_row_i32: return uint32_t(std::numeric_limits<int32_t>::min());
    case RowOp::min_row_i32: return uint32_t(std::numeric_limits<int32_t>::max());
    default: return 0;
  }
}

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

// Tile buffers of one thread, kept from call to call.
class Slots {
 public:
  void resize(uint32_t slots, int64_t slot_words) {
    const size_t words = size_t(slots) * size_t(slot_words);
    if (words > words_) {
      buffer_.reset(std::aligned_alloc(64, words * sizeof(RowWord)));
      HEARTH_CHECK(buffer_, memory, "row program: no memory for ", slots, " tiles of ", slot_words, " elements");
      words_ = words;
    }
    slot_words_ = slot_words;
    at_.resize(slots);
    for (uint32_t slot = 0; slot < slots; ++slot) at_[slot].words = own(slot);
  }
  RowWord* own(uint32_t slot) const { return static_cast<RowWord*>(buffer_.get()) + int64_t(slot) * slot_words_; }
  RowWord*& operator[](uint32_t slot) { return at_[slot].words; }

 private:
  struct Place {
    RowWord* words;
  };
  std::unique_ptr<void, Free> buffer_;
  size_t words_ = 0;
  int64_t slot_words_ = 0;
  std::vector<Place> at_;  // where each slot is now: its buffer, or a tensor's memory
};

// A tile: consecutive elements, as `rows` of `width` from (row, column) on. Or, for what works on numbers per row, a
// block of rows.
struct Span {
  int64_t row, rows, column, width;
};

class Runner {
 public:
  Runner(const RowSchedule& schedule, const RowTable& table, Slots* slots)
      : s_(schedule), table_(table), slots_(*slots) {
    slots_.resize(s_.slots, s_.slot_words());
    const int64_t rows = s_.packed ? std::min(s_.block_rows, s_.rows) : 1;
    for (const RowStep& step : s_.once) execute(step, {0, rows, 0, std::min(s_.width, s_.tile)});
  }

  void run_rows(int64_t first, int64_t end) {
    for (first_row_ = first; first_row_ < end; first_row_ += s_.block_rows)
      run_block(std::min(s_.block_rows, end - first_row_));
  }

  // Tiles [first, end) elements of a program of one row without anything per row.
  void run_elements(int64_t first, int64_t end) {
    for (const RowStepPhase& phase : s_.phases) {
      for (int64_t i = first; i < end; i += s_.tile) run_tile(phase, {0, 1, i, std::min(s_.tile, end - i)});
    }
  }

 private:
  void run_block(int64_t rows) {
    for (const RowStepPhase& phase : s_.phases) {
      for (const RowStep& step : phase.block) execute(step, {first_row_, rows, 0, 1});
      const int64_t together = s_.packed ? rows : 1;
      for (int64_t row = first_row_; row < first_row_ + rows; row += together) run_row(phase, row, together);
      for (const RowStep& step : phase.after) execute(step, {first_row_, rows, 0, 1});
    }
  }

  void run_row(const RowStepPhase& phase, int64_t row, int64_t rows) {
    const bool many_tiles = s_.width > s_.tile;
    for (const RowStep& step : phase.row) execute(step, {row, rows, 0, std::min(s_.width, s_.tile)});
    for (const RowStep& step : phase.tiles) {
      if (!step.reduce) continue;
      table_.fill(row_slot(step.dst, row), identity(step.op), rows);
      if (many_tiles && step.op == RowOp::sum_f32) sums_[step.dst] = 0;
    }
    for (int64_t i = 0; i < s_.width; i += s_.tile) run_tile(phase, {row, rows, i, std::min(s_.tile, s_.width - i)});
    if (!many_tiles) return;
    for (const RowStep& step : phase.tiles) {
      if (step.reduce && step.op == RowOp::sum_f32)
        *row_slot(step.dst, row) = std::bit_cast<uint32_t>(float(sums_[step.dst]));
    }
  }

  void run_tile(const RowStepPhase& phase, const Span& span) {
    for (const RowPointer& p : phase.pointers) {
      uint8_t* at = p.base + span.row * p.row_bytes + span.column * p.column_bytes;
      slots_[p.slot] = p.base ? reinterpret_cast<RowWord*>(at) : row_slot(p.row_register, span.row);
    }
    const int64_t count = span.rows * span.width;
    for (const RowStep& step : phase.tiles) {
      if (step.tile)
        step.tile(slots_[step.dst], slots_[step.a], slots_[step.b], slots_[step.c], count);
      else
        execute(step, span);
    }
  }

  void execute(const RowStep& step, const Span& span) {
    if (step.tile) {
      step.tile(slots_[step.dst], slots_[step.a], slots_[step.b], slots_[step.c], span.rows * span.width);
      return;
    }
    if (step.reduce) return reduce(step, span);
    const int64_t first = step.row ? span.row : span.row * s_.width + span.column;
    const int64_t count = step.one ? 1 : span.rows * span.width;
    switch (step.op) {
      case RowOp::load:
      case RowOp::load_row: return load(step, first, count);
      case RowOp::store:
      case RowOp::store_row: return store(step, first, count);
      case RowOp::iota_i32:
      case RowOp::iota_f32:
        return for_blocks(s_.views[step.view], first, count,
                          [&](int64_t position, int64_t done, const RowBlock& block) {
                            table_.iota(slots_[step.dst] + done, position, block, step.op == RowOp::iota_f32);
                          });
      case RowOp::constant:
        return table_.fill(slots_[step.dst], step.immediate, step.row || step.one ? count : s_.tile);
      default: return table_.spread(slots_[step.dst], row_slot(step.a, span.row), span.rows, span.width);
    }
  }

  // The number of `row`, which lies in the block at hand.
  RowWord* row_slot(uint32_t row_register, int64_t row) { return slots_[row_register] + (row - first_row_); }

  // A row of many tiles adds its tiles' sums in f64: thousands of them would lose digits one after another.
  void reduce(const RowStep& step, const Span& span) {
    if (step.op != RowOp::sum_f32 || s_.width <= s_.tile)
      return step.reduce(row_slot(step.dst, span.row), slots_[step.a], slots_[step.b], span.rows, span.width);
    RowWord sum = 0;
    step.reduce(&sum, slots_[step.a], slots_[step.b], 1, span.width);
    sums_[step.dst] += double(std::bit_cast<float>(uint32_t(sum)));
  }

  void load(const RowStep& step, int64_t first, int64_t count) {
    for_blocks(s_.views[step.view], first, count, [&](int64_t position, int64_t done, const RowBlock& block) {
      step.load(slots_[step.dst] + done, step.memory + position * step.element_bytes, block);
    });
  }

  void store(const RowStep& step, int64_t first, int64_t count) {
    for_blocks(s_.views[step.view], first, count, [&](int64_t position, int64_t done, const RowBlock& block) {
      step.store(step.memory + position * step.element_bytes, slots_[step.a] + done, block);
    });
  }

  const RowSchedule& s_;
  const RowTable& table_;
  Slots& slots_;
  int64_t first_row_ = 0;  // of the block at hand
  double sums_[kMaxRowRegisters];
};

}  // namespace

void run_row_program_on(const RowTable& table, const KernelArgs& args) {
  static thread_local RowSchedule prepared;
  RowSchedule& schedule = prepared;  // the caller's, also in the workers
  prepare(&schedule, table, args);
  const auto part = [&](int64_t begin, int64_t end, int) {
    static thread_local Slots slots;
    Runner runner(schedule, table, &slots);
    if (schedule.linear)
      runner.run_elements(begin, end);
    else
      runner.run_rows(begin, end);
  };
  const int64_t count = schedule.linear ? schedule.width : schedule.rows;
  if (count == 0) return;
  if (args.program->rows * args.program->width < kSerialElements) return part(0, count, 0);
  parallel_ranges(count, schedule.linear ? schedule.tile : schedule.block_rows, part);
}

}  // namespace hearth
