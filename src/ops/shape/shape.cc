// SPDX-License-Identifier: Apache-2.0
#include "ops/shape/shape.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "ir/op.h"
#include "ir/rules.h"
#include "ops/complex/complex_parts.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/batch_rules.h"

namespace hearth {

// --- functions ------------------------------------------------------------------------------------------------------

Value broadcast_in_dim(const Value& x, const Dims& shape, const Dims& dims) {
  return x.graph->add("broadcast_in_dim", {x}, {{"shape", shape}, {"dims", dims}});
}

Value broadcast_to(const Value& x, const Dims& shape) {
  if (x.dims() == shape) return x;
  Dims dims(size_t(x.rank()));
  std::iota(dims.begin(), dims.end(), int64_t(shape.size()) - x.rank());
  return broadcast_in_dim(x, shape, dims);
}

Value reshape(const Value& x, const Dims& shape) {
  Dims dims = shape;
  int64_t known = 1, unknown = -1;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == -1) {
      HEARTH_CHECK(unknown < 0, shape, "reshape: more than one size is -1: ", ShowDims{shape}, "\n  x is ", x);
      unknown = int64_t(i);
    } else {
      known *= dims[i];
    }
  }
  if (unknown >= 0 && known > 0) {
    const int64_t n = x.type().elements();
    HEARTH_CHECK(n % known == 0, shape, "reshape: no size makes ", n, " elements of ", ShowDims{shape}, "\n  x is ", x);
    dims[size_t(unknown)] = n / known;
  }
  return x.dims() == dims ? x : x.graph->add("reshape", {x}, {{"shape", dims}});
}

Value transpose(const Value& x, const Dims& permutation) {
  return x.graph->add("transpose", {x}, {{"permutation", permutation}});
}

Value slice(const Value& x, const Dims& start, const Dims& limit, const Dims& strides) {
  return x.graph->add(
      "slice", {x},
      {{"start", start}, {"limit", limit}, {"strides", strides.empty() ? Dims(start.size(), 1) : strides}});
}

Value slice_axis(const Value& x, int64_t axis, int64_t start, int64_t limit) {
  Dims from(size_t(x.rank()), 0), to = x.dims();
  from[size_t(axis)] = start;
  to[size_t(axis)] = limit;
  return slice(x, from, to);
}

Value reverse(const Value& x, const Dims& axes) { return x.graph->add("reverse", {x}, {{"dims", axes}}); }

Value concatenate(const std::vector<Value>& parts, int64_t axis) {
  HEARTH_CHECK(!parts.empty(), value, "concatenate: no parts given");
  return parts[0].graph->add("concatenate", parts, {{"dimension", axis}});
}

Value pad(const Value& x, const Value& fill, const Padding& padding) {
  return x.graph->add("pad", {x, fill}, {{"low", padding.low}, {"high", padding.high}, {"interior", padding.interior}});
}

// --- shape rules
// -------------------------------------------------------------------------------------------------------

using Types = std::vector<TensorType>;

static Types infer_broadcast(const InferArgs& args) {
  const Value& x = args.in[0];
  const Dims &shape = args.attrs.list("shape"), &dims = args.attrs.list("dims");
  HEARTH_CHECK(int64_t(dims.size()) == x.rank(), shape, "broadcast_in_dim: ", dims.size(), " axes named for x ", x);
  int64_t before = -1;
  for (int64_t i = 0; i < x.rank(); ++i) {
    const int64_t to = dims[size_t(i)];
    HEARTH_CHECK(to > before && to < int64_t(shape.size()), shape, "broadcast_in_dim: axes ", ShowDims{dims},
                 " must rise and lie inside ", ShowDims{shape}, "; x is ", x);
    HEARTH_CHECK(x.dim(i) == 1 || x.dim(i) == shape[size_t(to)], shape, "broadcast_in_dim: size ", x.dim(i),
                 " of axis ", i, " does not stretch to ", shape[size_t(to)], "\n  x is ", x, ", result ",
                 ShowDims{shape});
    before = to;
  }
  return {{x.dtype(), shape}};
}

static Types infer_reshape(const InferArgs& args) {
  const Dims& shape = args.attrs.list("shape");
  for (int64_t d : shape)
    HEARTH_CHECK(d >= 0, shape, "reshape: negative size in ", ShowDims{shape}, "; x is ", args.in[0]);
  HEARTH_CHECK(num_elements(shape) == args.in[0].type().elements(), shape, "reshape: ", ShowDims{shape}, " has ",
               num_elements(shape), " elements, x has ", args.in[0].type().elements(), "\n  x is ", args.in[0]);
  return {{args.in[0].dtype(), shape}};
}

static Types infer_transpose(const InferArgs& args) {
  const Value& x = args.in[0];
  const Dims& permutation = args.attrs.list("permutation");
  Dims sorted = permutation, all(size_t(x.rank()));
  std::sort(sorted.begin(), sorted.end());
  std::iota(all.begin(), all.end(), 0);
  HEARTH_CHECK(sorted == all, shape, "transpose: ", ShowDims{permutation}, " is no permutation of the axes of x ", x);
  Dims dims;
  for (int64_t p : permutation) dims.push_back(x.dim(p));
  return {{x.dtype(), dims}};
}

static Types infer_slice(const InferArgs& args) {
  const Value& x = args.in[0];
  const Dims &start = args.attrs.list("start"), &limit = args.attrs.list("limit"),
             &strides = args.attrs.list("strides");
  const size_t rank = size_t(x.rank());
  HEARTH_CHECK(start.size() == rank && limit.size() == rank && strides.size() == rank, shape,
               "slice: start, limit and strides need one number an axis; x is ", x);
  Dims dims;
  for (size_t i = 0; i < rank; ++i) {
    HEARTH_CHECK(0 <= start[i] && start[i] <= limit[i] && limit[i] <= x.dim(int64_t(i)) && strides[i] > 0, value,
                 "slice: axis ", i, " from ", start[i], " to ", limit[i], " by ", strides[i], " does not lie inside x ",
                 x);
    dims.push_back((limit[i] - start[i] + strides[i] - 1) / strides[i]);
  }
  return {{x.dtype(), dims}};
}

static Types infer_reverse(const InferArgs& args) {
  for (int64_t axis : args.attrs.list("dims")) {
    HEARTH_CHECK(axis >= 0 && axis < args.in[0].rank(), value, "reverse: axis ", axis, " does not exist in x ",
                 args.in[0]);
  }
  return {args.in[0].type()};
}

static Types infer_concatenate(const InferArgs& args) {
  const Value& first = args.in[0];
  const int64_t axis = args.attrs.integer("dimension");
  HEARTH_CHECK(axis >= 0 && axis < first.rank(), value, "concatenate: axis ", axis, " does not exist in ", first);
  Dims dims = first.dims();
  for (size_t i = 1; i < args.in.size(); ++i) {
    const Value& part = args.in[i];
    HEARTH_CHECK(part.dtype() == first.dtype(), dtype, "concatenate: dtypes differ\n  part 0 is ", first, "\n  part ",
                 i, " is ", part);
    HEARTH_CHECK(part.rank() == first.rank(), shape, "concatenate: ranks differ: ", first.rank(), " != ", part.rank(),
                 "\n  part 0 is ", first, "\n  part ", i, " is ", part);
    for (int64_t d = 0; d < first.rank(); ++d) {
      HEARTH_CHECK(d == axis || part.dim(d) == first.dim(d), shape, "concatenate: sizes of axis ", d,
                   " differ: ", first.dim(d), " != ", part.dim(d), "\n  part 0 is ", first, "\n  part ", i, " is ",
                   part);
    }
    dims[size_t(axis)] += part.dim(axis);
  }
  return {{first.dtype(), dims}};
}

static Types infer_pad(const InferArgs& args) {
  const Value &x = args.in[0], &fill = args.in[1];
  const Dims &low = args.attrs.list("low"), &high = args.attrs.list("high"), &interior = args.attrs.list("interior");
  const size_t rank = size_t(x.rank());
  HEARTH_CHECK(fill.rank() == 0 && fill.dtype() == x.dtype(), shape, "pad: fill must be a scalar of x's dtype\n  x is ",
               x, "\n  fill is ", fill);
  HEARTH_CHECK(low.size() == rank && high.size() == rank && interior.size() == rank, shape,
               "pad: low, high and interior need one number an axis; x is ", x);
  Dims dims;
  for (size_t i = 0; i < rank; ++i) {
    HEARTH_CHECK(interior[i] >= 0, value, "pad: interior amount ", interior[i], " of axis ", i, " is negative");
    const int64_t n = x.dim(int64_t(i)), size = low[i] + high[i] + n + std::max<int64_t>(n - 1, 0) * interior[i];
    HEARTH_CHECK(size >= 0, shape, "pad: axis ", i, " would have ", size, " elements; x is ", x);
    dims.push_back(size);
  }
  return {{x.dtype(), dims}};
}

// --- derivatives
// -------------------------------------------------------------------------------------------------------

// The cotangent is summed over every axis that was added or stretched.
static void grad_broadcast(VjpArgs& v) {
  const Dims& dims = v.attrs.list("dims");
  Dims summed;
  for (int64_t axis = 0; axis < v.out[0].rank(); ++axis) {
    const auto at = std::find(dims.begin(), dims.end(), axis);
    const bool kept = at != dims.end() && v.in[0].dim(at - dims.begin()) == v.out[0].dim(axis);
    if (!kept) summed.push_back(axis);
  }
  v.grad[0] = reshape(reduce_sum(v.cotangent[0], summed), v.in[0].dims());
}

static void grad_transpose(VjpArgs& v) {
  const Dims& permutation = v.attrs.list("permutation");
  Dims inverse(permutation.size());
  for (size_t i = 0; i < permutation.size(); ++i) inverse[size_t(permutation[i])] = int64_t(i);
  v.grad[0] = transpose(v.cotangent[0], inverse);
}

static void grad_slice(VjpArgs& v) {
  const Dims &start = v.attrs.list("start"), &strides = v.attrs.list("strides");
  Padding p;
  for (size_t i = 0; i < start.size(); ++i) {
    const int64_t n = v.out[0].dim(int64_t(i)), covered = n == 0 ? 0 : (n - 1) * strides[i] + 1;
    p.low.push_back(start[i]);
    p.interior.push_back(strides[i] - 1);
    p.high.push_back(v.in[0].dim(int64_t(i)) - start[i] - covered);
  }
  v.grad[0] = pad(v.cotangent[0], constant(v.graph, 0, v.in[0].dtype()), p);
}

static void grad_concatenate(VjpArgs& v) {
  const int64_t axis = v.attrs.integer("dimension");
  int64_t start = 0;
  for (size_t i = 0; i < v.in.size(); ++i) {
    const int64_t end = start + v.in[i].dim(axis);
    if (v.wanted[i]) v.grad[i] = slice_axis(v.cotangent[0], axis, start, end);
    start = end;
  }
}

// dx: undo the edges with negative amounts, then take every (interior+1)-th element. dfill: what of dy did not go to x.
static void grad_pad(VjpArgs& v) {
  const Dims &low = v.attrs.list("low"), &high = v.attrs.list("high"), &interior = v.attrs.list("interior");
  const Value zero = constant(v.graph, 0, v.in[0].dtype());
  Padding back{.interior = Dims(low.size(), 0)};
  Dims start(low.size(), 0), strides;
  for (size_t i = 0; i < low.size(); ++i) {
    back.low.push_back(-low[i]);
    back.high.push_back(-high[i]);
    strides.push_back(interior[i] + 1);
  }
  const Value unpadded = pad(v.cotangent[0], zero, back);
  const Value dx = slice(unpadded, start, unpadded.dims(), strides);
  if (v.wanted[0]) v.grad[0] = dx;
  if (v.wanted[1]) {
    Dims all(size_t(v.out[0].rank())), all_in(size_t(v.in[0].rank()));
    std::iota(all.begin(), all.end(), 0);
    std::iota(all_in.begin(), all_in.end(), 0);
    v.grad[1] = reduce_sum(v.cotangent[0], all) - reduce_sum(dx, all_in);
  }
}

std::vector<OpInfo> shape_ops() {
  std::vector<OpInfo> ops = {
      {.name = "broadcast_in_dim",
       .doc = "repeat along new or stretched axes",
       .infer = infer_broadcast,
       .vjp = grad_broadcast,
       .jvp = jvp_linear,
       .batch = batch_broadcast,
       .row_kind = RowKind::view},
      {.name = "reshape",
       .doc = "same elements, other sizes",
       .infer = infer_reshape,
       .vjp = [](VjpArgs& v) { v.grad[0] = reshape(v.cotangent[0], v.in[0].dims()); },
       .jvp = jvp_linear,
       .batch = batch_reshape,
       .row_kind = RowKind::view},
      {.name = "transpose",
       .doc = "permute axes",
       .infer = infer_transpose,
       .vjp = grad_transpose,
       .jvp = jvp_linear,
       .batch = batch_transpose,
       .row_kind = RowKind::view},
      {.name = "slice",
       .doc = "a box with strides",
       .infer = infer_slice,
       .vjp = grad_slice,
       .jvp = jvp_linear,
       .batch = batch_slice,
       .row_kind = RowKind::view},
      {.name = "reverse",
       .doc = "reverse along axes",
       .infer = infer_reverse,
       .vjp = [](VjpArgs& v) { v.grad[0] = reverse(v.cotangent[0], v.attrs.list("dims")); },
       .jvp = jvp_linear,
       .batch = batch_reverse,
       .row_kind = RowKind::view},
      {.name = "concatenate",
       .doc = "join along an axis",
       .infer = infer_concatenate,
       .vjp = grad_concatenate,
       .jvp = jvp_linear,
       .batch = batch_concatenate,
       .offers = {{"cpu", "concatenate", nullptr}}},
      {.name = "pad",
       .doc = "low, high and interior padding, negative too",
       .infer = infer_pad,
       .vjp = grad_pad,
       .jvp = jvp_linear,
       .batch = batch_pad,
       .offers = {{"cpu", "pad", nullptr}}},
  };
  for (OpInfo& op : ops) op.expand = expand_by_parts;
  return ops;
}

}  // namespace hearth
