// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_program_run.h"

#include <algorithm>
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

// A tile: consecutive elements, as `rows` of `width` from (row, column) on; of interleaved rows the elements lie line
// by line, and `outer` is the number of their group. Or, for what works on numbers per row, a block of rows.
struct Span {
  int64_t row, rows, column, width, outer = 0;
};

class Runner {
 public:
  Runner(const RowSchedule& schedule, const RowTable& table, Slots* slots)
      : s_(schedule), table_(table), slots_(*slots) {
    slots_.resize(s_.slots, s_.slot_words());
    const int64_t rows = s_.packed ? std::min(s_.block_rows, s_.rows) : 1;
    const int64_t width = s_.interleaved() ? s_.tile : std::min(s_.width, s_.tile);
    for (const RowStep& step : s_.once) execute(step, {0, rows, 0, width});
  }

  void run_blocks(int64_t first, int64_t end) {
    for (int64_t block = first; block < end; ++block) {
      start_block(block);
      for (const RowStepPhase& phase : s_.phases) {
        before(phase);
        tiles(phase, 0, s_.width);
        after(phase);
      }
    }
  }

  // Tiles [first, end) elements of a program of one row without anything per row.
  void run_elements(int64_t first, int64_t end) {
    for (const RowStepPhase& phase : s_.phases) {
      for (int64_t i = first; i < end; i += s_.tile) {
        const int64_t count = std::min(s_.tile, end - i), rest = phase.unit > 0 ? count % phase.unit : 0;
        if (count > rest) run_tile(phase, {0, 1, i, count - rest});
        if (rest > 0) run_tile(phase, {0, 1, i + count - rest, rest});
      }
    }
  }

  // --- one block of rows, phase by phase ---

  void start_block(int64_t block) {
    const int64_t along = s_.blocks_along();
    outer_ = s_.interleaved() ? block / along : 0;
    first_row_ = outer_ * s_.inner + (s_.interleaved() ? block % along : block) * s_.block_rows;
    rows_ = std::min(s_.block_rows, (s_.interleaved() ? (outer_ + 1) * s_.inner : s_.rows) - first_row_);
  }
  void before(const RowStepPhase& phase) {
    for (const RowStep& step : phase.block) execute(step, {first_row_, rows_, 0, 1});
  }
  // Columns [from, to) of all rows of the block; their reductions' results are in the row registers then.
  void tiles(const RowStepPhase& phase, int64_t from, int64_t to) {
    const int64_t together = s_.packed || s_.interleaved() ? rows_ : 1;
    for (int64_t row = first_row_; row < first_row_ + rows_; row += together) run_row(phase, row, together, from, to);
  }
  void after(const RowStepPhase& phase) {
    for (const RowStep& step : phase.after) execute(step, {first_row_, rows_, 0, 1});
  }

  // --- a block whose columns several runners share ---

  // The same block, with the same numbers in its row registers.
  void join(const Runner& other) {
    outer_ = other.outer_, first_row_ = other.first_row_, rows_ = other.rows_;
    const size_t bytes = size_t(rows_ * s_.words) * sizeof(RowWord);
    for (uint32_t r = 0; r < kMaxRowRegisters; ++r) std::memcpy(slots_.own(r), other.slots_.own(r), bytes);
  }
  void begin_results(const RowStepPhase& phase) {
    for (const RowStep& step : phase.results) begin_result(step, first_row_, rows_);
  }
  void add_results(const RowStepPhase& phase, const Slots& part) {
    for (const RowStep& step : phase.results) step.combine(slots_.own(step.dst), part.own(step.dst), nullptr, rows_, 1);
  }

 private:
  void run_row(const RowStepPhase& phase, int64_t row, int64_t rows, int64_t from, int64_t to) {
    for (const RowStep& step : phase.row) execute(step, {row, rows, 0, std::min(s_.width, s_.tile_width), outer_});
    const bool in_f64 = s_.width > s_.tile_width;  // many tiles, whose f32 sums are added so
    for (const RowStep& step : phase.results) {
      begin_result(step, row, rows);
      if (in_f64 && step.op == RowOp::sum_f32) std::fill_n(sums_of(step), rows, 0.0);
    }
    constexpr int64_t kLines = 64;  // of interleaved rows that are added in f32
    if (!in_f64) {
      if (to > from) run_tile(phase, {row, rows, from, to - from, outer_});
      return;
    }
    for (int64_t i = from, lines = 0; i < to; i += s_.tile_width) {
      run_tile(phase, {row, rows, i, std::min(s_.tile_width, to - i), outer_});
      lines += s_.tile_width;
      if (s_.interleaved() && lines < kLines) continue;
      lines = 0;
      for (const RowStep& step : phase.results) add_to_f64(step, row, rows);
    }
    for (const RowStep& step : phase.results) {
      add_to_f64(step, row, rows);
      if (step.op == RowOp::sum_f32) {
        float* sum = reinterpret_cast<float*>(row_slot(step.dst, row, 1));
        const double* total = sums_of(step);
        for (int64_t r = 0; r < rows; ++r) sum[r] = float(total[r]);
      }
    }
  }

  void begin_result(const RowStep& step, int64_t row, int64_t rows) {
    RowWord* result = row_slot(step.dst, row, step.words);
    if (rows * step.words == 1)
      *result = RowWord(step.immediate);
    else
      table_.fill(result, step.immediate, rows, step.words);
  }

  // A row of many tiles adds its tiles' sums in f64: thousands of them would lose digits one after another.
  void add_to_f64(const RowStep& step, int64_t row, int64_t rows) {
    if (step.op != RowOp::sum_f32) return;
    float* sum = reinterpret_cast<float*>(row_slot(step.dst, row, 1));
    double* total = sums_of(step);
    for (int64_t r = 0; r < rows; ++r) {
      total[r] += double(sum[r]);
      sum[r] = 0;
    }
  }

  double* sums_of(const RowStep& step) {
    if (sums_.empty()) sums_.resize(size_t(kMaxRowRegisters * s_.block_rows));
    return sums_.data() + step.dst * s_.block_rows;
  }

  void run_tile(const RowStepPhase& phase, const Span& span) {
    for (const RowPointer& p : phase.pointers) {
      uint8_t* at = p.base + span.outer * p.outer_bytes + span.row * p.row_bytes + span.column * p.column_bytes;
      slots_[p.slot] = p.base ? reinterpret_cast<RowWord*>(at) : row_slot(p.row_register, span.row, p.words);
    }
    const int64_t count = span.rows * span.width;
    const bool coded = phase.unit > 0 && count % phase.unit == 0;
    for (const RowStep& step : coded ? phase.coded : phase.tiles) {
      if (step.call >= 0)
        call(phase.calls[size_t(step.call)], span.row, count);
      else if (step.tile)
        step.tile(slots_[step.dst], slots_[step.a], slots_[step.b], slots_[step.c], count);
      else
        execute(step, span);
    }
  }

  void call(const RowCall& run, int64_t row, int64_t count) {
    alignas(64) char vectors[kMostReductionsOfRun * 4 * 64];
    void* arguments[kMostArguments + 1];
    size_t n = 0;
    for (uint32_t slot : run.slots) arguments[n++] = slots_[slot];
    arguments[n] = vectors;
    (*run.code)(arguments, count);
    const char* of_result = vectors;
    for (const RowStep& step : run.results) {
      table_.finish[int(step.op)](row_slot(step.dst, row, step.words), of_result);
      of_result += 4 * table_.vector_bytes;
    }
  }

  void execute(const RowStep& step, const Span& span) {
    if (step.tile) {
      step.tile(slots_[step.dst], slots_[step.a], slots_[step.b], slots_[step.c], span.rows * span.width);
      return;
    }
    if (step.reduce)
      return step.reduce(row_slot(step.dst, span.row, step.words), slots_[step.a], slots_[step.b], span.rows,
                         span.width);
    const int64_t first = step.row ? span.row : first_element(span);
    const int64_t count = step.one ? 1 : span.rows * span.width;
    switch (step.op) {
      case RowOp::load:
      case RowOp::load_row: return load(step, first, count);
      case RowOp::store:
      case RowOp::store_row: return store(step, first, count);
      default: break;
    }
    if (is_iota(step.op)) return count_off(step, first, count);
    if (is_constant(step.op))
      return table_.fill(slots_[step.dst], step.immediate, step.row || step.one ? count : s_.tile, step.words);
    spread(step, span);
  }

  int64_t first_element(const Span& span) const {
    if (!s_.interleaved()) return span.row * s_.width + span.column;
    return (span.outer * s_.width + span.column) * s_.inner + (span.row - span.outer * s_.inner);
  }

  // The number of `row`, which lies in the block at hand.
  RowWord* row_slot(uint32_t row_register, int64_t row, int words) {
    return slots_[row_register] + (row - first_row_) * words;
  }

  void spread(const RowStep& step, const Span& span) {
    const RowWord* numbers = row_slot(step.a, span.row, step.words);
    if (!s_.interleaved()) return table_.spread(slots_[step.dst], numbers, span.rows, span.width, step.words);
    const int64_t line = span.rows * step.words;
    for (int64_t i = 0; i < span.width; ++i) {
      std::memcpy(slots_[step.dst] + i * line, numbers, size_t(line) * sizeof(RowWord));
    }
  }

  void count_off(const RowStep& step, int64_t first, int64_t count) {
    for_blocks(s_.views[step.view], first, count, [&](int64_t position, int64_t done, const RowBlock& block) {
      table_.iota(step.op, slots_[step.dst] + done * step.words, position, block);
    });
  }

  void load(const RowStep& step, int64_t first, int64_t count) {
    for_blocks(s_.views[step.view], first, count, [&](int64_t position, int64_t done, const RowBlock& block) {
      step.load(slots_[step.dst] + done * step.words, step.memory + position * step.element_bytes, block);
    });
  }

  void store(const RowStep& step, int64_t first, int64_t count) {
    for_blocks(s_.views[step.view], first, count, [&](int64_t position, int64_t done, const RowBlock& block) {
      step.store(step.memory + position * step.element_bytes, slots_[step.a] + done * step.words, block);
    });
  }

  const RowSchedule& s_;
  const RowTable& table_;
  Slots& slots_;
  int64_t outer_ = 0, first_row_ = 0, rows_ = 0;  // the block at hand
  std::vector<double> sums_;                      // the f32 sums so far: per row register, per row of the block
};

// All threads share the columns of one block after the other.
void run_in_parts(const RowSchedule& s, const RowTable& table) {
  static thread_local Slots slots;
  Runner whole(s, table, &slots);
  std::vector<Slots> parts(static_cast<size_t>(s.parts));
  const int64_t tiles = (s.width + s.tile_width - 1) / s.tile_width;
  const int64_t share = (tiles + s.parts - 1) / s.parts * s.tile_width;
  for (int64_t block = 0; block < s.blocks(); ++block) {
    whole.start_block(block);
    for (const RowStepPhase& phase : s.phases) {
      whole.before(phase);
      parallel_for(s.parts, [&](int64_t p, int) {
        Runner part(s, table, &parts[size_t(p)]);
        part.join(whole);
        part.tiles(phase, std::min(s.width, p * share), std::min(s.width, (p + 1) * share));
      });
      whole.begin_results(phase);
      for (const Slots& part : parts) whole.add_results(phase, part);
      whole.after(phase);
    }
  }
}

}  // namespace

void run_row_program_on(const RowTable& table, const KernelArgs& args) {
  static thread_local RowSchedule prepared;
  RowSchedule& schedule = prepared;  // the caller's, also in the workers
  prepare(&schedule, table, args);
  if (schedule.parts > 1) return run_in_parts(schedule, table);
  const auto part = [&](int64_t begin, int64_t end, int) {
    static thread_local Slots slots;
    Runner runner(schedule, table, &slots);
    if (schedule.linear)
      runner.run_elements(begin, end);
    else
      runner.run_blocks(begin, end);
  };
  const int64_t count = schedule.linear ? schedule.width : schedule.blocks();
  if (count == 0) return;
  if (args.program->rows * args.program->width < kSerialElements) return part(0, count, 0);
  parallel_ranges(count, schedule.linear ? schedule.tile : 1, part);
}

}  // namespace hearth
