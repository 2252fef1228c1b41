// SPDX-License-Identifier: Apache-2.0
// gather and scatter, element by element as the specification words them.

#include <algorithm>
#include <bit>
#include <cmath>

#include "ops/gather/index_axes.h"
#include "ops/reference/elements.h"
#include "ops/reference/reference.h"
#include "ops/scatter/scatter_kind.h"

namespace hearth {
namespace {

using namespace reference;

// An index as a number; a u64 above i64's range is larger than any size.
int64_t load_index(const TensorArg& indices, int64_t i) {
  const int64_t value = load_integer(indices, i);
  return indices.dtype() == DType::u64 && value < 0 ? INT64_MAX : value;
}

// Where in the operand the element `at` of the data lies; false when its slice is dropped.
bool operand_index(const TensorArg& indices, const Dims& operand, const IndexAxes& axes, bool clamp, const Dims& at,
                   Dims& place) {
  Dims batch, window;
  for (size_t i = 0; i < at.size(); ++i) (contains(axes.window, int64_t(i)) ? window : batch).push_back(at[i]);
  Dims index = batch;
  if (axes.index_vector <= int64_t(batch.size())) index.insert(index.begin() + axes.index_vector, 0);
  place.assign(operand.size(), 0);
  for (size_t k = 0; k < axes.index_map.size(); ++k) {
    const size_t axis = size_t(axes.index_map[k]);
    Dims component = index;
    if (axes.index_vector < int64_t(indices.dims().size())) component[size_t(axes.index_vector)] = int64_t(k);
    component.resize(indices.dims().size());
    const int64_t start = load_index(indices, position(component, indices.dims()));
    place[axis] = std::clamp<int64_t>(start, 0, operand[axis] - axes.sizes[axis]);
    if (!clamp && place[axis] != start) return false;
  }
  for (size_t k = 0; k < axes.operand_batching.size(); ++k)
    place[size_t(axes.operand_batching[k])] = index[size_t(axes.indices_batching[k])];
  size_t next = 0;
  for (size_t i = 0; i < operand.size(); ++i)
    if (is_window_axis(axes, int64_t(i))) place[i] += window[next++];
  return true;
}

// --- gather(operand, start_indices), attributes in ops/gather/gather.h ----------------------------------------------

void run_gather(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &indices = args.in[1], &y = args.out[0];
  const IndexAxes axes = gather_axes(args.attrs);
  const bool clamp = clamps(args.attrs);
  Dims from;
  for_each_index(y.dims(), [&](const Dims& at, int64_t i) {
    const bool inside = operand_index(indices, x.dims(), axes, clamp, at, from);
    bool exists = inside;
    for (size_t k = 0; k < from.size(); ++k) exists = exists && from[k] < x.dims()[k] && axes.sizes[k] > 0;
    if (exists)
      copy_element(y, i, x, position(from, x.dims()));
    else
      std::fill_n(y.as<char>() + i * size_bytes(y.dtype()), size_bytes(y.dtype()), char(0));
  });
}
void check_gather(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 2, 1);
  HEARTH_CHECK(is_index_dtype(in[1].dtype), format, "indices are ", in[1]);
  const IndexAxes axes = gather_axes(attrs);
  const std::string problem = index_problem(in[0].dims, in[1].dims, axes);
  HEARTH_CHECK(problem.empty(), format, problem);
  clamps(attrs);
  expect_type("output", out[0], {in[0].dtype, data_dims(in[1].dims, axes)});
}

// --- scatter(operand, indices, updates), attributes in ops/scatter/scatter.h ----------------------------------------

// An extreme of two numbers: NaN wins, and -0 is less than +0.
double extreme(bool maximum, double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) ? a : b;
  if (a == b) return std::signbit(a) == maximum ? b : a;
  return (a < b) == maximum ? b : a;
}

int64_t combined(ScatterKind kind, DType dtype, int64_t a, int64_t b) {
  const bool less = dtype == DType::u64 ? uint64_t(a) < uint64_t(b) : a < b;
  switch (kind) {
    case ScatterKind::add: return int64_t(uint64_t(a) + uint64_t(b));
    case ScatterKind::multiply: return int64_t(uint64_t(a) * uint64_t(b));
    case ScatterKind::minimum: return less ? a : b;
    case ScatterKind::maximum: return less ? b : a;
    case ScatterKind::bitwise_and: return a & b;
    default: return a | b;
  }
}

template <class T>
T combined(ScatterKind kind, T a, T b) {
  if (kind == ScatterKind::add) return a + b;
  if (kind == ScatterKind::multiply) return a * b;
  if constexpr (std::is_same_v<T, double>) return extreme(kind == ScatterKind::maximum, a, b);
  HEARTH_FAIL(bug, "reference: complex numbers have no order");
}

// Floats in f64, rounded once at the end.
void run_scatter(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &indices = args.in[1], &updates = args.in[2], &y = args.out[0];
  const IndexAxes axes = scatter_axes(args.attrs, x.dims(), updates.dims());
  const ScatterKind kind = *scatter_kind(args.attrs.text("kind"));
  const bool clamp = clamps(args.attrs), inexact = is_inexact(y.dtype());
  const int64_t elements = y.type->elements();
  std::vector<std::complex<double>> sums(inexact && kind != ScatterKind::set ? size_t(elements) : 0);
  for (size_t i = 0; i < sums.size(); ++i) sums[i] = load_complex(x, int64_t(i));
  for (int64_t i = 0; i < elements; ++i)
    if (y.data != x.data) copy_element(y, i, x, i);
  Dims place;
  for_each_index(updates.dims(), [&](const Dims& at, int64_t i) {
    if (elements == 0 || !operand_index(indices, x.dims(), axes, clamp, at, place)) return;
    const int64_t to = position(place, y.dims());
    if (kind == ScatterKind::set)
      copy_element(y, to, updates, i);
    else if (is_complex(y.dtype()))
      sums[size_t(to)] = combined(kind, sums[size_t(to)], load_complex(updates, i));
    else if (inexact)
      sums[size_t(to)] = combined(kind, sums[size_t(to)].real(), load_real(updates, i));
    else
      store_integer(y, to, combined(kind, y.dtype(), load_integer(y, to), load_integer(updates, i)));
  });
  for (size_t i = 0; i < sums.size(); ++i) {
    if (is_complex(y.dtype()))
      store_complex(y, int64_t(i), sums[i]);
    else
      store_real(y, int64_t(i), sums[i].real());
  }
}
void check_scatter(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 3, 1);
  const std::optional<ScatterKind> kind = scatter_kind(attrs.text("kind"));
  HEARTH_CHECK(kind && takes(*kind, in[0].dtype), format, "kind '", attrs.text("kind"), "' has no meaning for ", in[0]);
  HEARTH_CHECK(is_index_dtype(in[1].dtype), format, "indices are ", in[1]);
  expect_type("updates", in[2], {in[0].dtype, in[2].dims});
  expect_type("output", out[0], in[0]);
  const std::string problem = scatter_problem(in[0].dims, in[1].dims, in[2].dims, attrs);
  HEARTH_CHECK(problem.empty(), format, problem);
  clamps(attrs);
}

}  // namespace

std::vector<KernelInfo> reference_indexing() {
  return {
      {"gather", run_gather, check_gather},
      {"scatter", run_scatter, check_scatter},
  };
}

}  // namespace hearth
