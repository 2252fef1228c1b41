// SPDX-License-Identifier: Apache-2.0
#include "array/sets.h"

#include "array/axes.h"
#include "array/recording.h"
#include "array/searching.h"
#include "array/searching_values.h"
#include "array/sorting.h"
#include "array/statistics.h"
#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/cumulative/cumulative.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// Element i of rows [n, ...] differs from the one before; the first always does.
Value begins_run(const Value& rows) {
  const int64_t n = rows.dim(0);
  if (n == 0) return constant(*rows.graph, 0, DType::boolean, {0});
  Value differs = compare("NE", slice_axis(rows, 0, 1, n), slice_axis(rows, 0, 0, n - 1));
  Dims others;
  for (int64_t i = 1; i < rows.rank(); ++i) others.push_back(i);
  differs = reduce_or(differs, others);
  return concatenate({constant(*rows.graph, 1, DType::boolean, {1}), differs}, 0);
}

// Runs of equal rows of `sorted` [n, ...], which are rows order[0], order[1] ... of x.
UniqueAll from_runs(const Array& sorted, const Array& order, const Dims& shape) {
  const Array begins = record(begins_run, sorted), starts = flatnonzero(begins);
  const int64_t n = order.size();
  UniqueAll out;
  out.values = take(sorted, starts, {.axis = 0});
  out.indices = take(order, starts);
  out.counts = diff(starts.astype(DType::i32), {.append = array({int32_t(n)})});
  out.inverse_indices = record(
      [&](const Value& first, const Value& places) {
        if (n == 0) return constant(*first.graph, 0, DType::i32, shape);
        const Value run = cumsum(convert(first, DType::i32), 0) - 1;
        return reshape(scatter_add_along_axis(run, places, 0, n), shape);
      },
      begins, order);
  return out;
}

Array row(const Array& x) { return x.reshape({x.size()}); }

Array joined(const Array& a, const Array& b) {
  const std::lock_guard lock(array_mutex());
  const Values in = to_values({a, b}, promoted({a, b}).dtype);
  return from_value(concatenate({reshape(in[0], {a.size()}), reshape(in[1], {b.size()})}, 0));
}

}  // namespace

UniqueAll unique_all(const Array& x) {
  const Array flat = row(x), order = argsort(flat, 0);
  return from_runs(take(flat, order), order, x.shape());
}

Array unique_values(const Array& x) {
  const Array sorted = sort(row(x), 0);
  return compress(record(begins_run, sorted), sorted);
}

UniqueCounts unique_counts(const Array& x) {
  const UniqueAll all = unique_all(x);
  return {all.values, all.counts};
}
UniqueInverse unique_inverse(const Array& x) {
  const UniqueAll all = unique_all(x);
  return {all.values, all.inverse_indices};
}

// Stable sorts by one column after the other, the last first.
UniqueAll unique_slices(const Array& x, int64_t axis) {
  constexpr int64_t kColumnsAtOnce = 64;  // bounds the size of a plan
  const int64_t n = x.dim(axis_of("unique_slices", x, axis)), columns = n ? x.size() / n : 0;
  const Array rows = record([&](const Value& v) { return move_axis(v, checked_axis("unique_slices", v, axis), 0); }, x);
  const Array table = rows.reshape({n, columns});
  Array order = record([&](const Value& v) { return numbers_to(v, n); }, x);
  for (int64_t c = columns; c-- > 0;) {
    const Array column = record([&](const Value& t) { return reshape(slice_axis(t, 1, c, c + 1), {n}); }, table);
    order = take(order, argsort(take(column, order), 0));
    if (c % kColumnsAtOnce == 0) order.eval();
  }
  UniqueAll out = from_runs(take(rows, order, {.axis = 0}), order, {n});
  out.values =
      record([&](const Value& v) { return move_axis(v, 0, checked_axis("unique_slices", v, axis)); }, out.values);
  return out;
}

Array union1d(const Array& a, const Array& b) { return unique_values(joined(a, b)); }
Array intersect1d(const Array& a, const Array& b) {
  const Array all = unique_values(joined(a, b));
  return compress(isin(all, a) & isin(all, b), all);
}
Array setdiff1d(const Array& a, const Array& b) {
  const Array all = unique_values(a);
  return compress(isin(all, b, {.invert = true}), all);
}
Array setxor1d(const Array& a, const Array& b) {
  const Array all = unique_values(joined(a, b));
  return compress(isin(all, a) ^ isin(all, b), all);
}

Array isin(const Array& x, const Array& set, IsinOptions options) {
  const std::lock_guard lock(array_mutex());
  const DType dtype = promoted({x, set}).dtype;
  const Value v = to_value(x, dtype), among = sort(flattened(to_value(set, dtype)), 0);
  if (set.size() == 0) return from_value(constant(*v.graph, options.invert, DType::boolean, v.dims()));
  const Value found = compare("EQ", take(among, search_sorted(among, v, false), 0), v);
  return from_value(options.invert ? ~found : found);
}

}  // namespace hearth
