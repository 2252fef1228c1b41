// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "ir/batch.h"
#include "ops/control/control.h"
#include "ops/control/control_rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

using Flags = std::vector<bool>;

// The outputs of a body, batched as `wanted` says (wanted ones that are not are repeated).
Values batch_body(Graph& around, const Graph& body, const Values& reads, const Flags& flags, int64_t size,
                  const Flags& wanted) {
  std::vector<Batched> in;
  for (size_t i = 0; i < reads.size(); ++i) in.push_back({reads[i], flags[i]});
  Values out;
  const std::vector<Batched> results = batch_into(innermost(around), body, in, size);
  for (size_t i = 0; i < results.size(); ++i)
    out.push_back(wanted[i] && !results[i].batched ? repeat_for_batch(results[i].value, size) : results[i].value);
  return out;
}

// Which outputs of a body are batched when these inputs are.
Flags batched_outputs(const Graph& body, const Flags& batched, int64_t size) {
  Flags out(body.outputs().size(), false);
  batched_body(body, batched, size, out);
  return out;
}

// The state values that become batched once those of `state` are, with what the body captures.
Flags grown(const Graph& body, Flags state, const Flags& others, int64_t size) {
  for (;;) {
    Flags reads = state;
    append(reads, others);
    const Flags out = batched_outputs(body, reads, size);
    Flags next = state;
    for (size_t i = 0; i < state.size(); ++i) next[i] = state[i] || out[i];
    if (next == state) return state;
    state = next;
  }
}

// pred [B] chooses among values with the batch as first axis.
Value select_examples(const Value& pred, const Value& a, const Value& b) {
  return select(broadcast_in_dim(pred, a.dims(), {0}), a, b);
}

}  // namespace

// With a condition per example the loop runs while any example's holds; the others keep their state. What each
// example's condition gave is then one more value of the state, [B], so that it is computed once a step.
void while_batch(BatchArgs& b) {
  const size_t state = b.node.types.size(), n_cond = size_t(b.node.attrs.list("captures")[0]);
  const size_t n_body = b.in.size() - state - n_cond;
  const Values cond_captured = part(b.in, state, n_cond), body_captured = part(b.in, state + n_cond, n_body);
  const Flags cond_flags = part(b.batched, state, n_cond), body_flags = part(b.batched, state + n_cond, n_body);
  Flags batched = grown(*b.node.bodies[1], part(b.batched, 0, state), body_flags, b.size);
  const auto reads_flags = [&](const Flags& captured) {
    Flags flags = batched;
    append(flags, captured);
    return flags;
  };
  const bool per_example = batched_outputs(*b.node.bodies[0], reads_flags(cond_flags), b.size)[0];
  if (per_example) batched.assign(state, true);
  const auto holds = [&](const Values& in) {
    Values reads = in;
    append(reads, cond_captured);
    return batch_body(b.graph, *b.node.bodies[0], reads, reads_flags(cond_flags), b.size, {per_example})[0];
  };
  Values init;
  for (size_t i = 0; i < state; ++i) init.push_back(batched[i] ? b.with_batch(i) : b.in[i]);
  if (per_example) init.push_back(holds(init));
  const auto more = [&](const Values& in) -> Values { return {per_example ? reduce_or(in[state], {0}) : holds(in)}; };
  const auto step = [&](const Values& in) {
    Values reads = part(in, 0, state);
    append(reads, body_captured);
    Values out = batch_body(b.graph, *b.node.bodies[1], reads, reads_flags(body_flags), b.size, batched);
    if (!per_example) return out;
    for (size_t i = 0; i < state; ++i) out[i] = select_examples(in[state], out[i], in[i]);
    out.push_back(holds(out));  // of an example that has ended: what it was
    return out;
  };
  const std::vector<TensorType> types = types_of(init);
  b.out = part(while_node(b.graph, trace_body(b.graph, types, more), trace_body(b.graph, types, step), init), 0, state);
  b.out_batched = batched;
}

// With an index per example all branches are computed, and each example takes its own.
void case_batch(BatchArgs& b) {
  const Dims& captures = b.node.attrs.list("captures");
  const Flags all(b.node.types.size(), true);
  const size_t branches = captures.size();
  std::vector<Values> results;
  std::vector<Body> bodies;
  size_t next = 1;
  for (size_t i = 0; i < branches; ++i) {
    const size_t count = size_t(captures[i]);
    const Values reads = part(b.in, next, count);
    const Flags flags = part(b.batched, next, count);
    next += count;
    const auto branch = [&](const Values&) {
      return batch_body(b.graph, *b.node.bodies[i], reads, flags, b.size, all);
    };
    if (b.batched[0])
      results.push_back(branch({}));
    else
      bodies.push_back(trace_body(b.graph, {}, branch));
  }
  if (!b.batched[0]) {
    b.out = case_node(b.graph, b.in[0], bodies);
    return;
  }
  b.out = results.back();
  for (size_t i = 0; i + 1 < branches; ++i) {
    const Value mine = compare("EQ", b.in[0], scalar_like(b.in[0], double(i)));
    for (size_t o = 0; o < b.out.size(); ++o) b.out[o] = select_examples(mine, results[i][o], b.out[o]);
  }
}

// [B, n, ...] <-> [n, B, ...]
static Value swap_first_axes(const Value& x) {
  Dims order(size_t(x.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[0], order[1]);
  return transpose(x, order);
}

void scan_batch(BatchArgs& b) {
  const size_t carry = size_t(b.node.attrs.integer("carry")), xs = size_t(b.node.attrs.integer("xs"));
  const Values captured = part(b.in, carry + xs, b.in.size() - carry - xs);
  const Flags others = part(b.batched, carry, b.batched.size() - carry);
  const Flags batched_carry = grown(*b.node.bodies[0], part(b.batched, 0, carry), others, b.size);
  Flags flags = batched_carry;
  append(flags, others);
  Flags wanted = batched_outputs(*b.node.bodies[0], flags, b.size);
  for (size_t i = 0; i < carry; ++i) wanted[i] = batched_carry[i];
  Values init, rows;
  for (size_t i = 0; i < carry; ++i) init.push_back(batched_carry[i] ? b.with_batch(i) : b.in[i]);
  for (size_t i = carry; i < carry + xs; ++i) rows.push_back(b.batched[i] ? swap_first_axes(b.in[i]) : b.in[i]);
  const auto step = [&](const Values& c, const Values& x) -> ScanResult {
    Values reads = c;
    append(reads, x);
    append(reads, captured);
    const Values out = batch_body(b.graph, *b.node.bodies[0], reads, flags, b.size, wanted);
    return {part(out, 0, carry), part(out, carry, out.size() - carry)};
  };
  const ScanResult end =
      scan(b.graph, step, init, rows,
           {.length = b.node.attrs.integer("length"), .reverse = b.node.attrs.integer("reverse") != 0});
  b.out = end.carry;
  for (size_t i = 0; i < end.ys.size(); ++i)
    b.out.push_back(wanted[carry + i] ? swap_first_axes(end.ys[i]) : end.ys[i]);
  b.out_batched = wanted;
}

}  // namespace hearth
