// SPDX-License-Identifier: Apache-2.0
#include "compiler/row_builder.h"

#include <algorithm>
#include <bit>
#include <map>
#include <tuple>

#include "base/error.h"

namespace hearth {
namespace {

// A constant as a register holds it.
uint64_t constant_bits(const Node& node) {
  const DType t = node.types[0].dtype;
  if (t == DType::f64) return std::bit_cast<uint64_t>(node.attrs.real("value"));
  if (is_float(t)) return std::bit_cast<uint32_t>(float(node.attrs.real("value")));
  const int64_t value = node.attrs.integer("value");
  switch (t) {
    case DType::boolean: return value != 0;
    case DType::i8: return uint32_t(int8_t(value));
    case DType::i16: return uint32_t(int16_t(value));
    case DType::u8: return uint8_t(value);
    case DType::u16: return uint16_t(value);
    case DType::i64:
    case DType::u64: return uint64_t(value);
    default: return uint32_t(value);
  }
}
RowOp constant_op(DType t) { return register_bytes(t) == 4 ? RowOp::constant : RowOp::constant_64; }

// What an instruction that only moves is called at the width of a dtype.
RowOp of_width(DType t, RowOp words, RowOp wide, RowOp widest) {
  return register_bytes(t) == 4 ? words : register_bytes(t) == 8 ? wide : widest;
}
RowOp copy_op(DType t) { return of_width(t, RowOp::copy, RowOp::copy_64, RowOp::copy_128); }
RowOp spread_op(DType t) { return of_width(t, RowOp::spread, RowOp::spread_64, RowOp::spread_128); }

// Positions as numbers of a dtype.
RowRecipe iota_recipe(DType t) {
  switch (t) {
    case DType::f32: return RowOp::iota_f32;
    case DType::f64: return RowOp::iota_f64;
    case DType::i64:
    case DType::u64: return RowOp::iota_i64;
    case DType::f16: return {RowOp::none, RowOp::iota_f32_odd, RowOp::round_f16};
    case DType::bf16: return {RowOp::none, RowOp::iota_f32_odd, RowOp::round_bf16};
    case DType::i8: return {RowOp::none, RowOp::iota_i32, RowOp::wrap_i8};
    case DType::i16: return {RowOp::none, RowOp::iota_i32, RowOp::wrap_i16};
    case DType::u8: return {RowOp::none, RowOp::iota_i32, RowOp::wrap_u8};
    case DType::u16: return {RowOp::none, RowOp::iota_i32, RowOp::wrap_u16};
    default: return RowOp::iota_i32;
  }
}

// Instructions with registers not yet assigned: numbers that only count up.
struct Draft {
  RowOp op;
  int dst, inputs[3] = {-1, -1, -1};
  int operand = 0;
  uint64_t immediate = 0;
};
struct DraftPhase {
  std::vector<Draft> tiles, after;
};

class Builder {
 public:
  explicit Builder(const BuildArgs& args) : args_(args), graph_(args.graph) {
    for (const Member& m : args.group.members) roles_[m.node] = m.role;
  }

  BuiltProgram run() {
    int last = 0;
    for (const Member& m : args_.group.members) last = std::max(last, phase_of(m.node));
    phases_.resize(size_t(last) + 1);
    for (phase_ = 0; phase_ <= last; ++phase_) {
      full_.clear();
      loads_.clear();
      for (const Member& m : args_.group.members) {
        const bool reduces = graph_.node(m.node).op->row_kind == RowKind::reduce;
        if (reduces && phase_of(m.node) == phase_) reduce(m.node);
      }
      for (const Member& m : args_.group.members) {
        if (m.role == Role::row && phase_of(m.node) == phase_) row(m.node);
      }
      for (const Value& value : args_.stores) {
        if (phase_of(value.node) == phase_) store(value);
      }
    }
    finish();
    return std::move(built_);
  }

 private:
  // --- phases: a full value that reads a row value must wait for the phase after that row value's ---

  int phase_of(int32_t id) {
    const auto found = phase_memo_.find(id);
    if (found != phase_memo_.end()) return found->second;
    int phase = 0;
    const bool full = !roles_.count(id) || roles_.at(id) == Role::full;
    const bool reduces = graph_.node(id).op->row_kind == RowKind::reduce;
    for (size_t i = 0; i < operands(id); ++i) {
      const Value base = operand_view(graph_, args_.views, id, i).base;
      if (!roles_.count(base.node)) continue;  // stored values and those computed again are there from the start
      const bool from_row = roles_.count(base.node) && roles_.at(base.node) == Role::row;
      phase = std::max(phase, phase_of(base.node) + (from_row && full && !reduces ? 1 : 0));
    }
    return phase_memo_[id] = phase;
  }

  size_t operands(int32_t id) const { return args_.views.is_copy(id) ? 1 : graph_.node(id).inputs.size(); }
  bool recomputes(const View& view) const {
    return args_.recompute(view.base.node) && is_identity(view) && view.base.type().elements() == args_.group.elements;
  }

  // --- values ---

  DraftPhase& phase() { return phases_[size_t(phase_)]; }

  int emit(std::vector<Draft>& list, RowOp op, const std::vector<int>& inputs, int operand = 0,
           uint64_t immediate = 0) {
    Draft draft{op, next_++};
    for (size_t i = 0; i < inputs.size(); ++i) draft.inputs[i] = inputs[i];
    draft.operand = operand;
    draft.immediate = immediate;
    list.push_back(draft);
    return draft.dst;
  }

  // The instructions of a node, or of an element-wise step of it: the register of the result.
  int compute(std::vector<Draft>& list, int32_t id, std::vector<int> inputs) {
    const Node& node = graph_.node(id);
    const RowRecipe recipe = args_.views.is_copy(id) ? RowRecipe(copy_op(node.types[0].dtype)) : node.op->row_op(node);
    if (recipe.before != RowOp::none) inputs[0] = emit(list, recipe.before, {inputs[0]});
    return finish_value(list, recipe, emit(list, recipe.op, inputs));
  }
  int finish_value(std::vector<Draft>& list, const RowRecipe& recipe, int result) {
    for (const RowOp op : recipe.after) {
      if (op != RowOp::none) result = emit(list, op, {result});
    }
    return result;
  }

  int full(int32_t id) {
    const auto found = full_.find(id);
    if (found != full_.end()) return found->second;
    std::vector<int> in;
    for (size_t i = 0; i < operands(id); ++i) in.push_back(full_operand(operand_view(graph_, args_.views, id, i)));
    return full_[id] = compute(phase().tiles, id, in);
  }

  int full_operand(const View& view) {
    const int32_t id = view.base.node;
    const Node& node = graph_.node(id);
    if (roles_.count(id)) {
      if (roles_.at(id) == Role::full) return full(id);
      const int row = rows_.at(id);
      const auto [entry, fresh] = full_.try_emplace(id, -1);
      if (fresh) entry->second = emit(phase().tiles, spread_op(node.types[0].dtype), {row});
      return entry->second;
    }
    if (recomputes(view)) return full(id);
    if (node.op->name == "constant" && node.attrs.has("value")) return constant(phase().tiles, loads_, node);
    if (args_.views.is_counted(id)) {
      const DType dtype = node.types[0].dtype;
      return load(iota_recipe(dtype), operand_number(-1, dtype, view, false));
    }
    return load(RowOp::load, operand_number(input_number(view.base), view.base.dtype(), view, false));
  }

  int load(const RowRecipe& recipe, int operand) {
    const auto [entry, fresh] = loads_.try_emplace({recipe.op, operand, 0}, -1);
    if (!fresh) return entry->second;
    const int32_t tensor = built_.program.operands[size_t(operand)].tensor;
    if (tensor >= 0) last_load_[size_t(tensor)] = next_;
    return entry->second = finish_value(phase().tiles, recipe, emit(phase().tiles, recipe.op, {}, operand));
  }

  using LoadKey = std::tuple<RowOp, int, uint64_t>;
  int constant(std::vector<Draft>& list, std::map<LoadKey, int>& memo, const Node& node) {
    const uint64_t bits = constant_bits(node);
    const RowOp op = constant_op(node.types[0].dtype);
    const auto [entry, fresh] = memo.try_emplace({op, 0, bits}, -1);
    if (fresh) entry->second = emit(list, op, {}, 0, bits);
    return entry->second;
  }

  void reduce(int32_t id) {
    const int in = full_operand(operand_view(graph_, args_.views, id, 0));
    const RowRecipe recipe = graph_.node(id).op->row_op(graph_.node(id));
    rows_[id] = finish_value(phase().after, recipe, emit(phase().tiles, recipe.op, {in}));
  }

  int row(int32_t id) {
    const auto found = rows_.find(id);
    if (found != rows_.end()) return found->second;
    std::vector<int> in;
    for (size_t i = 0; i < operands(id); ++i) in.push_back(row_operand(operand_view(graph_, args_.views, id, i)));
    return rows_[id] = compute(phase().after, id, in);
  }

  int row_operand(const View& view) {
    const int32_t id = view.base.node;
    const Node& node = graph_.node(id);
    if (roles_.count(id)) return row(id);
    if (node.op->name == "constant" && node.attrs.has("value"))
      return constant(phase().after, row_loads_[phase_], node);
    HEARTH_CHECK(!args_.views.is_counted(id), bug, "row program: iota per row");
    const int operand = operand_number(input_number(view.base), view.base.dtype(), view, true);
    const auto [entry, fresh] = row_loads_[phase_].try_emplace({RowOp::load_row, operand, 0}, -1);
    if (fresh) entry->second = emit(phase().after, RowOp::load_row, {}, operand);
    return entry->second;
  }

  void store(const Value& value) {
    const bool is_row = roles_.at(value.node) == Role::row;
    const int64_t count = is_row ? args_.group.rows() : args_.group.elements;
    const int output = int(built_.outputs.size());
    built_.outputs.push_back(value);
    RowOperand operand{output, value.dtype(), is_row, 0, {count}, {1}};
    built_.program.operands.push_back(operand);
    const int number = int(built_.program.operands.size()) - 1;
    if (is_row)
      emit(phase().after, RowOp::store_row, {row(value.node)}, number);
    else
      emit(phase().tiles, RowOp::store, {full(value.node)}, number);
    stored_at_.push_back(next_);
  }

  int input_number(const Value& base) {
    for (size_t i = 0; i < built_.inputs.size(); ++i) {
      if (built_.inputs[i] == base) return int(i);
    }
    built_.inputs.push_back(base);
    last_load_.push_back(0);
    identity_.push_back(true);
    return int(built_.inputs.size()) - 1;
  }

  int operand_number(int tensor, DType dtype, const View& view, bool is_row) {
    const View small = collapsed(view);
    if (tensor >= 0) identity_[size_t(tensor)] = identity_[size_t(tensor)] && !is_row && is_identity(view);
    const std::tuple<int, DType, int64_t, Dims, Dims, bool> key{tensor,     dtype,         small.offset,
                                                                small.dims, small.strides, is_row};
    const auto [entry, fresh] = operand_memo_.try_emplace(key, -1);
    if (fresh) {
      entry->second = int(built_.program.operands.size());
      built_.program.operands.push_back({tensor, dtype, is_row, small.offset, small.dims, small.strides});
    }
    return entry->second;
  }

  // --- registers: each lives from its definition to its last use, full ones within a phase ---

  void finish() {
    RowProgram& program = built_.program;
    program.width = args_.group.width >= 0 ? args_.group.width : args_.group.elements;
    program.rows = args_.group.width >= 0 ? args_.group.rows() : 1;
    program.inner = args_.group.inner;
    std::map<int, uint8_t> row_register;
    std::map<int, int> row_last;  // last use, counted over all phases
    int time = 0;
    for (const DraftPhase& p : phases_) {
      for (const std::vector<Draft>* list : {&p.tiles, &p.after}) {
        for (const Draft& d : *list) {
          ++time;
          for (int in : d.inputs) {
            if (in >= 0) row_last[in] = time;
          }
        }
      }
    }
    time = 0;
    std::vector<int> row_free_at(kMaxRowRegisters, -1);  // time from which a row register is free
    for (const DraftPhase& p : phases_) {
      RowPhase out;
      std::map<int, uint8_t> full_register;
      std::map<int, int> full_last;
      for (size_t i = 0; i < p.tiles.size(); ++i) {
        for (int in : p.tiles[i].inputs) {
          if (in >= 0) full_last[in] = int(i);
        }
      }
      std::vector<int> full_free_at(kMaxRowRegisters, -1);
      const auto take = [](std::vector<int>& free_at, int now, int until, int* count) {
        for (int r = 0; r < kMaxRowRegisters; ++r) {
          if (free_at[size_t(r)] >= now) continue;
          free_at[size_t(r)] = until;
          *count = std::max(*count, r + 1);
          return uint8_t(r);
        }
        HEARTH_FAIL(bug, "row program: more than ", kMaxRowRegisters, " registers are live");
      };
      // A reduction accumulates over the whole phase: its row register must be its own from the phase's start.
      const int phase_start = time;
      for (const Draft& d : p.tiles) {
        if (is_reduction(d.op))
          row_register[d.dst] =
              take(row_free_at, phase_start, std::max(phase_start + int(p.tiles.size()), row_last[d.dst]),
                   &program.row_registers);
      }
      for (size_t i = 0; i < p.tiles.size(); ++i) {
        const Draft& d = p.tiles[i];
        ++time;
        RowInstruction instruction{d.op, 0, 0, 0, 0, uint16_t(d.operand), d.immediate};
        uint8_t* slots[3] = {&instruction.a, &instruction.b, &instruction.c};
        for (int s = 0; s < 3; ++s) {
          if (d.inputs[s] >= 0)
            *slots[s] = is_spread(d.op) ? row_register.at(d.inputs[s]) : full_register.at(d.inputs[s]);
        }
        if (is_reduction(d.op)) {
          instruction.dst = row_register.at(d.dst);
        } else if (d.op != RowOp::store) {
          const int until = full_last.count(d.dst) ? full_last[d.dst] : int(i);
          instruction.dst = full_register[d.dst] = take(full_free_at, int(i), until, &program.full_registers);
        }
        out.tiles.push_back(instruction);
      }
      for (const Draft& d : p.after) {
        ++time;
        RowInstruction instruction{d.op, 0, 0, 0, 0, uint16_t(d.operand), d.immediate};
        uint8_t* slots[3] = {&instruction.a, &instruction.b, &instruction.c};
        for (int s = 0; s < 3; ++s) {
          if (d.inputs[s] >= 0) *slots[s] = row_register.at(d.inputs[s]);
        }
        if (d.op != RowOp::store_row) {
          const int until = row_last.count(d.dst) ? row_last[d.dst] : time;
          instruction.dst = row_register[d.dst] = take(row_free_at, time, until, &program.row_registers);
        }
        out.after.push_back(instruction);
      }
      program.phases.push_back(std::move(out));
    }
    find_in_place();
  }

  void find_in_place() {
    for (size_t i = 0; i < built_.inputs.size(); ++i) {
      for (size_t o = 0; o < built_.outputs.size(); ++o) {
        const bool full = roles_.at(built_.outputs[o].node) == Role::full;
        if (full && identity_[i] && last_load_[i] < stored_at_[o] &&
            built_.inputs[i].dtype() == built_.outputs[o].dtype() &&
            built_.inputs[i].type().elements() == built_.outputs[o].type().elements()) {
          built_.in_place.push_back({int(i), int(o)});
        }
      }
    }
  }

  const BuildArgs& args_;
  const Graph& graph_;
  BuiltProgram built_;
  std::map<int32_t, Role> roles_;
  std::map<int32_t, int> phase_memo_;
  std::vector<DraftPhase> phases_;
  int phase_ = 0, next_ = 0;
  std::map<int32_t, int> full_, rows_;  // register of a node: in this phase, in the program
  std::map<LoadKey, int> loads_;
  std::map<int, std::map<LoadKey, int>> row_loads_;  // per phase
  std::map<std::tuple<int, DType, int64_t, Dims, Dims, bool>, int> operand_memo_;
  std::vector<int> last_load_, stored_at_;  // when, in drafts made before: per input, per output
  std::vector<bool> identity_;
};

}  // namespace

BuiltProgram build_row_program(const BuildArgs& args) { return Builder(args).run(); }

BuiltProgram build_copy(const View& view, bool counted) {
  BuiltProgram built;
  RowProgram& program = built.program;
  const Node& node = view.base.graph->node(view.base);
  const DType dtype = view.base.dtype();
  const int64_t elements = num_elements(view.dims);
  const View small = collapsed(view);
  program.rows = 1;
  program.width = elements;
  program.full_registers = 1;
  RowPhase phase;
  if (node.op->name == "constant" && node.attrs.has("value")) {
    phase.tiles.push_back({constant_op(dtype), 0, 0, 0, 0, 0, constant_bits(node)});
  } else {
    if (!counted) built.inputs.push_back(view.base);
    program.operands.push_back({counted ? -1 : 0, dtype, false, small.offset, small.dims, small.strides});
    const RowRecipe recipe = counted ? iota_recipe(dtype) : RowRecipe(RowOp::load);
    phase.tiles.push_back({recipe.op, 0, 0, 0, 0, 0, 0});
    for (const RowOp op : recipe.after) {
      if (op != RowOp::none) phase.tiles.push_back({op, 0, 0, 0, 0, 0, 0});
    }
  }
  program.operands.push_back({0, dtype, false, 0, {elements}, {1}});
  phase.tiles.push_back({RowOp::store, 0, 0, 0, 0, uint16_t(program.operands.size() - 1), 0});
  program.phases.push_back(std::move(phase));
  return built;
}

}  // namespace hearth
