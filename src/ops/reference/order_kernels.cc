// SPDX-License-Identifier: Apache-2.0
// Operations that order elements or pick them by number: each lane (the elements that differ in one axis only) by
// itself.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "ops/along_axis/axis_view.h"
#include "ops/reference/elements.h"
#include "ops/reference/reference.h"
#include "ops/sort/sort_workspace.h"

namespace hearth {
namespace {

using namespace reference;

// Calls body(first): elements of a lane are first + i * view.inner, i < view.n.
template <class Body>
void for_each_lane(const AxisView& view, Body body) {
  for (int64_t o = 0; o < view.outer; ++o) {
    for (int64_t c = 0; c < view.inner; ++c) body(o * view.n * view.inner + c);
  }
}

// -1, 0 or 1 as element i is less than, equal to or greater than element j. -0 equals +0, NaN is the largest number.
int compare_reals(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return int(std::isnan(a)) - int(std::isnan(b));
  return a < b ? -1 : a > b;
}
int compare_elements(const TensorArg& x, int64_t i, int64_t j) {
  if (is_complex(x.dtype())) {
    const std::complex<double> a = load_complex(x, i), b = load_complex(x, j);
    const int real = compare_reals(a.real(), b.real());
    return real ? real : compare_reals(a.imag(), b.imag());
  }
  if (is_float(x.dtype())) return compare_reals(load_real(x, i), load_real(x, j));
  const int64_t a = load_integer(x, i), b = load_integer(x, j);
  const bool less = is_signed_int(x.dtype()) ? a < b : uint64_t(a) < uint64_t(b);
  return less ? -1 : a != b;
}

// The numbers of a lane's elements in sorted order.
template <class Compare>
std::vector<int64_t> sorted_order(int64_t n, bool descending, Compare compare) {
  std::vector<int64_t> order(size_t(n), 0);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t i, int64_t j) { return descending ? compare(i, j) > 0 : compare(i, j) < 0; });
  return order;
}

// --- sort_keys(operands...) {dimension, num_keys, descending}, sort_keys_indices: and the numbers ------------------

void run_sort_keys(const KernelArgs& args) {
  const AxisView view(args.in[0].dims(), args.attrs.integer("dimension"));
  const size_t keys = size_t(args.attrs.integer("num_keys"));
  for_each_lane(view, [&](int64_t first) {
    const auto at = [&](int64_t i) { return first + i * view.inner; };
    const auto compare = [&](int64_t i, int64_t j) {
      int result = 0;
      for (size_t k = 0; k < keys && result == 0; ++k) result = compare_elements(args.in[k], at(i), at(j));
      return result;
    };
    const std::vector<int64_t> order = sorted_order(view.n, args.attrs.integer("descending") != 0, compare);
    for (int64_t i = 0; i < view.n; ++i) {
      for (size_t k = 0; k < args.in.size(); ++k) copy_element(args.out[k], at(i), args.in[k], at(order[size_t(i)]));
      if (args.out.size() > args.in.size()) store_integer(args.out.back(), at(i), order[size_t(i)]);
    }
  });
}
void check_sort(const Types& in, const Types& out, const Attrs& attrs, size_t more) {
  HEARTH_CHECK(!in.empty(), format, "has no inputs");
  expect_arguments(in, out, in.size(), in.size() + more);
  expect_axis(in[0], attrs.integer("dimension"));
  attrs.integer("descending");
  const int64_t keys = attrs.integer("num_keys");
  HEARTH_CHECK(keys >= 1 && keys <= int64_t(in.size()), format, keys, " keys among ", in.size(), " inputs");
  for (size_t i = 0; i < in.size(); ++i) {
    expect_type("input", in[i], {in[i].dtype, in[0].dims});
    expect_type("output", out[i], in[i]);
  }
}
void check_sort_keys(const Types& in, const Types& out, const Attrs& attrs) { check_sort(in, out, attrs, 0); }
void check_sort_keys_indices(const Types& in, const Types& out, const Attrs& attrs) {
  check_sort(in, out, attrs, 1);
  const int64_t n = in[0].dims[size_t(attrs.integer("dimension"))];
  expect_type("indices", out.back(), {sort_index_dtype(n), in[0].dims});
}

// --- top_k(x) {k} -> values, numbers --------------------------------------------------------------------------------

void run_top_k(const KernelArgs& args) {
  const TensorArg& x = args.in[0];
  const int64_t n = x.dim(-1), k = args.attrs.integer("k");
  for (int64_t row = 0; n > 0 && row < x.type->elements() / n; ++row) {
    const std::vector<int64_t> order =
        sorted_order(n, true, [&](int64_t i, int64_t j) { return compare_elements(x, row * n + i, row * n + j); });
    for (int64_t i = 0; i < k; ++i) {
      copy_element(args.out[0], row * k + i, x, row * n + order[size_t(i)]);
      store_integer(args.out[1], row * k + i, order[size_t(i)]);
    }
  }
}
void check_top_k(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 1, 2);
  HEARTH_CHECK(in[0].rank() > 0 && !is_complex(in[0].dtype), format, "x is ", in[0]);
  const int64_t k = attrs.integer("k"), last = in[0].rank() - 1;
  HEARTH_CHECK(k >= 0 && k <= in[0].dims.back() && in[0].dims.back() <= INT32_MAX, format, "k is ", k, " for ", in[0]);
  expect_type("values", out[0], with_size(in[0], last, k));
  expect_type("indices", out[1], {DType::i32, out[0].dims});
}

// --- arg_reduce(x) {dimension, kind: max min}: number of the extreme element; the first of equals, NaN wins ---------

void run_arg_reduce(const KernelArgs& args) {
  const TensorArg& x = args.in[0];
  const AxisView view(x.dims(), args.attrs.integer("dimension"));
  const bool max = args.attrs.text("kind") == "max";
  int64_t next = 0;
  for_each_lane(view, [&](int64_t first) {
    int64_t best = 0;
    const auto at = [&](int64_t i) { return first + i * view.inner; };
    const auto is_nan = [&](int64_t i) { return is_float(x.dtype()) && std::isnan(load_real(x, at(i))); };
    for (int64_t i = 1; i < view.n && !is_nan(best); ++i) {
      const int order = compare_elements(x, at(i), at(best));
      if (is_nan(i) || (max ? order > 0 : order < 0)) best = i;
    }
    store_integer(args.out[0], next++, best);
  });
}
void check_arg_reduce(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 1, 1);
  const int64_t axis = expect_axis(in[0], attrs.integer("dimension"));
  const std::string& kind = attrs.text("kind");
  HEARTH_CHECK(kind == "max" || kind == "min", format, "kind='", kind, "'");
  HEARTH_CHECK(!is_complex(in[0].dtype) && (in[0].dims[size_t(axis)] > 0 || out[0].elements() == 0), format,
               "has no extreme element along axis ", axis, " of ", in[0]);
  HEARTH_CHECK(out[0].dtype == DType::i32 || out[0].dtype == DType::i64, format, "output is ", out[0]);
  Dims dims = in[0].dims;
  dims.erase(dims.begin() + axis);
  expect_type("output", out[0], {out[0].dtype, dims});
}

// --- gather_along_axis(x, index) {dimension}, scatter_add_along_axis(x, index) {dimension, size} --------------------

void run_gather(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &index = args.in[1], &y = args.out[0];
  const int64_t axis = args.attrs.integer("dimension"), n = x.dims()[size_t(axis)];
  std::memset(y.data, 0, size_t(y.type->bytes()));
  for_each_index(y.dims(), [&](const Dims& at, int64_t i) {
    Dims from = at;
    from[size_t(axis)] = load_integer(index, i);
    if (from[size_t(axis)] >= 0 && from[size_t(axis)] < n) copy_element(y, i, x, position(from, x.dims()));
  });
}
void check_gather(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 2, 1);
  const int64_t axis = expect_axis(in[0], attrs.integer("dimension"));
  HEARTH_CHECK((in[1].dtype == DType::i32 || in[1].dtype == DType::i64) && in[1].rank() == in[0].rank(), format,
               "index is ", in[1]);
  expect_type("output", out[0], with_size(in[0], axis, in[1].dims[size_t(axis)]));
  expect_type("index", in[1], {in[1].dtype, out[0].dims});
}

void run_scatter_add(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &index = args.in[1], &y = args.out[0];
  const int64_t axis = args.attrs.integer("dimension"), n = y.dims()[size_t(axis)];
  std::vector<std::complex<double>> sums(size_t(y.type->elements()));
  std::vector<int64_t> integers(sums.size());
  const bool inexact = is_inexact(x.dtype());
  for_each_index(x.dims(), [&](const Dims& at, int64_t i) {
    Dims to = at;
    to[size_t(axis)] = load_integer(index, i);
    if (to[size_t(axis)] < 0 || to[size_t(axis)] >= n) return;
    const size_t place = size_t(position(to, y.dims()));
    if (inexact)
      sums[place] += load_complex(x, i);
    else
      integers[place] = int64_t(uint64_t(integers[place]) + uint64_t(load_integer(x, i)));
  });
  for (size_t i = 0; i < sums.size(); ++i) {
    if (is_complex(y.dtype()))
      store_complex(y, int64_t(i), sums[i]);
    else if (inexact)
      store_real(y, int64_t(i), sums[i].real());
    else
      store_integer(y, int64_t(i), integers[i]);
  }
}
void check_scatter_add(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 2, 1);
  const int64_t axis = expect_axis(in[0], attrs.integer("dimension"));
  HEARTH_CHECK(in[1].dtype == DType::i32 || in[1].dtype == DType::i64, format, "index is ", in[1]);
  HEARTH_CHECK(in[0].dtype != DType::boolean && out[0].rank() == in[0].rank(), format, "sums ", in[0]);
  expect_type("index", in[1], {in[1].dtype, in[0].dims});
  expect_type("output", out[0], with_size(in[0], axis, out[0].dims[size_t(axis)]));
}

}  // namespace

std::vector<KernelInfo> reference_order() {
  return {
      {"sort_keys", run_sort_keys, check_sort_keys},
      {"sort_keys_indices", run_sort_keys, check_sort_keys_indices},
      {"top_k", run_top_k, check_top_k},
      {"arg_reduce", run_arg_reduce, check_arg_reduce},
      {"gather_along_axis", run_gather, check_gather},
      {"scatter_add_along_axis", run_scatter_add, check_scatter_add},
  };
}

}  // namespace hearth
