// SPDX-License-Identifier: Apache-2.0
#include "ops/reduce/reduce.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "ir/rules.h"
#include "ops/complex/complex_parts.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

static Value reduce(const Value& x, const Dims& axes, const char* kind) {
  if (axes.empty()) return x;
  Dims sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  return x.graph->add("reduce", {x}, {{"dims", sorted}, {"kind", std::string(kind)}});
}

Value reduce_sum(const Value& x, const Dims& axes) { return reduce(x, axes, "sum"); }
Value reduce_max(const Value& x, const Dims& axes) { return reduce(x, axes, "max"); }
Value reduce_min(const Value& x, const Dims& axes) { return reduce(x, axes, "min"); }
Value reduce_product(const Value& x, const Dims& axes) { return reduce(x, axes, "product"); }
Value reduce_and(const Value& x, const Dims& axes) { return reduce(x, axes, "and"); }
Value reduce_or(const Value& x, const Dims& axes) { return reduce(x, axes, "or"); }

static Value keep_last(const Value& reduced) {
  Dims dims = reduced.dims();
  dims.push_back(1);
  return reshape(reduced, dims);
}
Value sum_last(const Value& x) { return keep_last(reduce_sum(x, {x.rank() - 1})); }
Value max_last(const Value& x) { return keep_last(reduce_max(x, {x.rank() - 1})); }

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value& x = args.in[0];
  const Dims& axes = args.attrs.list("dims");
  const std::string& kind = args.attrs.text("kind");
  const bool numeric = kind == "sum" || kind == "product", order = kind == "max" || kind == "min";
  const bool bits = kind == "and" || kind == "or";
  HEARTH_CHECK(numeric || order || bits, value, "reduce: unknown kind '", kind, "'");
  HEARTH_CHECK(!numeric || x.dtype() != DType::boolean, dtype, "reduce ", kind, ": needs numbers; x is ", x);
  HEARTH_CHECK(!order || !is_complex(x.dtype()), dtype, "reduce ", kind, ": complex numbers have no order; x is ", x);
  HEARTH_CHECK(!bits || !is_inexact(x.dtype()), dtype, "reduce ", kind, ": needs integers or bool; x is ", x);
  for (size_t i = 0; i < axes.size(); ++i) {
    HEARTH_CHECK(axes[i] >= 0 && axes[i] < x.rank() && (i == 0 || axes[i] > axes[i - 1]), value, "reduce ", kind,
                 ": axes ", ShowDims{axes}, " must rise and exist in x ", x);
  }
  Dims dims;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) dims.push_back(x.dim(i));
  }
  return {{x.dtype(), dims}};
}

// Puts the reduced axes back: [B,C] reduced from [B,T,C] over 1 reads as [B,T,C].
static Value stretch(const Value& reduced, const Dims& shape, const Dims& axes) {
  Dims kept;
  for (int64_t i = 0; i < int64_t(shape.size()); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) kept.push_back(i);
  }
  return broadcast_in_dim(reduced, shape, kept);
}

// The elements of x[N, n] and their neighbours.
struct Halves {
  Value even, odd;  // [N, ceil(n / 2)] both; the odd of a last one without a neighbour is 1
};
static Halves halves(const Value& x) {
  const int64_t rows = x.dim(0), n = x.dim(1), half = (n + 1) / 2;
  const Value even_size =
      n % 2 == 0 ? x : concatenate({x, broadcast_to(constant(*x.graph, 1, x.dtype()), {rows, 1})}, 1);
  const Value pairs = reshape(even_size, {rows, half, 2});
  const auto side = [&](int64_t k) { return reshape(slice_axis(pairs, 2, k, k + 1), {rows, half}); };
  return {side(0), side(1)};
}

// What multiplies each element of x[N, n] in the product of its row times dy[N]: the product of all others, without a
// division, so that zeros need no care and it can be differentiated again. A tree of products upwards, and downwards
// what each node is multiplied with: 3 n multiplications.
static Value others_product(const Value& x, const Value& dy) {
  const int64_t rows = x.dim(0);
  std::vector<Halves> levels;
  std::vector<int64_t> sizes;
  for (Value level = x; level.dim(1) > 1;) {
    sizes.push_back(level.dim(1));
    levels.push_back(halves(level));
    level = levels.back().even * levels.back().odd;
  }
  Value outer = reshape(dy, {rows, 1});
  for (size_t i = levels.size(); i-- > 0;) {
    const int64_t half = outer.dim(1);
    const auto column = [&](const Value& v) { return reshape(v, {rows, half, 1}); };
    const Value both = concatenate({column(outer * levels[i].odd), column(outer * levels[i].even)}, 2);
    outer = slice_axis(reshape(both, {rows, 2 * half}), 1, 0, sizes[i]);
  }
  return outer;
}

static Value product_grad(const Value& x, const Value& dy, const Dims& axes) {
  if (x.type().elements() == 0) return scalar_like(x, 0);
  Dims order, back(size_t(x.rank()));
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) order.push_back(i);
  }
  order.insert(order.end(), axes.begin(), axes.end());
  for (size_t i = 0; i < order.size(); ++i) back[size_t(order[i])] = int64_t(i);
  const int64_t rows = dy.type().elements();
  const Value moved = transpose(x, order);
  const Value grad = others_product(reshape(moved, {rows, x.type().elements() / rows}), dy);
  return transpose(reshape(grad, moved.dims()), back);
}

// sum: dy everywhere. product: dy times the product of the others. max, min: dy shared by the elements that equal the
// result.
static void grad(VjpArgs& v) {
  const Dims &axes = v.attrs.list("dims"), &shape = v.in[0].dims();
  const std::string& kind = v.attrs.text("kind");
  if (kind == "product") {
    v.grad[0] = product_grad(v.in[0], v.cotangent[0], axes);
    return;
  }
  const Value dy = stretch(v.cotangent[0], shape, axes);
  if (kind == "sum") {
    v.grad[0] = dy;
    return;
  }
  const Value hit = convert(compare("EQ", v.in[0], stretch(v.out[0], shape, axes)), v.in[0].dtype());
  v.grad[0] = dy * hit / stretch(reduce_sum(hit, axes), shape, axes);
}

static void batch(BatchArgs& b) {
  Attrs attrs = b.node.attrs;
  attrs.set("dims", axes_after_batch(attrs.list("dims")));
  b.out = {b.graph.add("reduce", {b.in[0]}, attrs)};
}

struct Row {
  RowOp f32, f64, i32, u32, i64, u64, boolean;
};

static const Row* find_row(const std::string& kind) {
  using R = RowOp;
  static const std::map<std::string, Row> table = {
      {"sum", {R::sum_f32, R::sum_f64, R::sum_i32, R::sum_i32, R::sum_i64, R::sum_i64, R::none}},
      {"product", {R::prod_f32, R::prod_f64, R::prod_i32, R::prod_i32, R::prod_i64, R::prod_i64, R::none}},
      {"max",
       {R::max_row_f32, R::max_row_f64, R::max_row_i32, R::max_row_u32, R::max_row_i64, R::max_row_u64, R::or_row_u32}},
      {"min",
       {R::min_row_f32, R::min_row_f64, R::min_row_i32, R::min_row_u32, R::min_row_i64, R::min_row_u64,
        R::and_row_u32}},
      {"and", {R::none, R::none, R::and_row_u32, R::and_row_u32, R::and_row_u64, R::and_row_u64, R::and_row_u32}},
      {"or", {R::none, R::none, R::or_row_u32, R::or_row_u32, R::or_row_u64, R::or_row_u64, R::or_row_u32}},
  };
  const auto found = table.find(kind);
  return found == table.end() ? nullptr : &found->second;
}

// Sums and products of narrow integers wrap around at the end. What nothing is reduced to is that of 32 bits; wrapping
// makes the narrow dtype's of it, but for the largest and smallest signed number.
static RowRecipe row_op(const Node& n) {
  const DType t = n.types[0].dtype;
  const std::string& kind = n.attrs.text("kind");
  const Row* row = find_row(kind);
  if (!row) return RowOp::none;
  const bool clamps = kind == "max" || kind == "min";
  switch (t) {
    case DType::i8: return {RowOp::none, row->i32, clamps ? RowOp::clamp_i8 : RowOp::wrap_i8};
    case DType::i16: return {RowOp::none, row->i32, clamps ? RowOp::clamp_i16 : RowOp::wrap_i16};
    case DType::i32: return row->i32;
    case DType::u8: return {RowOp::none, row->u32, RowOp::wrap_u8};
    case DType::u16: return {RowOp::none, row->u32, RowOp::wrap_u16};
    case DType::u32: return row->u32;
    case DType::i64: return row->i64;
    case DType::u64: return row->u64;
    case DType::f64: return row->f64;
    case DType::boolean: return {RowOp::none, row->boolean, RowOp::i32_to_bool};
    default: return is_float(t) ? row->f32 : RowOp::none;
  }
}

std::vector<OpInfo> reduce_ops() {
  return {{.name = "reduce",
           .doc = "sum, product, max, min, and, or over axes",
           .infer = infer,
           .vjp = grad,
           .expand = expand_complex_reduce,
           .batch = batch,
           .row_kind = RowKind::reduce,
           .row_op = row_op}};
}

}  // namespace hearth
