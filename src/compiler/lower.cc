// SPDX-License-Identifier: Apache-2.0
// Lowering: fuses what belongs to row programs, orders the units (groups and kernel nodes), and emits them.
#include <algorithm>

#include "base/error.h"
#include "compiler/control_flow.h"
#include "compiler/lower_state.h"
#include "compiler/matmul_operand.h"

namespace hearth {
namespace {

class Lowering {
 public:
  Lowering(const Partition& partition, const Backends& backends)
      : graph_(*partition.graph),
        device_(partition.device),
        backends_(backends),
        views_(graph_, nodes_seen_through()),
        emitter_(graph_, views_, backends) {}

  Plan run() {
    find_reads();
    fusion_ = fuse(graph_, views_, compute_, reads_);
    find_stores();
    emit_all();
    for (const GraphOutput& output : graph_.outputs()) store_output(output);
    return emitter_.finish();
  }

 private:
  // Views and iotas that belong to a device with row programs.
  std::vector<bool> nodes_seen_through() const {
    std::vector<bool> nodes(size_t(graph_.size()), false);
    for (int32_t id = 0; id < graph_.size(); ++id) {
      const OpInfo& op = *graph_.node(id).op;
      nodes[size_t(id)] = is_row_node(id) && (op.row_kind == RowKind::view || op.name == "iota");
    }
    return nodes;
  }
  bool is_row_node(int32_t id) const {
    return device_[size_t(id)] >= 0 && backends_[size_t(device_[size_t(id)])]->kernel(graph_.node(id)).empty();
  }
  bool is_kernel(int32_t id) const { return device_[size_t(id)] >= 0 && !is_row_node(id); }
  bool is_matmul(int32_t id) const {
    return is_kernel(id) && backends_[size_t(device_[size_t(id)])]->kernel(graph_.node(id)) == "matmul";
  }

  // The value that input `i` of a kernel is read from: through a widening of stored 16-bit floats, which matmul does
  // itself.
  View kernel_operand(int32_t id, size_t i) const {
    const Value in = graph_.node(id).inputs[i];
    return is_matmul(id) ? matmul_operand(graph_, views_, in) : views_(in);
  }

  // Which nodes are needed, and what each reads, starting from the outputs.
  void find_reads() {
    compute_.assign(size_t(graph_.size()), false);
    reads_.resize(size_t(graph_.size()));
    std::vector<bool> needed(size_t(graph_.size()), false);
    for (const GraphOutput& output : graph_.outputs()) needed[size_t(views_(output.value).base.node)] = true;
    for (int32_t id = graph_.size() - 1; id >= 0; --id) {
      if (!needed[size_t(id)]) continue;
      const Node& node = graph_.node(id);
      if (is_kernel(id)) {
        for (size_t i = 0; i < node.inputs.size(); ++i) reads_[size_t(id)].push_back(kernel_operand(id, i).base);
      } else if (is_row_node(id) && node.op->row_kind != RowKind::constant) {
        compute_[size_t(id)] = true;
        const size_t operands = views_.is_copy(id) ? 1 : node.inputs.size();
        for (size_t i = 0; i < operands; ++i) reads_[size_t(id)].push_back(operand_view(graph_, views_, id, i).base);
      }
      for (const Value& read : reads_[size_t(id)]) needed[size_t(read.node)] = true;
    }
    needed_ = std::move(needed);
  }

  // A member is written to memory when a kernel, an output, or another group needs it and cannot cheaply compute it
  // again.
  void find_stores() {
    stored_.assign(size_t(graph_.size()), false);
    std::vector<bool> wanted_elsewhere(size_t(graph_.size()), false);
    for (const GraphOutput& output : graph_.outputs()) stored_[size_t(views_(output.value).base.node)] = true;
    for (int32_t id = 0; id < graph_.size(); ++id) {
      if (!needed_[size_t(id)]) continue;
      if (is_kernel(id)) {
        for (const Value& read : reads_[size_t(id)]) stored_[size_t(read.node)] = true;
      } else if (compute_[size_t(id)]) {
        for (size_t i = 0; i < reads_[size_t(id)].size(); ++i) {
          const Value base = reads_[size_t(id)][i];
          if (!compute_[size_t(base.node)] || group_of(base.node) == group_of(id)) continue;
          if (reads_plainly(id, i))
            wanted_elsewhere[size_t(base.node)] = true;
          else
            stored_[size_t(base.node)] = true;
        }
      }
    }
    for (int32_t id = 0; id < graph_.size(); ++id) {
      if (!wanted_elsewhere[size_t(id)] || stored_[size_t(id)]) continue;
      const std::optional<Recomputable> cheap =
          recomputable(graph_, views_, compute_, {const_cast<Graph*>(&graph_), id, 0});
      if (!cheap)
        stored_[size_t(id)] = true;
      else
        for (const int32_t node : cheap->nodes) leaves_[node] = leaf_of(node);
    }
  }

  // Invalid for a part of an expression that is made of constants only.
  Value leaf_of(int32_t node) const {
    const std::optional<Recomputable> part =
        recomputable(graph_, views_, compute_, {const_cast<Graph*>(&graph_), node, 0});
    return part ? part->leaf : Value{};
  }

  int32_t group_of(int32_t node) const { return fusion_.group_of[size_t(node)]; }

  // Element by element, by a member whose values are full: such a read may compute the value instead.
  bool reads_plainly(int32_t id, size_t i) const {
    const Group& group = fusion_.groups[size_t(group_of(id))];
    const View view = operand_view(graph_, views_, id, i);
    if (!is_identity(view) || view.base.type().elements() != group.elements) return false;
    for (const Member& m : group.members) {
      if (m.node == id) return m.role == Role::full || graph_.node(id).op->row_kind == RowKind::reduce;
    }
    return false;
  }

  // --- order: a unit after all that it reads; otherwise as the graph was written, each group at its last member ---

  int32_t unit_of(int32_t node) const { return group_of(node) >= 0 ? graph_.size() + group_of(node) : node; }

  std::vector<int32_t> dependencies(int32_t unit) const {
    std::vector<int32_t> units;
    const auto add = [&](int32_t reader) {
      for (size_t i = 0; i < reads_[size_t(reader)].size(); ++i) {
        const int32_t read = reads_[size_t(reader)][i].node;
        const auto leaf = leaves_.find(read);
        const bool again = leaf != leaves_.end() && compute_[size_t(reader)] && group_of(read) != group_of(reader) &&
                           reads_plainly(reader, i);
        if (again && !leaf->second.valid()) continue;
        const int32_t node = again ? leaf->second.node : read;
        if ((is_kernel(node) || compute_[size_t(node)]) && unit_of(node) != unit) units.push_back(unit_of(node));
      }
    };
    if (unit < graph_.size())
      add(unit);
    else
      for (const Member& m : fusion_.groups[size_t(unit - graph_.size())].members) add(m.node);
    return units;
  }

  void emit_all() {
    std::vector<char> state(size_t(graph_.size()) + fusion_.groups.size(), 0);  // 1: waiting for inputs, 2: emitted
    for (int32_t id = 0; id < graph_.size(); ++id) {
      if (!needed_[size_t(id)] || (!is_kernel(id) && !compute_[size_t(id)])) continue;
      const int32_t unit = unit_of(id);
      if (group_of(id) >= 0 && fusion_.groups[size_t(group_of(id))].members.back().node != id) continue;
      std::vector<int32_t> stack = {unit};
      while (!stack.empty()) {
        const int32_t top = stack.back();
        if (state[size_t(top)] == 2) {
          stack.pop_back();
          continue;
        }
        if (state[size_t(top)] == 1) {
          state[size_t(top)] = 2;
          stack.pop_back();
          emit(top);
          continue;
        }
        state[size_t(top)] = 1;
        for (const int32_t d : dependencies(top)) {
          HEARTH_CHECK(state[size_t(d)] != 1 || d == top, bug, "lower: units depend on each other in a cycle");
          if (state[size_t(d)] == 0) stack.push_back(d);
        }
      }
    }
  }

  void emit(int32_t unit) {
    if (unit >= graph_.size())
      emit_group(unit - graph_.size());
    else if (graph_.node(unit).op->name == "optimization_barrier" && emitter_.device_number(device_[size_t(unit)]) == 0)
      emit_alias(unit);
    else if (is_control(graph_.node(unit).op->name))
      emit_control(emitter_, graph_, views_, backends_, unit);
    else if (is_matmul(unit))
      emit_matmul(emitter_, graph_, views_, unit);
    else
      emit_kernel(unit);
  }

  void emit_group(int32_t g) {
    const Group& group = fusion_.groups[size_t(g)];
    BuildArgs args{graph_, views_, group, [&](int32_t node) { return leaves_.count(node) && group_of(node) != g; }, {}};
    std::vector<TensorType> types;
    for (const Member& m : group.members) {
      if (!stored_[size_t(m.node)]) continue;
      args.stores.push_back({const_cast<Graph*>(&graph_), m.node, 0});
    }
    if (args.stores.empty()) return;  // every reader computes it again
    BuiltProgram built = build_row_program(args);
    for (const Value& value : built.outputs) types.push_back(value.type());
    const std::vector<Value> outputs = built.outputs;
    const std::vector<int32_t> buffers =
        emitter_.emit_program(std::move(built), types, graph_.node(group.members.back().node).scope);
    for (size_t i = 0; i < outputs.size(); ++i) emitter_.set_buffer(outputs[i], buffers[i]);
  }

  void emit_alias(int32_t id) {
    const Node& node = graph_.node(id);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const View view = views_(node.inputs[i]);
      int32_t buffer = is_identity(view) ? emitter_.buffer_of(view.base) : -1;
      if (buffer < 0) {
        buffer =
            emitter_.emit_program(build_copy(view, views_.is_counted(view.base.node)), {node.types[i]}, node.scope)[0];
      }
      emitter_.set_buffer({const_cast<Graph*>(&graph_), id, int32_t(i)}, buffer);
    }
  }

  void emit_kernel(int32_t id) {
    const Node& node = graph_.node(id);
    const Backend& backend = *backends_[size_t(device_[size_t(id)])];
    const int32_t device = emitter_.device_number(device_[size_t(id)]);
    Emitter::Call call{.kernel = backend.kernel(node),
                       .device = device,
                       .attrs = node.attrs,
                       .workspace_bytes = backend.workspace_bytes(node),
                       .scope = node.scope};
    for (const Value& in : node.inputs) call.in.push_back(emitter_.dense(views_(in), in.type(), device));
    for (size_t i = 0; i < node.types.size(); ++i) {
      const int32_t buffer = emitter_.new_buffer(node.types[i], device);
      emitter_.set_buffer({const_cast<Graph*>(&graph_), id, int32_t(i)}, buffer);
      call.out.push_back(emitter_.tensor(buffer, node.types[i]));
    }
    if (node.op->in_place_input >= 0 && device == 0) {
      for (int i = 0; i < int(node.types.size()); ++i) call.in_place.push_back({node.op->in_place_input + i, i});
    }
    emitter_.emit(std::move(call));
  }

  // An output must lie dense in host memory, in a buffer of its own shape.
  void store_output(const GraphOutput& output) {
    const View view = views_(output.value);
    const int32_t base = emitter_.buffer_of(view.base);
    if (base >= 0 && is_identity(view)) {
      emitter_.set_buffer(output.value, emitter_.on_device(base, 0));
    } else {
      emitter_.set_buffer(output.value, emitter_.dense_buffer(view, output.value.type()));
    }
  }

  const Graph& graph_;
  const std::vector<int>& device_;
  const Backends& backends_;
  Views views_;
  Emitter emitter_;
  std::vector<bool> needed_, compute_, stored_;
  std::vector<std::vector<Value>> reads_;
  std::map<int32_t, Value> leaves_;  // computed again by each group that reads it, from this stored value
  Fusion fusion_;
};

}  // namespace

Plan lower(const Partition& partition, const Backends& backends) { return Lowering(partition, backends).run(); }

Plan compile(const Graph& graph, const CompileOptions& options, CompileReport* report) {
  HEARTH_CHECK(!options.devices.empty(), value, "compile: no device given");
  verify(graph);
  Backends backends;
  for (const std::string& device : options.devices) {
    backends.push_back(make_backend(device));
    if (device != "reference" && !options.only_reference.empty())
      backends.back() = without(std::move(backends.back()), options.only_reference);
  }
  const Partition parts = partition(graph, backends, report ? &report->partition : nullptr);
  Plan plan = lower(parts, backends);
  if (report && report->texts) {
    report->graph = to_text(graph);
    report->simplified = to_text(*simplify(graph));
    report->partitioned = to_text(*parts.graph);
    for (const RowProgram& program : plan.programs) report->programs += to_text(program);
    report->plan = to_text(plan);
  }
  return plan;
}

}  // namespace hearth
