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
// Measured (Zen 5, one thread, 4M elements): AdamW 2.4 -> 1.6 ns an element, five operations 0.76 -> 0.63; in L2 3-8 %
// slower.
constexpr int64_t kPrefetchElements = 1 << 20;

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
      // Lanes past the end of a short tile are computed and dropped; they must not be slow subnormals.
      std::memset(buffer_.get(), 0, words * sizeof(RowWord));
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

// Some consecutive elements: whole rows, or part of one.
struct Span {
  int64_t first, count;  // elements
  int64_t rows, width;   // as rows in this tile
  int64_t first_row;
};

class Runner {
 public:
  Runner(const RowSchedule& schedule, const RowTable& table, Slots* slots)
      : s_(schedule), table_(table), slots_(*slots) {
    slots_.resize(s_.slots, s_.slot_words());
    const int64_t rows = std::min(s_.block_rows, s_.rows);
    const int64_t width = std::min(s_.width, s_.tile);
    for (const RowStep& step : s_.once) execute(step, {0, rows * width, rows, width, 0});
  }

  void run_rows(int64_t first, int64_t end) {
    for (int64_t row = first; row < end; row += s_.block_rows) run_block(row, std::min(s_.block_rows, end - row));
  }

  // Tiles [first, end) elements of a program of one row without anything per row.
  void run_elements(int64_t first, int64_t end) {
    for (const RowStepPhase& phase : s_.phases) {
      for (int64_t i = first; i < end; i += s_.tile) run_tile(phase, i, 1, std::min(s_.tile, end - i), 0);
    }
  }

 private:
  void run_block(int64_t row, int64_t rows) {
    const int64_t width = std::min(s_.width, s_.tile);
    for (const RowStepPhase& phase : s_.phases) {
      for (const RowStep& step : phase.before) execute(step, {row * s_.width, rows * width, rows, width, row});
      for (const RowStep& step : phase.tiles) {
        if (!step.reduce) continue;
        table_.fill(slots_[step.dst], identity(step.op), rows);
        if (sums_of_tiles(step)) sum_of(step) = 0;
      }
      for (int64_t i = 0; i < s_.width; i += s_.tile) {
        run_tile(phase, row * s_.width + i, rows, std::min(s_.tile, s_.width - i), row);
      }
      for (const RowStep& step : phase.tiles) {
        if (sums_of_tiles(step)) *slots_[step.dst] = std::bit_cast<uint32_t>(float(sum_of(step)));
      }
      for (const RowStep& step : phase.after) execute(step, {row * s_.width, rows * width, rows, width, row});
    }
  }

  void run_tile(const RowStepPhase& phase, int64_t first, int64_t rows, int64_t width, int64_t row) {
    const Span span{first, rows * width, rows, width, row};
    for (const RowStep& step : phase.tiles) execute(step, span);
  }

  void execute(const RowStep& step, const Span& span) {
    const int64_t count = step.row ? span.rows : span.count;
    if (step.tile) {
      step.tile(slots_[step.dst], slots_[step.a], slots_[step.b], slots_[step.c],
                (count + kRowLanes - 1) & ~(kRowLanes - 1));
      return;
    }
    const int64_t first = step.row ? span.first_row : span.first;
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
      case RowOp::constant: return table_.fill(slots_[step.dst], step.immediate, step.row ? count : s_.tile);
      case RowOp::spread: return table_.spread(slots_[step.dst], slots_[step.a], span.rows, span.width);
      default: return reduce(step, span);
    }
  }

  // A row of many tiles adds its tiles' sums in f64: thousands of them would lose digits one after another.
  bool sums_of_tiles(const RowStep& step) const { return step.op == RowOp::sum_f32 && s_.width > s_.tile; }
  double& sum_of(const RowStep& step) { return sums_[step.dst - kRowSlot]; }

  void reduce(const RowStep& step, const Span& span) {
    if (!sums_of_tiles(step)) return step.reduce(slots_[step.dst], slots_[step.a], span.rows, span.width);
    RowWord sum = 0;
    step.reduce(&sum, slots_[step.a], 1, span.width);
    sum_of(step) += double(std::bit_cast<float>(uint32_t(sum)));
  }

  void load(const RowStep& step, int64_t first, int64_t count) {
    const RowView& view = s_.views[step.view];
    if (step.direct && count % kRowLanes == 0) {
      slots_[step.dst] = reinterpret_cast<RowWord*>(step.memory) + view.offset + first;
      if (count_is_large_) prefetch(slots_[step.dst] + s_.tile, count);
      return;
    }
    RowWord* dst = slots_[step.dst] = slots_.own(step.dst);
    for_blocks(view, first, count, [&](int64_t position, int64_t done, const RowBlock& block) {
      step.load(dst + done, step.memory + position * step.element_bytes, block);
    });
  }

  // The next tile, which memory sends while this one is computed. The processor's own prefetch starts anew in every
  // tile.
  static void prefetch(const RowWord* next, int64_t count) {
    for (int64_t i = 0; i < count; i += 16) __builtin_prefetch(next + i);
  }

  void store(const RowStep& step, int64_t first, int64_t count) {
    const RowWord* src = slots_[step.a];
    for_blocks(s_.views[step.view], first, count, [&](int64_t position, int64_t done, const RowBlock& block) {
      step.store(step.memory + position * step.element_bytes, src + done, block);
    });
  }

  const RowSchedule& s_;
  const RowTable& table_;
  Slots& slots_;
  const bool count_is_large_ = s_.rows * s_.width >= kPrefetchElements;
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
