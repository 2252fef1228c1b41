// SPDX-License-Identifier: Apache-2.0
#include "array/indexed_update.h"

#include <algorithm>

#include "array/indexing_values.h"
#include "array/recording.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// Axes of size 1 in front of what the place has are of no meaning in an assignment.
Dims without_leading_ones(Dims dims, size_t rank) {
  while (dims.size() > rank && dims[0] == 1) dims.erase(dims.begin());
  return dims;
}

bool broadcasts(const Dims& from, const Dims& to) {
  if (from.size() > to.size()) return false;
  for (size_t i = 0; i < from.size(); ++i) {
    const int64_t size = to[to.size() - from.size() + i];
    if (from[i] != size && from[i] != 1) return false;
  }
  return true;
}

// The values in x's dtype and the shape of the place.
Value spread(const std::string& op, const Array& x, const Array& values, const Dims& place) {
  const Dims dims = without_leading_ones(values.shape(), place.size());
  HEARTH_CHECK(broadcasts(dims, place), shape, op, ": the values do not broadcast to the place ", ShowDims{place},
               "\n  x is ", x.type(), "\n  values is ", values.type());
  const Value v = to_value(values, x.dtype());
  return broadcast_to(v.dims() == dims ? v : reshape(v, dims), place);
}

// A mask beside slices: x is computed as a whole and select chooses, so that the mask need not be known.
struct MaskedPlace {
  Array mask;
  IndexList slices;    // the index with whole axes in place of the mask
  int64_t before = 0;  // axes of the result in front of the mask's
  int64_t behind = 0;  // and behind them
};

std::optional<MaskedPlace> masked_place(const std::string& op, const Array& x, const IndexList& index) {
  const std::optional<size_t> at = single_mask(index);
  if (!at) return {};
  MaskedPlace place{.mask = std::get<Array>(index[*at].what), .slices = {index.begin(), index.begin() + long(*at)}};
  int64_t given = 0;
  bool ellipsis_first = false;
  for (size_t i = 0; i < index.size(); ++i) {
    const bool ellipsis = std::holds_alternative<Ellipsis>(index[i].what);
    if (ellipsis && i < *at) ellipsis_first = true;
    if (!ellipsis) given += i == *at ? place.mask.ndim() : 1;
    if (!ellipsis && i < *at) ++place.before;
  }
  for (int64_t k = 0; k < place.mask.ndim(); ++k) place.slices.push_back(kAll);
  place.slices.insert(place.slices.end(), index.begin() + long(*at) + 1, index.end());
  if (given > x.ndim()) return {};  // an error that index_plan finds
  if (ellipsis_first) place.before += x.ndim() - given;
  place.behind = x.ndim() - place.before - place.mask.ndim();
  check_mask(op, x, place.mask, place.before);
  return place;
}

// Dims of values for the whole of the masked axes, when they are the same for all places of the mask.
std::optional<Dims> same_for_all(const MaskedPlace& place, const Dims& values) {
  Dims dims = without_leading_ones(values, size_t(place.before + 1 + place.behind));
  const int64_t count = int64_t(dims.size()) - 1 - place.behind;  // the axis that counts places
  if (count < 0) return dims;
  if (dims[size_t(count)] != 1) return {};
  dims.insert(dims.begin() + count, size_t(place.mask.ndim() - 1), 1);
  return dims;
}

// f(old) where the mask is true. Elsewhere f gets 1: its derivative must be finite there.
template <class F>
Value changed_where(const MaskedPlace& place, const Value& y, F&& f) {
  Dims axes;
  for (int64_t k = 0; k < place.mask.ndim(); ++k) axes.push_back(place.before + k);
  const Value hit = broadcast_in_dim(to_value(place.mask), y.dims(), axes);
  return select(hit, f(hit, select(hit, y, scalar_like(y, 1))), y);
}

template <class F>
Array write_masked(const std::string& op, const Array& x, const MaskedPlace& place, F&& f) {
  const IndexPlan plan = index_plan(op, x, place.slices);
  const Value v = to_value(x), y = read_at(v, plan, {}, {});
  return from_value(write_at(v, plan, {}, changed_where(place, y, f), Update::set, IndexMode::drop, true), x.weak());
}

Array write_values(const std::string& op, const Array& x, const IndexList& index, const Array& values, Update update,
                   const UpdateOptions& options) {
  const IndexPlan plan = index_plan(op, x, index);
  const Value v = to_value(x), new_values = spread(op, x, values, plan.result);
  Values arrays;
  for (const Array& array : plan.arrays) arrays.push_back(to_value(array));
  return from_value(write_at(v, plan, arrays, new_values, update, options.mode, options.unique_indices), x.weak());
}

Array change(const Array& x, const IndexList& index, const Array& values, Update update, const UpdateOptions& options) {
  const std::lock_guard lock(array_mutex());
  const std::string op = cat("at.", name_of(update));
  check_update(op, update, x);
  const std::optional<MaskedPlace> place = masked_place(op, x, index);
  const std::optional<Dims> dims = place ? same_for_all(*place, values.shape()) : std::nullopt;
  if (!dims) return write_values(op, x, index, values, update, options);
  return write_masked(op, x, *place, [&](const Value& hit, const Value& old) {
    // A plain number is kept as it is: it takes x's dtype without being rounded on the way.
    const Value given = spread(op, x, values.shape() == *dims ? values : values.reshape(*dims), old.dims());
    return updated(update, old, select(hit, given, scalar_like(given, 1)));
  });
}

}  // namespace

Array IndexedArray::set(const Array& values, const UpdateOptions& options) const {
  return change(x_, index_, values, Update::set, options);
}
Array IndexedArray::add(const Array& values, const UpdateOptions& options) const {
  return change(x_, index_, values, Update::add, options);
}
Array IndexedArray::subtract(const Array& values, const UpdateOptions& options) const {
  return change(x_, index_, values, Update::subtract, options);
}
Array IndexedArray::multiply(const Array& values, const UpdateOptions& options) const {
  return change(x_, index_, values, Update::multiply, options);
}
Array IndexedArray::divide(const Array& values, const UpdateOptions& options) const {
  return change(x_, index_, values, Update::divide, options);
}
Array IndexedArray::power(const Array& values, const UpdateOptions& options) const {
  return change(x_, index_, values, Update::power, options);
}
Array IndexedArray::min(const Array& values, const UpdateOptions& options) const {
  return change(x_, index_, values, Update::min, options);
}
Array IndexedArray::max(const Array& values, const UpdateOptions& options) const {
  return change(x_, index_, values, Update::max, options);
}

Array IndexedArray::apply(const std::function<Array(const Array&)>& f, const UpdateOptions& options) const {
  const std::lock_guard lock(array_mutex());
  const std::optional<MaskedPlace> place = masked_place("at.apply", x_, index_);
  if (!place) return write_values("at.apply", x_, index_, f(get()), Update::set, options);
  return write_masked("at.apply", x_, *place, [&](const Value&, const Value& old) {
    return spread("at.apply", x_, f(from_value(old)), old.dims());
  });
}

}  // namespace hearth
