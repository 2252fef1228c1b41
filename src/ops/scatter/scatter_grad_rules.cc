// SPDX-License-Identifier: Apache-2.0
// Derivatives of scatter, one rule a kind. Those of duplicate indices follow JAX where it has them: the last "set" gets
// the cotangent, ties of minimum and maximum share it evenly. JAX has none for duplicates that multiply.
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/scatter/scatter_rules.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// The node at hand: what an update sees of a tensor of the operand's shape, and what the operand's shape sees of
// tensors of the updates' shape.
struct Places {
  const VjpArgs& v;
  ScatterDims dims = scatter_dims(v.attrs);
  ScatterOptions options = scatter_options(v.attrs);

  const Value& operand() const { return v.in[0]; }
  const Value& updates() const { return v.in[2]; }

  // Zeros for updates that were dropped.
  Value seen(const Value& x) const {
    Dims sizes(size_t(x.rank()), 1);
    size_t next = 0;
    for (int64_t i = 0; i < x.rank(); ++i) {
      sizes[size_t(i)] = std::min<int64_t>(1, x.dim(i));
      const auto in = [i](const Dims& list) { return std::find(list.begin(), list.end(), i) != list.end(); };
      if (!in(dims.inserted_window_dims) && !in(dims.input_batching_dims))
        sizes[size_t(i)] = updates().dim(dims.update_window_dims[next++]);
    }
    return gather(x, v.in[1],
                  {.offset_dims = dims.update_window_dims,
                   .collapsed_slice_dims = dims.inserted_window_dims,
                   .operand_batching_dims = dims.input_batching_dims,
                   .start_indices_batching_dims = dims.scatter_indices_batching_dims,
                   .start_index_map = dims.scatter_dims_to_operand_dims,
                   .index_vector_dim = dims.index_vector_dim},
                  sizes, {options.out_of_range, options.indices_are_sorted});
  }
  Value applied(const std::string& kind, const Value& start, const Value& updates) const {
    ScatterOptions other = options;
    other.kind = kind;
    return scatter(start, v.in[1], updates, dims, other);
  }
  Value summed(const Value& updates) const {
    return applied("add", constant(v.graph, 0, updates.dtype(), operand().dims()), updates);
  }
  bool wants_operand() const { return v.wanted[0]; }
  bool wants_updates() const { return v.wanted[2]; }
};

// y = x + sum of updates.
void grad_add(VjpArgs& v, const Places& p) {
  if (p.wants_operand()) v.grad[0] = v.cotangent[0];
  if (p.wants_updates()) v.grad[2] = p.seen(v.cotangent[0]);
}

// 1, 2, 3, ... of the windows in the order in which they are written.
Value window_numbers(const Places& p) {
  const Value& updates = p.updates();
  Dims batch, axes;
  for (int64_t i = 0; i < updates.rank(); ++i) {
    const Dims& window = p.dims.update_window_dims;
    if (std::find(window.begin(), window.end(), i) != window.end()) continue;
    batch.push_back(updates.dim(i));
    axes.push_back(i);
  }
  const int64_t count = num_elements(batch);
  const DType t = count < INT32_MAX ? DType::i32 : DType::i64;
  const Value numbers = iota(p.v.graph, t, {count}, 0) + constant(p.v.graph, 1, t);
  return broadcast_in_dim(reshape(numbers, batch), updates.dims(), axes);
}

// An update counts where it was the last to be written: where the number that a scatter of window numbers leaves is its
// own. A dropped update sees 0, which is nobody's.
void grad_set(VjpArgs& v, const Places& p) {
  if (p.wants_operand()) v.grad[0] = p.applied("set", v.cotangent[0], scalar_like(p.updates(), 0));
  if (!p.wants_updates()) return;
  v.grad[2] = p.seen(v.cotangent[0]);
  if (p.options.unique_indices) return;
  const Value numbers = window_numbers(p);
  const Value last = p.seen(p.applied("set", constant(v.graph, 0, numbers.dtype(), p.operand().dims()), numbers));
  v.grad[2] = select(compare("EQ", last, numbers), v.grad[2], scalar_like(v.grad[2], 0));
}

// y = x * product of updates u: dx = dy * product; du_i = dy x * product of the others. That is the product of those
// that are not 0, by u_i unless that is 0; or 0 when another one is 0. Exact in first order; of second derivatives by
// two updates of one element, both 0, it misses the mixed one.
void grad_multiply(VjpArgs& v, const Places& p) {
  const Value& u = p.updates();
  const Value ones = scalar_like(p.operand(), 1), dy_x = v.cotangent[0] * p.operand();
  if (p.wants_operand()) v.grad[0] = v.cotangent[0] * p.applied("multiply", ones, u);
  if (!p.wants_updates()) return;
  if (p.options.unique_indices) {
    v.grad[2] = p.seen(dy_x);
    return;
  }
  const Value one = scalar_like(u, 1), none = scalar_like(u, 0);
  const Value is_zero = compare("EQ", u, none), not_zero = select(is_zero, one, u);
  const Value zeros = p.summed(select(is_zero, one, none));
  const Value others = p.seen(zeros) - select(is_zero, one, none);  // zeros among the other updates
  const Value product = p.seen(dy_x * p.applied("multiply", ones, not_zero)) / not_zero;
  v.grad[2] = select(compare("EQ", others, none), product, none);
}

// The cotangent is shared by the operand's element and the updates that equal the result.
void grad_extreme(VjpArgs& v, const Places& p) {
  const DType t = p.operand().dtype();
  const Value& y = v.out[0];
  const Value kept = convert(compare("EQ", p.operand(), y), t);
  const Value hit = convert(compare("EQ", p.updates(), p.seen(y)), t);
  const Value share = v.cotangent[0] / (kept + p.summed(hit));
  if (p.wants_operand()) v.grad[0] = share * kept;
  if (p.wants_updates()) v.grad[2] = p.seen(share) * hit;
}

}  // namespace

void scatter_vjp(VjpArgs& v) {
  const Places p{v};
  const std::string& kind = p.options.kind;
  if (kind == "add") return grad_add(v, p);
  if (kind == "set") return grad_set(v, p);
  if (kind == "multiply") return grad_multiply(v, p);
  HEARTH_CHECK(kind == "minimum" || kind == "maximum", unsupported, "scatter ", kind, ": has no derivative");
  grad_extreme(v, p);
}

}  // namespace hearth
