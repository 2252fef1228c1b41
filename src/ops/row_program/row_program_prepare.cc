// SPDX-License-Identifier: Apache-2.0
// Steps and slots from the items of a program.
#include "ops/row_program/row_program_prepare.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/threads.h"
#include "ops/row_program/row_program_items.h"

namespace hearth {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// What a reduction of nothing gives.
uint64_t start_of(RowOp op) {
  switch (op) {
    case RowOp::prod_f32: return std::bit_cast<uint32_t>(1.0f);
    case RowOp::max_row_f32: return std::bit_cast<uint32_t>(-kInfinity);
    case RowOp::min_row_f32: return std::bit_cast<uint32_t>(kInfinity);
    case RowOp::prod_f64: return std::bit_cast<uint64_t>(1.0);
    case RowOp::max_row_f64: return std::bit_cast<uint64_t>(double(-kInfinity));
    case RowOp::min_row_f64: return std::bit_cast<uint64_t>(double(kInfinity));
    case RowOp::max_row_i32: return uint32_t(INT32_MIN);
    case RowOp::min_row_i32: return uint32_t(INT32_MAX);
    case RowOp::max_row_i64: return uint64_t(INT64_MIN);
    case RowOp::min_row_i64: return uint64_t(INT64_MAX);
    case RowOp::prod_i32:
    case RowOp::prod_i64: return 1;
    case RowOp::min_row_u32:
    case RowOp::and_row_u32:
    case RowOp::min_row_u64:
    case RowOp::and_row_u64: return ~uint64_t(0);
    default: return 0;
  }
}

class Preparer {
 public:
  Preparer(RowSchedule* s, const RowTable& table, const KernelArgs& args)
      : s_(*s), table_(table), args_(args), program_(*args.program), items_(*s, args) {}

  void run() {
    choose_tiles(&s_, program_, table_.vector_bytes, num_threads());
    s_.once.clear();
    s_.views.clear();
    for (const RowOperand& operand : program_.operands) s_.views.emplace_back(operand);
    s_.phases.resize(program_.phases.size());
    for (size_t p = 0; p < s_.phases.size(); ++p) add_row_steps(program_.phases[p], &s_.phases[p]);
    items_.run();
    for (int i = 0; i < items_.count(); ++i) {
      if (!items_[i].gone) add_item(i);
    }
    s_.slots = next_slot_;
    add_calls(&s_, table_);
  }

 private:
  // --- numbers per row ---

  void add_row_steps(const RowPhase& source, RowStepPhase* phase) {
    for (auto* list : {&phase->block, &phase->row, &phase->tiles, &phase->after, &phase->results}) list->clear();
    phase->pointers.clear();
    for (const RowInstruction& i : source.tiles) {
      if (i.op == RowOp::load_row || i.op == RowOp::store_row) phase->block.push_back(row_step(i));
    }
    for (const RowInstruction& i : source.after) phase->after.push_back(row_step(i));
  }

  RowStep row_step(const RowInstruction& i) const {
    RowStep made{.tile = table_.tile[int(i.op)], .op = i.op, .row = true, .immediate = i.immediate, .view = i.operand};
    made.words = words_at(program_, i);
    made.dst = i.dst, made.a = i.a, made.b = i.b, made.c = i.c;
    if (i.op == RowOp::load_row || i.op == RowOp::store_row) add_memory(&made);
    return made;
  }

  void add_memory(RowStep* step) const {
    const RowOperand& operand = program_.operands[step->view];
    const bool stores = step->op == RowOp::store || step->op == RowOp::store_row;
    step->memory = (stores ? args_.out : args_.in)[size_t(operand.tensor)].as<uint8_t>();
    step->element_bytes = int(size_bytes(operand.dtype));
    step->load = table_.load[int(operand.dtype)];
    step->store = table_.store[int(operand.dtype)];
  }

  // --- items ---

  void add_item(int i) {
    RowItem& x = items_[i];
    RowStepPhase& phase = s_.phases[size_t(x.phase)];
    if (x.follows) add_pointer(&x, &phase);
    if (x.follows && x.is_value()) return;
    RowStep step{.tile = tile_of(x), .op = x.op, .one = x.read_as == RowRead::one, .immediate = x.immediate};
    step.words = x.words;
    step.view = x.view;
    if (x.op == RowOp::load || x.op == RowOp::store) add_memory(&step);
    step.write = x.write_as;
    for (int k = 0; k < 2 && x.in[k] >= 0; ++k) step.reads[k] = items_[x.in[k]].read_as;
    uint32_t* const slots[3] = {&step.a, &step.b, &step.c};
    for (int k = 0; k < 3 && x.in[k] >= 0; ++k) *slots[k] = items_[x.in[k]].slot;
    if (is_spread(x.op)) step.a = x.row_register;
    if (is_reduction(x.op)) {
      step.combine = table_.reduce_lines[int(x.op)];
      step.reduce = s_.interleaved() ? step.combine : reduce_of(x);
      step.immediate = start_of(x.op);
    }
    std::vector<RowStep>& list = list_for(x, &phase);
    step.dst = result_slot(i, &list == &phase.tiles, &phase);
    list.push_back(step);
    if (step.reduce) phase.results.push_back(step);
  }

  void add_pointer(RowItem* x, RowStepPhase* phase) {
    RowPointer pointer{.row_register = x->row_register, .words = x->words};
    if (!is_spread(x->op)) items_.walks(*x, &pointer);
    pointer.slot = x->slot = next_slot_++;
    phase->pointers.push_back(pointer);
  }

  RowTileFn tile_of(const RowItem& x) {
    const bool copies = x.is_store() && x.follows;
    const RowOp op = !copies ? x.op : x.words == 1 ? RowOp::copy : x.words == 2 ? RowOp::copy_64 : RowOp::copy_128;
    if (folded_number(op) < 0) return table_.tile[int(op)];
    const int a = int(items_[x.in[0]].read_as), b = x.in[1] < 0 ? 0 : int(items_[x.in[1]].read_as);
    return table_.folded[folded_number(op)][a][b][int(x.write_as)];
  }

  RowReduceFn reduce_of(const RowItem& x) {
    if (x.in[1] < 0) return table_.reduce[int(x.op)];
    return table_.sum_of_products[int(items_[x.in[0]].read_as)][int(items_[x.in[1]].read_as)];
  }

  // Values that are the same for all tiles are made once: constants, single elements, and what repeats every row when a
  // tile holds whole rows. Those that are the same along a row are made before its tiles.
  std::vector<RowStep>& list_for(const RowItem& x, RowStepPhase* phase) {
    if (is_constant(x.op)) return s_.once;
    if (is_spread(x.op)) return phase->row;
    if (x.op != RowOp::load && !is_iota(x.op)) return phase->tiles;
    const RowView& view = s_.views[x.view];
    if (view.one_element()) return s_.once;
    if (s_.interleaved()) return phase->tiles;
    const bool whole_rows = s_.packed || s_.width <= s_.tile;
    if (whole_rows && view.same_rows(s_.rows, s_.width)) return s_.once;
    if (!whole_rows && s_.rows > 1 && view.same_in_row(s_.width)) return phase->row;
    return phase->tiles;
  }

  // --- slots: tiles take those that are free again; what is made before the tiles keeps its own ---

  uint32_t result_slot(int i, bool in_tiles, RowStepPhase* phase) {
    RowItem& x = items_[i];
    if (in_tiles) release_inputs(i, true);
    const uint32_t slot = take_slot(&x, in_tiles, phase);
    if (in_tiles) release_inputs(i, false);
    return slot;
  }

  uint32_t take_slot(RowItem* x, bool in_tiles, RowStepPhase* phase) {
    if (is_reduction(x->op)) return x->row_register;
    if (x->is_store()) return x->slot;
    if (x->target >= 0) {
      add_pointer(&items_[x->target], phase);
      return items_[x->target].slot;
    }
    if (!in_tiles || free_.empty()) {
      x->keeps_slot = !in_tiles;
      return x->slot = next_slot_++;
    }
    x->slot = free_.back();
    free_.pop_back();
    return x->slot;
  }

  // The result may take the slot of an input of its own width: an instruction that widens would overtake itself.
  void release_inputs(int i, bool of_its_width) {
    const RowItem& x = items_[i];
    for (int k = 0; k < 3 && x.in[k] >= 0; ++k) {
      const RowItem& in = items_[x.in[k]];
      if ((in.words == x.words) != of_its_width) continue;
      const bool again = std::find(x.in, x.in + k, x.in[k]) != x.in + k;
      if (in.last_read == i && !again && !in.follows && !in.keeps_slot) free_.push_back(in.slot);
    }
  }

  RowSchedule& s_;
  const RowTable& table_;
  const KernelArgs& args_;
  const RowProgram& program_;
  RowItems items_;
  uint32_t next_slot_ = kMaxRowRegisters;  // the ones before are the row registers
  std::vector<uint32_t> free_;
};

}  // namespace

void prepare(RowSchedule* schedule, const RowTable& table, const KernelArgs& args) {
  Preparer(schedule, table, args).run();
}

}  // namespace hearth
