// SPDX-License-Identifier: Apache-2.0
// Runs of steps that become machine code: found among the steps of a phase, their slots traced to values.
#include <algorithm>

#include "ops/row_program/row_code_formulas.h"
#include "ops/row_program/row_program_prepare.h"

namespace hearth {
namespace {

constexpr int64_t kCodedElements = 1 << 13;  // of programs worth the time that making code takes, once
constexpr size_t kShortestRun = 1, kMostAhead = 2;
constexpr int64_t kFarthest = 1 << 24;          // f32 that are fetched ahead by
constexpr int64_t kMostAnnounced = 128 * 1024;  // bytes of a block that are fetched to be written
// Programs that touch so much write past the caches: the lines they write need not be read first. Less may still be in
// the caches when it is read next. Measured (Zen 5, 32 MiB of L3, 2 threads): tensors of 64 MiB 0.95 -> 0.83 ms,
// of 48 MiB 0.57 -> 0.64, of 32 MiB 0.51 -> 0.71.
constexpr int64_t kStreamedBytes = 56 << 20;

bool is_copy(const RowStep& step) { return step.op == RowOp::store; }  // with a tile function: a dense store
RowOp op_of(const RowStep& step) { return is_copy(step) ? RowOp::copy : step.op; }
int inputs_of_step(const RowStep& step) {
  if (step.reduce) return step.b >= uint32_t(kMaxRowRegisters) ? 2 : 1;
  return is_copy(step) ? 1 : inputs_of(step.op);
}
uint32_t input_of(const RowStep& step, int k) { return k == 0 ? step.a : k == 1 ? step.b : step.c; }
bool reads_slot(const RowStep& step, uint32_t slot) {
  if (step.tile || step.reduce) {
    for (int k = 0; k < inputs_of_step(step); ++k) {
      if (input_of(step, k) == slot) return true;
    }
    return false;
  }
  return step.op == RowOp::store && step.a == slot;
}

class CallFinder {
 public:
  CallFinder(RowSchedule* schedule, const RowTable& table) : s_(*schedule), table_(table) {}

  void run() {
    large_ = bytes_touched() > kStreamedBytes;
    for (size_t p = 0; p < s_.phases.size(); ++p) {
      phase_ = &s_.phases[p];
      number_ = p;
      find_runs();
    }
  }

 private:
  int64_t lanes() const { return table_.vector_bytes / 4; }

  void find_runs() {
    const std::vector<RowStep>& steps = phase_->tiles;
    for (size_t first = 0; first < steps.size();) {
      const size_t end = run_end(first);
      if (end - first < kShortestRun || !add_call(first, end)) {
        const size_t next = std::max(end, first + 1);
        phase_->coded.insert(phase_->coded.end(), steps.begin() + int64_t(first), steps.begin() + int64_t(next));
        first = next;
      } else {
        first = end;
      }
    }
  }

  size_t run_end(size_t first) const {
    size_t end = first, reductions = 0;
    for (; end < phase_->tiles.size() && fits(phase_->tiles[end]); ++end) {
      if (phase_->tiles[end].reduce && ++reductions > kMostReductionsOfRun) break;
    }
    return end;
  }

  bool fits(const RowStep& step) const {
    if (step.words != 1 || step.one || !is_recorded(op_of(step))) return false;
    if (!step.reduce) return step.tile != nullptr;
    return !s_.interleaved() && table_.finish[int(step.op)] && tiles_by_four();
  }
  bool tiles_by_four() const {
    const int64_t even = 4 * lanes();
    if (s_.interleaved()) return s_.inner % even == 0 && s_.block_rows % even == 0;
    return s_.linear || (s_.width % even == 0 && s_.tile_width % even == 0);
  }

  bool add_call(size_t first, size_t end) {
    run_ = {.wide = table_.vector_bytes == 64, .by_four = tiles_by_four(), .inputs = {}, .steps = {}, .outputs = 0};
    RowCall call;
    find_inputs(first, end, &call);
    for (size_t i = first; i < end; ++i) add_step(first, i, end, &call);
    if (number_ > 0 && number_ + 1 == s_.phases.size()) fetch_ahead(&call);
    if (number_ + 2 == s_.phases.size() && phase_->calls.empty()) announce_writes(&call);
    if (call.slots.size() <= kMostArguments) call.code = code_of(run_);
    if (!call.code) return false;
    phase_->unit = std::max(phase_->unit, call.code->unit());
    phase_->coded.push_back({.call = int(phase_->calls.size())});
    phase_->calls.push_back(std::move(call));
    return true;
  }

  // While the last phase works on what the caches hold, what the first phase of the next block reads is fetched.
  void fetch_ahead(RowCall* call) {
    for (const RowPointer& p : s_.phases[0].pointers) {
      if (!p.base || !p.dense || p.row_bytes == 0 || s_.interleaved()) continue;
      const RowPointer* here = s_.keep_values ? &p : nullptr;
      for (const RowPointer& other : phase_->pointers) {
        if (other.base == p.base && other.row_bytes == p.row_bytes) here = &other;
      }
      const int64_t distance = s_.block_rows * p.row_bytes / 4;
      if (!here || run_.ahead.size() >= kMostAhead || distance > kFarthest) continue;
      call->slots.push_back(here->slot);
      run_.ahead.push_back(int32_t(distance));
    }
  }

  // What the last phase will write is fetched while the one before it works on what the caches hold: a store to a line
  // that is elsewhere would wait.
  void announce_writes(RowCall* call) {
    if (large_ || s_.interleaved()) return;
    const RowStepPhase& last = s_.phases.back();
    for (const RowStep& step : last.tiles) {
      const RowPointer* to = pointer_of(last, step);
      if (!to || size_t(run_.written_next) >= kMostAhead || s_.block_rows * to->row_bytes > kMostAnnounced) continue;
      RowPointer here = *to;
      here.slot = s_.slots++;
      phase_->pointers.push_back(here);
      call->slots.push_back(here.slot);
      ++run_.written_next;
    }
  }
  // Of a tensor of f32 that the step writes and nothing reads; null: none.
  const RowPointer* pointer_of(const RowStepPhase& phase, const RowStep& step) const {
    if (step.reduce || step.write != RowWrite::words) return nullptr;
    const RowPointer* found = nullptr;
    for (const RowPointer& p : phase.pointers) {
      if (p.slot == step.dst && p.base && p.dense && p.row_bytes != 0 && p.column_bytes == 4) found = &p;
    }
    return found && !is_shared(found->base, found->slot) ? found : nullptr;
  }
  // Whether another slot follows the same tensor.
  bool is_shared(const uint8_t* base, uint32_t slot) const {
    for (const RowStepPhase& phase : s_.phases) {
      for (const RowPointer& p : phase.pointers) {
        if (p.base == base && p.slot != slot) return true;
      }
    }
    return false;
  }

  // What steps read that none before them in the run has written.
  void find_inputs(size_t first, size_t end, RowCall* call) {
    for (size_t i = first; i < end; ++i) {
      const RowStep& step = phase_->tiles[i];
      for (int k = 0; k < inputs_of_step(step); ++k) {
        if (writer_of(input_of(step, k), first, i) == i && input_number(*call, step, k) < 0) {
          call->slots.push_back(input_of(step, k));
          run_.inputs.push_back(read_of(step, k));
        }
      }
    }
  }

  static RowRead read_of(const RowStep& step, int k) { return k < 2 ? step.reads[k] : RowRead::words; }

  // The last step in [first, before) that writes the slot, or `before`.
  size_t writer_of(uint32_t slot, size_t first, size_t before) const {
    for (size_t i = before; i > first; --i) {
      const RowStep& step = phase_->tiles[i - 1];
      if (!step.reduce && step.dst == slot) return i - 1;
    }
    return before;
  }

  int input_number(const RowCall& call, const RowStep& step, int k) const {
    for (size_t i = 0; i < run_.inputs.size(); ++i) {
      if (call.slots[i] == input_of(step, k) && run_.inputs[i] == read_of(step, k)) return int(i);
    }
    return -1;
  }

  void add_step(size_t first, size_t i, size_t end, RowCall* call) {
    const RowStep& step = phase_->tiles[i];
    RowRunStep made{.op = op_of(step), .in = {-1, -1, -1}, .write = step.write, .output = -1};
    for (int k = 0; k < inputs_of_step(step); ++k) {
      const size_t writer = writer_of(input_of(step, k), first, i);
      const size_t value = writer == i ? size_t(input_number(*call, step, k)) : run_.inputs.size() + (writer - first);
      made.in[k] = int16_t(value);
    }
    if (step.reduce) {
      call->results.push_back(step);
    } else if (is_needed(step.dst, i, end)) {
      made.output = int16_t(run_.outputs++);
      made.streaming = large_ && step.write == RowWrite::words && may_stream(step.dst);
      call->slots.push_back(step.dst);
    }
    run_.steps.push_back(made);
  }

  // Of tensors with an element each; what is written in place counts once.
  int64_t bytes_touched() const {
    std::vector<const uint8_t*> bases;
    for (const RowStepPhase& phase : s_.phases) {
      for (const RowPointer& p : phase.pointers) {
        const bool whole = p.base && p.dense && (s_.linear || p.row_bytes != 0);
        if (whole && std::find(bases.begin(), bases.end(), p.base) == bases.end()) bases.push_back(p.base);
      }
    }
    return int64_t(bases.size()) * s_.rows * s_.width * 4;
  }

  // A tensor that nothing reads here, all of whose tiles begin at multiples of a vector.
  bool may_stream(uint32_t slot) const {
    const uint8_t* base = nullptr;
    const int64_t even = table_.vector_bytes;
    for (const RowPointer& p : phase_->pointers) {
      if (p.slot != slot || !p.base) continue;
      const int64_t start = int64_t(reinterpret_cast<uintptr_t>(p.base));
      if (start % even == 0 && p.row_bytes % even == 0 && s_.tile_width * 4 % even == 0 && !s_.interleaved())
        base = p.base;
    }
    return base && !is_shared(base, slot);
  }

  // Whether what step i writes must be in memory after the run: a tensor's, or a tile that others read.
  bool is_needed(uint32_t slot, size_t i, size_t end) const {
    for (size_t later = i + 1; later < end; ++later) {
      if (!phase_->tiles[later].reduce && phase_->tiles[later].dst == slot) return false;
    }
    for (const RowPointer& p : phase_->pointers) {
      if (p.slot == slot) return true;
    }
    for (size_t later = end; later < phase_->tiles.size(); ++later) {
      if (reads_slot(phase_->tiles[later], slot)) return true;
    }
    if (!s_.keep_values) return false;
    for (size_t p = number_ + 1; p < s_.phases.size(); ++p) {
      const auto& steps = s_.phases[p].tiles;
      if (std::any_of(steps.begin(), steps.end(), [&](const RowStep& step) { return reads_slot(step, slot); }))
        return true;
    }
    return false;
  }

  RowSchedule& s_;
  const RowTable& table_;
  RowStepPhase* phase_ = nullptr;
  size_t number_ = 0;
  bool large_ = false;
  RowRun run_;
};

}  // namespace

void add_calls(RowSchedule* s, const RowTable& table) {
  for (RowStepPhase& phase : s->phases) {
    phase.coded.clear();
    phase.calls.clear();
    phase.unit = 0;
  }
  const bool worth = s->rows * s->width >= kCodedElements && table.vector_bytes >= 32 && !s->packed;
  if (worth && row_code_wanted()) CallFinder(s, table).run();
}

}  // namespace hearth
