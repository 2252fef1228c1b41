// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_program_prepare.h"

#include <algorithm>
#include <numeric>

namespace hearth {
namespace {

// Measured (Zen 5, AVX-512, ns an element in L2): five operations 0.29 with 256, 0.22 with 512, 0.20 with 1024; gelu
// 0.72, 0.63, 0.69.
constexpr int64_t kTile = 512;
constexpr int64_t kReuseBytes = 64 * 1024;  // what the values of a row that stay for later phases may take

bool uses_rows(const RowProgram& program) {
  for (const RowPhase& phase : program.phases) {
    if (!phase.after.empty()) return true;
    for (const RowInstruction& i : phase.tiles) {
      if (is_reduction(i.op) || i.op == RowOp::load_row || i.op == RowOp::store_row || i.op == RowOp::spread)
        return true;
    }
  }
  return false;
}

int64_t values_of(const RowProgram& program) {
  int64_t count = 0;
  for (const RowPhase& phase : program.phases) {
    for (const RowInstruction& i : phase.tiles)
      count += i.op != RowOp::load && i.op != RowOp::store && !is_reduction(i.op);
  }
  return count;
}

// Without anything per row the program is one long row. Several short rows share a tile, if possible so many that their
// elements are a multiple of the lanes: then contiguous operands are used in place.
void choose_tiles(RowSchedule* s, const RowProgram& program) {
  const bool linear = s->linear = !uses_rows(program);
  s->rows = linear ? 1 : program.rows;
  s->width = linear ? program.rows * program.width : program.width;
  s->tile = kTile;
  s->block_rows = 1;
  s->keep_values = false;
  if (linear) return;
  // A program of several phases computes much anew in each. When all values of a row fit the caches they are kept.
  const bool several = program.phases.size() > 1;
  if (several && values_of(program) * s->width * 4 <= kReuseBytes) s->tile = std::max(kTile, (s->width + 15) & ~15);
  s->keep_values = several && s->width <= s->tile;
  if (s->width > s->tile / 2) return;
  s->block_rows = s->tile / std::max<int64_t>(1, s->width);
  const int64_t even = kRowLanes / std::gcd(kRowLanes, s->width);
  if (s->block_rows > even) s->block_rows -= s->block_rows % even;
}

class Preparer {
 public:
  Preparer(RowSchedule* s, const RowTable& table, const KernelArgs& args)
      : s_(*s), table_(table), args_(args), program_(*args.program) {}

  void run() {
    choose_tiles(&s_, program_);
    s_.slots = kOwnSlot;
    s_.once.clear();
    s_.kept.clear();
    s_.views.clear();
    for (const RowOperand& operand : program_.operands) s_.views.emplace_back(operand);
    s_.phases.resize(program_.phases.size());
    for (size_t p = 0; p < program_.phases.size(); ++p) {
      RowStepPhase& phase = s_.phases[p];
      phase.before.clear();
      phase.tiles.clear();
      phase.after.clear();
      for (size_t i = 0; i < program_.phases[p].tiles.size(); ++i) add_to_tiles(program_.phases[p], i, &phase);
      for (const RowInstruction& i : program_.phases[p].after) add_row_step(i, &phase.after);
    }
  }

 private:
  RowStep step(const RowInstruction& i) const {
    RowStep step{.op = i.op,
                 .immediate = i.immediate,
                 .view = i.operand,
                 .tile = table_.tile[int(i.op)],
                 .reduce = table_.reduce[int(i.op)]};
    const bool stores = i.op == RowOp::store || i.op == RowOp::store_row;
    if (!stores && i.op != RowOp::load && i.op != RowOp::load_row) return step;
    const RowOperand& operand = program_.operands[i.operand];
    step.memory = (stores ? args_.out : args_.in)[size_t(operand.tensor)].as<uint8_t>();
    step.element_bytes = int(size_bytes(operand.dtype));
    step.load = table_.load[int(operand.dtype)];
    step.store = table_.store[int(operand.dtype)];
    return step;
  }

  RowStep row_step(const RowInstruction& i) const {
    RowStep made = step(i);
    made.row = true;
    made.dst = kRowSlot + i.dst, made.a = kRowSlot + i.a, made.b = kRowSlot + i.b, made.c = kRowSlot + i.c;
    return made;
  }

  void add_to_tiles(const RowPhase& source, size_t number, RowStepPhase* phase) {
    const RowInstruction& i = source.tiles[number];
    if (i.op == RowOp::load_row || i.op == RowOp::store_row) return add_row_step(i, &phase->before);
    RowStep made = step(i);
    const int inputs = inputs_of(i.op);
    if (inputs > 0) made.a = i.op == RowOp::spread ? kRowSlot + i.a : full_[i.a];
    if (inputs > 1) made.b = full_[i.b];
    if (inputs > 2) made.c = full_[i.c];
    if (is_reduction(i.op)) {
      made.dst = kRowSlot + i.dst;
      ++row_version_[i.dst];
    } else if (i.op != RowOp::store) {
      if (i.op == RowOp::spread) made.version = row_version_[i.a];
      if (s_.keep_values && find_kept(made, &full_[i.dst])) return;
      const bool own = s_.keep_values || inputs == 0 || i.op == RowOp::spread;
      full_[i.dst] = made.dst = own ? s_.slots++ : i.dst;
      if (s_.keep_values) s_.kept.push_back(made);
    }
    made.direct = i.op == RowOp::load && may_be_direct(source, number);
    list_for(made, phase).push_back(made);
  }

  void add_row_step(const RowInstruction& i, std::vector<RowStep>* list) {
    list->push_back(row_step(i));
    if (i.op != RowOp::store_row) ++row_version_[i.dst];
  }

  // The slot of an earlier phase or instruction that holds this very value. Kept slots are never written twice.
  bool find_kept(const RowStep& wanted, uint32_t* slot) const {
    for (const RowStep& kept : s_.kept) {
      if (kept.op == wanted.op && kept.a == wanted.a && kept.b == wanted.b && kept.c == wanted.c &&
          kept.immediate == wanted.immediate && kept.version == wanted.version && same_operand(kept, wanted)) {
        *slot = kept.dst;
        return true;
      }
    }
    return false;
  }

  bool same_operand(const RowStep& x, const RowStep& y) const {
    if (inputs_of(x.op) > 0 || x.op == RowOp::constant || x.view == y.view) return true;
    const RowOperand &a = program_.operands[x.view], &b = program_.operands[y.view];
    return a.tensor == b.tensor && a.offset == b.offset && a.dims == b.dims && a.strides == b.strides;
  }

  // Values that are the same for all tiles are made once: constants, single elements, and what repeats every row when a
  // tile holds whole rows. Those that are the same along a row are made before its tiles.
  std::vector<RowStep>& list_for(const RowStep& made, RowStepPhase* phase) {
    if (made.op == RowOp::constant) return s_.once;
    if (made.op == RowOp::spread) return phase->before;
    if (made.op != RowOp::load && made.op != RowOp::iota_i32 && made.op != RowOp::iota_f32) return phase->tiles;
    const RowView& view = s_.views[made.view];
    if (view.one_element()) return s_.once;
    if (s_.one_tile() && view.same_rows(s_.rows, s_.width)) return s_.once;
    if (!s_.one_tile() && s_.rows > 1 && view.same_in_row(s_.width)) return phase->before;
    return phase->tiles;
  }

  // A register that is the tensor's memory changes when a later store writes there: then it must not be read any more.
  bool may_be_direct(const RowPhase& source, size_t number) const {
    const RowInstruction& load = source.tiles[number];
    const RowOperand& operand = program_.operands[load.operand];
    if (size_bytes(operand.dtype) != 4 || !s_.views[load.operand].contiguous()) return false;
    if (s_.keep_values) return !stored_anywhere(operand);
    bool overwritten = false;
    for (size_t j = number + 1; j < source.tiles.size(); ++j) {
      const RowInstruction& i = source.tiles[j];
      const uint8_t reads[3] = {i.a, i.b, i.c};
      if (overwritten && i.op != RowOp::spread && std::count(reads, reads + inputs_of(i.op), load.dst)) return false;
      if (i.op == RowOp::store)
        overwritten = overwritten || overlap(operand, program_.operands[i.operand]);
      else if (!is_reduction(i.op) && i.op != RowOp::load_row && i.op != RowOp::store_row && i.dst == load.dst)
        return true;
    }
    return true;
  }

  bool stored_anywhere(const RowOperand& loaded) const {
    for (const RowPhase& phase : program_.phases) {
      for (const RowInstruction& i : phase.tiles) {
        if (i.op == RowOp::store && overlap(loaded, program_.operands[i.operand])) return true;
      }
    }
    return false;
  }

  bool overlap(const RowOperand& loaded, const RowOperand& stored) const {
    const TensorArg& in = args_.in[size_t(loaded.tensor)];
    const TensorArg& out = args_.out[size_t(stored.tensor)];
    return in.as<uint8_t>() < out.as<uint8_t>() + out.type->bytes() &&
           out.as<uint8_t>() < in.as<uint8_t>() + in.type->bytes();
  }

  RowSchedule& s_;
  const RowTable& table_;
  const KernelArgs& args_;
  const RowProgram& program_;
  uint32_t full_[kMaxRowRegisters] = {};         // the slot that holds each full register now
  uint32_t row_version_[kMaxRowRegisters] = {};  // how often each row register was written
};

}  // namespace

void prepare(RowSchedule* schedule, const RowTable& table, const KernelArgs& args) {
  Preparer(schedule, table, args).run();
}

}  // namespace hearth
