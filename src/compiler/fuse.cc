// SPDX-License-Identifier: Apache-2.0
#include "compiler/fuse.h"

#include <algorithm>
#include <functional>

#include "base/error.h"

namespace hearth {

namespace {
constexpr size_t kMaxMembers = 48;     // keeps programs within the registers
constexpr size_t kSearchLimit = 3000;  // nodes looked at before a possible cycle counts as one
}  // namespace

View operand_view(const Graph& graph, const Views& views, int32_t id, size_t input) {
  const Node& node = graph.node(id);
  if (views.is_copy(id)) return views.copy_operand(id);
  View view = views(node.inputs[input]);
  if (node.op->row_kind != RowKind::reduce) return view;
  const Dims& axes = node.attrs.list("dims");
  View moved{view.base, {}, {}, view.offset};
  const auto add = [&](size_t axis) {
    moved.dims.push_back(view.dims[axis]);
    moved.strides.push_back(view.strides[axis]);
  };
  const size_t end = axes.empty() ? 0 : size_t(axes.back()) + 1;
  for (const bool reduced : {false, true}) {
    for (size_t i = 0; i < end; ++i) {
      if (std::binary_search(axes.begin(), axes.end(), int64_t(i)) == reduced) add(i);
    }
  }
  for (size_t i = end; i < view.dims.size(); ++i) add(i);
  return moved;
}

namespace {

int64_t reduced_width(const Node& node) {
  int64_t width = 1;
  for (int64_t axis : node.attrs.list("dims")) width *= node.inputs[0].dim(axis);
  return width;
}

// Elements behind the reduced axes: those rows interleave.
int64_t reduced_inner(const Node& node) {
  const Dims& axes = node.attrs.list("dims");
  int64_t inner = 1;
  for (int64_t i = axes.empty() ? 0 : axes.back() + 1; i < node.inputs[0].rank(); ++i) inner *= node.inputs[0].dim(i);
  return axes.empty() ? 1 : inner;
}

// Row values read once per element of their row.
bool is_spread(const View& view, const Group& g) {
  const int64_t rows = g.rows(), width = g.width;
  if (view.offset != 0 || num_elements(view.dims) != rows * width || view.base.type().elements() != rows) return false;
  const View small = collapsed(view);
  View wanted = collapsed({view.base, {rows / g.inner, width, g.inner}, {g.inner, 0, 1}, 0});
  return small.dims == wanted.dims && small.strides == wanted.strides;
}

class Fuser {
 public:
  Fuser(const Graph& graph, const Views& views, const std::vector<bool>& compute,
        const std::vector<std::vector<Value>>& reads)
      : graph_(graph), views_(views), compute_(compute), reads_(reads), visited_(size_t(graph.size()), 0) {
    result_.group_of.assign(size_t(graph.size()), -1);
  }

  Fusion run() {
    for (int32_t id = 0; id < graph_.size(); ++id) {
      if (compute_[size_t(id)]) place(id);
    }
    merge_neighbours();
    Fusion compact;
    compact.group_of.assign(result_.group_of.size(), -1);
    for (Group& group : result_.groups) {
      if (group.members.empty()) continue;
      std::sort(group.members.begin(), group.members.end(),
                [](const Member& a, const Member& b) { return a.node < b.node; });
      for (const Member& m : group.members) compact.group_of[size_t(m.node)] = int32_t(compact.groups.size());
      compact.groups.push_back(std::move(group));
    }
    return compact;
  }

 private:
  size_t operands(int32_t id) const { return views_.is_copy(id) ? 1 : graph_.node(id).inputs.size(); }
  int32_t group_of(const Value& base) const { return result_.group_of[size_t(base.node)]; }
  Group& group(int32_t g) { return result_.groups[size_t(g)]; }

  Role role_in(const Group& g, int32_t id) const {
    for (const Member& m : g.members) {
      if (m.node == id) return m.role;
    }
    HEARTH_FAIL(bug, "fuse: node is not in its group");
  }

  void place(int32_t id) {
    std::vector<int32_t> candidates;
    for (size_t i = 0; i < operands(id); ++i) {
      const int32_t g = group_of(operand_view(graph_, views_, id, i).base);
      if (g >= 0 && std::find(candidates.begin(), candidates.end(), g) == candidates.end()) candidates.push_back(g);
    }
    std::sort(candidates.rbegin(), candidates.rend());
    int32_t joined = -1;
    for (int32_t g : candidates) {
      if (joined < 0) {
        if (join(id, g)) joined = g;
      } else if (merge(joined, g)) {
        continue;
      }
    }
    if (joined < 0) start(id);
  }

  void start(int32_t id) {
    const Node& node = graph_.node(id);
    Group g;
    if (node.op->row_kind == RowKind::reduce) {
      g.elements = node.inputs[0].type().elements();
      g.width = reduced_width(node);
      g.inner = g.elements == 0 ? 1 : reduced_inner(node);
      g.empty_rows = node.types[0].elements();
      g.members = {{id, Role::row}};
    } else {
      g.elements = node.types[0].elements();
      g.members = {{id, Role::full}};
    }
    result_.group_of[size_t(id)] = int32_t(result_.groups.size());
    result_.groups.push_back(std::move(g));
  }

  // Whether a member `id` with `role` may read `view` of a value of the same group with role `from`.
  static bool edge_fits(const Group& g, const View& view, Role from, Role role, bool reduces) {
    if (reduces || role == Role::full) {
      if (from == Role::full) return is_identity(view);
      return !reduces && g.width >= 0 && is_spread(view, g);
    }
    return from == Role::row && is_identity(view);
  }

  bool fits(const Group& g, int32_t gi, int32_t id, Role role) const {
    const Node& node = graph_.node(id);
    const bool reduces = node.op->row_kind == RowKind::reduce;
    for (size_t i = 0; i < operands(id); ++i) {
      const View view = operand_view(graph_, views_, id, i);
      if (role == Role::row && !reduces && views_.is_counted(view.base.node)) return false;  // rows have no iota
      if (group_of(view.base) == gi && !edge_fits(g, view, role_in(g, view.base.node), role, reduces)) return false;
    }
    return true;
  }

  bool join(int32_t id, int32_t gi) {
    Group& g = group(gi);
    if (g.members.size() >= kMaxMembers) return false;
    const Node& node = graph_.node(id);
    const int64_t elements = node.types[0].elements();
    Role role;
    int64_t width = g.width, inner = g.inner;
    if (node.op->row_kind == RowKind::reduce) {
      const int64_t wanted = reduced_width(node), wanted_inner = reduced_inner(node);
      if (node.inputs[0].type().elements() != g.elements) return false;
      if (width >= 0 && (width != wanted || inner != wanted_inner)) return false;
      role = Role::row;
      width = wanted;
      inner = wanted_inner;
      if (!fits(g, gi, id, role)) return false;
    } else if (elements == g.elements && fits(g, gi, id, Role::full)) {
      role = Role::full;
    } else if (width >= 0 && elements == g.rows() && fits(g, gi, id, Role::row)) {
      role = Role::row;
    } else {
      return false;
    }
    if (elements == 0 || g.elements == 0) return false;
    if (depends_from_outside(id, gi, gi)) return false;
    g.width = width;
    g.inner = inner;
    g.members.push_back({id, role});
    result_.group_of[size_t(id)] = gi;
    cover(g);
    return true;
  }

  // What is quick to tell: most pairs of groups of a long graph fail here.
  static bool may_merge(const Group& a, const Group& b) {
    return a.elements == b.elements && a.members.size() + b.members.size() <= kMaxMembers &&
           (a.width < 0 || b.width < 0 || (a.width == b.width && a.inner == b.inner));
  }

  // Brings group b into group a.
  bool merge(int32_t ai, int32_t bi) {
    Group &a = group(ai), &b = group(bi);
    if (!may_merge(a, b)) return false;
    Group both = a;
    both.width = a.width >= 0 ? a.width : b.width;
    both.inner = a.width >= 0 ? a.inner : b.inner;
    both.members.insert(both.members.end(), b.members.begin(), b.members.end());
    for (const Member& m : both.members) {
      const bool reduces = graph_.node(m.node).op->row_kind == RowKind::reduce;
      for (size_t i = 0; i < operands(m.node); ++i) {
        const View view = operand_view(graph_, views_, m.node, i);
        const int32_t g = group_of(view.base);
        if ((g == ai || g == bi) && !edge_fits(both, view, role_in(both, view.base.node), m.role, reduces))
          return false;
      }
    }
    for (const Member& m : both.members) {
      if (depends_from_outside(m.node, ai, bi)) return false;
    }
    for (const Member& m : b.members) result_.group_of[size_t(m.node)] = ai;
    a = std::move(both);
    b.members.clear();
    cover(a);
    return true;
  }

  // Groups that read the same values, with no kernel between them, become one that reads them once: the gradients of
  // the two factors of a gated unit, for one.
  void merge_neighbours() {
    std::vector<int32_t> near;  // groups whose last member lies after the last kernel
    for (int32_t id = 0; id < graph_.size(); ++id) {
      if (!compute_[size_t(id)]) {
        if (!reads_[size_t(id)].empty()) near.clear();
        continue;
      }
      const int32_t g = result_.group_of[size_t(id)];
      if (last_member(group(g)) != id) continue;
      int32_t into = -1;
      for (const int32_t other : near) {
        if (into < 0 && may_merge(group(other), group(g)) && share_inputs(other, g) && merge(other, g)) into = other;
      }
      if (into < 0) near.push_back(g);
    }
  }

  // Whether both read, element by element, a value that lies in memory.
  bool share_inputs(int32_t a, int32_t b) {
    const auto inputs = [&](int32_t g) {
      std::vector<int32_t> nodes;
      for (const Member& m : group(g).members) {
        for (size_t i = 0; i < operands(m.node); ++i) {
          const View view = operand_view(graph_, views_, m.node, i);
          const bool full = view.base.type().elements() == group(g).elements && group(g).elements > 1;
          if (full && is_identity(view) && group_of(view.base) != g) nodes.push_back(view.base.node);
        }
      }
      return nodes;
    };
    const std::vector<int32_t> of_a = inputs(a), of_b = inputs(b);
    return std::find_first_of(of_a.begin(), of_a.end(), of_b.begin(), of_b.end()) != of_a.end();
  }

  static int32_t first_member(const Group& g) {
    int32_t first = g.members[0].node;
    for (const Member& m : g.members) first = std::min(first, m.node);
    return first;
  }
  static int32_t last_member(const Group& g) {
    int32_t last = -1;
    for (const Member& m : g.members) last = std::max(last, m.node);
    return last;
  }

  // Nodes need nodes before them, but a group needs all that its last member needs. So what lies before `node` may need
  // what lies after it only by way of a group on both sides: before horizon(node) nothing does.
  void cover(const Group& g) {
    int32_t first = first_member(g), last = last_member(g);
    auto range = covered_.upper_bound(first);
    if (range != covered_.begin() && std::prev(range)->second >= first) --range;
    while (range != covered_.end() && range->first <= last) {
      first = std::min(first, range->first);
      last = std::max(last, range->second);
      range = covered_.erase(range);
    }
    covered_[first] = last;
  }
  int32_t horizon(int32_t node) const {
    const auto range = covered_.upper_bound(node);
    return range != covered_.begin() && std::prev(range)->second >= node ? std::prev(range)->first : node;
  }

  // Whether node `id` needs, through something outside groups a and b, a value that a or b computes: joining would make
  // a cycle. Searches backwards, down to the horizon of both groups.
  bool depends_from_outside(int32_t id, int32_t a, int32_t b) {
    ++stamp_;
    const int32_t first = horizon(std::min(first_member(group(a)), first_member(group(b))));
    std::vector<int32_t> stack;
    size_t looked = 0;
    const auto push_inputs = [&](int32_t node, bool from_inside) {
      for (const Value& read : reads_[size_t(node)]) {
        const int32_t g = result_.group_of[size_t(read.node)];
        if (g >= 0 && (g == a || g == b)) {
          if (!from_inside) return true;
          continue;
        }
        if (visited_[size_t(read.node)] == stamp_) continue;
        visited_[size_t(read.node)] = stamp_;
        stack.push_back(read.node);
      }
      return false;
    };
    if (push_inputs(id, true)) return true;
    while (!stack.empty()) {
      const int32_t node = stack.back();
      stack.pop_back();
      if (++looked > kSearchLimit) return true;
      const int32_t g = result_.group_of[size_t(node)];
      if (g < 0) {
        if (node > first && push_inputs(node, false)) return true;
        continue;
      }
      if (last_member(group(g)) < first) continue;
      for (const Member& m : group(g).members) {
        if (push_inputs(m.node, false)) return true;
      }
    }
    return false;
  }

  const Graph& graph_;
  const Views& views_;
  const std::vector<bool>& compute_;
  const std::vector<std::vector<Value>>& reads_;
  Fusion result_;
  std::vector<uint32_t> visited_;
  std::map<int32_t, int32_t> covered_;  // disjoint ranges of nodes that groups stretch over: first, last
  uint32_t stamp_ = 0;
};

}  // namespace

Fusion fuse(const Graph& graph, const Views& views, const std::vector<bool>& compute,
            const std::vector<std::vector<Value>>& reads) {
  return Fuser(graph, views, compute, reads).run();
}

}  // namespace hearth
