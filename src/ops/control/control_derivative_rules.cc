// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "ir/derivative.h"
#include "ir/inline.h"
#include "ops/control/control.h"
#include "ops/control/control_rules.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {
namespace {

Value or_zero(const Value& tangent, const Value& like) { return tangent.valid() ? tangent : scalar_like(like, 0); }

Values here(Graph& graph, const Values& values) {
  Values stand_ins;
  for (const Value& value : values) stand_ins.push_back(graph.here(value));
  return stand_ins;
}

// Cotangents of `outputs` in, those of `wrt` out, zeros where nothing depends on one; nodes from `first` on.
Values pull_back_all(Graph& graph, int32_t first, const Values& outputs, const Values& cotangents, const Values& wrt) {
  Values grads = pull_back({&graph, first}, outputs, cotangents, wrt);
  for (size_t i = 0; i < wrt.size(); ++i) grads[i] = or_zero(grads[i], wrt[i]);
  return grads;
}

// Takes values off a list one after the other.
class Take {
 public:
  explicit Take(const Values& list) : list_(list) {}
  Values operator()(size_t count) {
    at_ += count;
    return part(list_, at_ - count, count);
  }
  Value one() { return list_.at(at_++); }

 private:
  const Values& list_;
  size_t at_ = 0;
};

// --- forward derivatives --------------------------------------------------------------------------------------------

// Outputs of a body followed by the tangents of those outputs that `wanted` names. `tangents`: one per input, invalid
// where zero.
Values with_tangents(const Graph& body, const Values& reads, const Values& tangents, const std::vector<bool>& wanted) {
  Graph& graph = graph_of(reads);
  const Values in = here(graph, reads);
  Values moving;  // tangents as values of this graph
  for (const Value& tangent : tangents) moving.push_back(tangent.valid() ? graph.here(tangent) : tangent);
  const int32_t first = graph.size();
  Values out = inline_graph(graph, body, in);
  const Values moved = push_forward({&graph, first}, out, in, moving);
  const size_t count = out.size();
  for (size_t i = 0; i < count; ++i) {
    if (wanted[i]) out.push_back(or_zero(moved[i], out[i]));
  }
  return out;
}

// Tangents of a body's inputs: for `own` ones that carry a tangent the next of `given`, for captured ones as they are.
Values tangents_of(const std::vector<bool>& carries, Take& given, const Values& captured_tangents) {
  Values tangents;
  for (const bool carry : carries) tangents.push_back(carry ? given.one() : Value{});
  append(tangents, captured_tangents);
  return tangents;
}

std::vector<bool> inexact(const Values& values) {
  std::vector<bool> is;
  for (const Value& value : values) is.push_back(is_inexact(value.dtype()));
  return is;
}
// Gives the tangents among `results` that stand for outputs [first, first + which.size()).
void give_tangents(JvpArgs& j, size_t first, const std::vector<bool>& which, Take& results) {
  for (size_t i = 0; i < which.size(); ++i) {
    if (which[i]) j.out_tangent[first + i] = results.one();
  }
}

}  // namespace

void while_vjp(VjpArgs&) {
  HEARTH_FAIL(unsupported,
              "while: has no reverse derivative, for nobody knows how often it runs\n  hint: scan and fori_loop "
              "have one; jvp goes through while");
}

// A loop whose state is the state and the tangents of its inexact parts.
void while_jvp(JvpArgs& j) {
  const size_t state = j.out.size(), cond_captures = size_t(j.node.attrs.list("captures")[0]);
  const Values init = part(j.in, 0, state),
               body_captured = part(j.in, state + cond_captures, j.in.size() - state - cond_captures);
  const Values captured_tangents = part(j.tangent, state + cond_captures, body_captured.size());
  const std::vector<bool> moving = inexact(init);
  Values start = init;
  for (size_t i = 0; i < state; ++i) {
    if (moving[i]) start.push_back(or_zero(j.tangent[i], init[i]));
  }
  const auto more = [&](const Values& in) {
    Values reads = part(in, 0, state);
    append(reads, part(j.in, state, cond_captures));
    return inline_graph(*in[0].graph, *j.node.bodies[0], reads);
  };
  const auto step = [&](const Values& in) {
    Values reads = part(in, 0, state);
    append(reads, body_captured);
    const Values given = part(in, state, in.size() - state);
    Take take(given);
    return with_tangents(*j.node.bodies[1], reads, tangents_of(moving, take, captured_tangents), moving);
  };
  const std::vector<TensorType> types = types_of(start);
  const Values end = while_node(j.graph, trace_body(j.graph, types, more), trace_body(j.graph, types, step), start);
  const Values results = part(end, state, end.size() - state);
  Take take(results);
  give_tangents(j, 0, moving, take);
}

void case_jvp(JvpArgs& j) {
  const Dims& captures = j.node.attrs.list("captures");
  const std::vector<bool> moving = inexact(j.out);
  std::vector<Body> branches;
  size_t next = 1;
  for (size_t b = 0; b < captures.size(); ++b) {
    const size_t count = size_t(captures[b]);
    const Values reads = part(j.in, next, count), tangents = part(j.tangent, next, count);
    next += count;
    branches.push_back(trace_body(j.graph, {}, [&](const Values&) {
      if (!reads.empty()) return with_tangents(*j.node.bodies[b], reads, tangents, moving);
      Graph& graph = innermost(j.graph);
      Values out = inline_graph(graph, *j.node.bodies[b], {});
      for (size_t i = 0; i < moving.size(); ++i) {
        if (moving[i]) out.push_back(scalar_like(out[i], 0));
      }
      return out;
    }));
  }
  const Values all = case_node(j.graph, j.in[0], branches);
  const Values results = part(all, j.out.size(), all.size() - j.out.size());
  Take take(results);
  give_tangents(j, 0, moving, take);
}

// Carry and ys are followed by the tangents of their inexact parts; of the xs only those that move have a tangent.
void scan_jvp(JvpArgs& j) {
  const size_t carry = size_t(j.node.attrs.integer("carry")), xs = size_t(j.node.attrs.integer("xs"));
  const Values init = part(j.in, 0, carry), captured_tangents = part(j.tangent, carry + xs, j.in.size() - carry - xs);
  const Values captured = part(j.in, carry + xs, j.in.size() - carry - xs);
  const std::vector<bool> carry_moves = inexact(init), y_moves = inexact(part(j.out, carry, j.out.size() - carry));
  std::vector<bool> x_moves, out_moves = carry_moves;
  out_moves.insert(out_moves.end(), y_moves.begin(), y_moves.end());
  Values start = init, rows = part(j.in, carry, xs);
  for (size_t i = 0; i < carry; ++i) {
    if (carry_moves[i]) start.push_back(or_zero(j.tangent[i], init[i]));
  }
  for (size_t i = 0; i < xs; ++i) {
    x_moves.push_back(j.tangent[carry + i].valid());
    if (x_moves.back()) rows.push_back(j.tangent[carry + i]);
  }
  const auto step = [&](const Values& c, const Values& x) -> ScanResult {
    Values reads = part(c, 0, carry), tangents;
    append(reads, part(x, 0, xs));
    append(reads, captured);
    const Values dc = part(c, carry, c.size() - carry), dx = part(x, xs, x.size() - xs);
    Take take_c(dc), take_x(dx);
    append(tangents, tangents_of(carry_moves, take_c, {}));
    append(tangents, tangents_of(x_moves, take_x, captured_tangents));
    Values all = reads.empty() ? inline_graph(innermost(j.graph), *j.node.bodies[0], {})
                               : with_tangents(*j.node.bodies[0], reads, tangents, out_moves);
    const Values results = part(all, j.out.size(), all.size() - j.out.size());
    Take take(results);
    ScanResult result{part(all, 0, carry), part(all, carry, j.out.size() - carry)};
    for (const bool moves : carry_moves) {
      if (moves) result.carry.push_back(take.one());
    }
    for (const bool moves : y_moves) {
      if (moves) result.ys.push_back(take.one());
    }
    return result;
  };
  const ScanResult end =
      scan(j.graph, step, start, rows,
           {.length = j.node.attrs.integer("length"), .reverse = j.node.attrs.integer("reverse") != 0});
  const Values dc = part(end.carry, carry, end.carry.size() - carry);
  const Values dy = part(end.ys, y_moves.size(), end.ys.size() - y_moves.size());
  Take take_c(dc), take_y(dy);
  give_tangents(j, 0, carry_moves, take_c);
  give_tangents(j, carry, y_moves, take_y);
}

// --- reverse derivatives --------------------------------------------------------------------------------------------

// Each branch's own derivative, as another case; of what the other branches read it gives zeros.
void case_vjp(VjpArgs& v) {
  const Dims& captures = v.attrs.list("captures");
  Values cotangents;
  std::vector<size_t> moving;  // outputs with a cotangent
  for (size_t i = 0; i < v.out.size(); ++i) {
    if (!v.cotangent[i].valid()) continue;
    moving.push_back(i);
    cotangents.push_back(v.cotangent[i]);
  }
  std::vector<size_t> wanted;  // inputs
  for (size_t i = 1; i < v.in.size(); ++i) {
    if (v.wanted[i]) wanted.push_back(i);
  }
  std::vector<Body> branches;
  size_t next = 1;
  for (size_t b = 0; b < captures.size(); ++b) {
    const size_t first = next, count = size_t(captures[b]);
    next += count;
    branches.push_back(trace_body(v.graph, {}, [&](const Values&) {
      Graph& graph = innermost(v.graph);
      const Values reads = here(graph, part(v.in, first, count)), arriving = here(graph, cotangents);
      const int32_t begin = graph.size();
      const Values out = inline_graph(graph, *v.bodies[b], reads);
      Values outputs, wrt, gives;
      for (const size_t i : moving) outputs.push_back(out[i]);
      for (const size_t i : wanted) {
        if (i >= first && i < first + count) wrt.push_back(reads[i - first]);
      }
      const Values grads = pull_back_all(graph, begin, outputs, arriving, wrt);
      Take take(grads);
      for (const size_t i : wanted)
        gives.push_back(i >= first && i < first + count ? take.one() : scalar_like(graph.here(v.in[i]), 0));
      return gives;
    }));
  }
  const Values grads = case_node(v.graph, v.in[0], branches);
  for (size_t i = 0; i < wanted.size(); ++i) v.grad[wanted[i]] = grads[i];
}

namespace {

// The backward pass of a scan: a scan in the other direction whose carry is the cotangent of the carry and the sums of
// the cotangents of what the body captures. Each step computes the forward step again from its kept carry.
class ScanBackward {
 public:
  explicit ScanBackward(VjpArgs& v)
      : v_(v),
        carry_(size_t(v.attrs.integer("carry"))),
        xs_(size_t(v.attrs.integer("xs"))),
        kept_(v.graph.add_all("scan_with_carries", v.in, v.attrs, v.bodies)) {
    for (size_t i = 0; i < carry_; ++i) {
      if (is_inexact(v.in[i].dtype())) moving_carry_.push_back(i);
    }
    for (size_t i = carry_; i < v.out.size(); ++i) {
      if (v.cotangent[i].valid()) moving_ys_.push_back(i);
    }
    for (size_t i = carry_; i < v.in.size(); ++i) {
      if (v.wanted[i]) (i < carry_ + xs_ ? wanted_xs_ : wanted_captured_).push_back(i);
    }
  }

  void run() {
    Values start, rows;
    for (const size_t i : moving_carry_) start.push_back(or_zero(v_.cotangent[i], v_.in[i]));
    for (const size_t i : wanted_captured_) start.push_back(scalar_like(v_.in[i], 0));
    for (const size_t i : moving_ys_) rows.push_back(v_.cotangent[i]);
    append(rows, part(v_.in, carry_, xs_));
    append(rows, part(kept_, v_.out.size(), carry_));
    const ScanResult end = scan(v_.graph, [this](const Values& c, const Values& x) { return step(c, x); }, start, rows,
                                {.length = v_.attrs.integer("length"), .reverse = v_.attrs.integer("reverse") == 0});
    Take take(end.carry);
    for (const size_t i : moving_carry_) v_.grad[i] = take.one();
    for (const size_t i : wanted_captured_) v_.grad[i] = take.one();
    for (size_t i = 0; i < wanted_xs_.size(); ++i) v_.grad[wanted_xs_[i]] = end.ys[i];
  }

 private:
  ScanResult step(const Values& c, const Values& x) const {
    Graph& graph = innermost(v_.graph);
    Take from_c(c), from_x(x);
    Values cotangents = from_c(moving_carry_.size());
    const Values sums = from_c(wanted_captured_.size());
    append(cotangents, from_x(moving_ys_.size()));
    const Values row = from_x(xs_);
    Values reads = from_x(carry_);
    append(reads, row);
    append(reads, part(v_.in, carry_ + xs_, v_.in.size() - carry_ - xs_));
    reads = here(graph, reads);
    cotangents = here(graph, cotangents);
    const int32_t begin = graph.size();
    const Values out = inline_graph(graph, *v_.bodies[0], reads);
    Values outputs, wrt;
    for (const size_t i : moving_carry_) outputs.push_back(out[i]);
    for (const size_t i : moving_ys_) outputs.push_back(out[i]);
    for (const auto* list : {&moving_carry_, &wanted_captured_, &wanted_xs_}) {
      for (const size_t i : *list) wrt.push_back(reads[i]);
    }
    const Values grads = pull_back_all(graph, begin, outputs, cotangents, wrt);
    Take take(grads);
    ScanResult result{take(moving_carry_.size()), {}};
    for (const Value& sum : sums) result.carry.push_back(sum + take.one());
    result.ys = take(wanted_xs_.size());
    return result;
  }

  VjpArgs& v_;
  const size_t carry_, xs_;
  const Values kept_;                                                           // carry, ys, the carry before each step
  std::vector<size_t> moving_carry_, moving_ys_, wanted_xs_, wanted_captured_;  // numbers of inputs and outputs
};

}  // namespace

void scan_vjp(VjpArgs& v) { ScanBackward(v).run(); }

}  // namespace hearth
