// SPDX-License-Identifier: Apache-2.0
#pragma once
// NumPy indexing: x(index...) reads, x.at(index...) changes (array/indexed_update.h).
//   x(0)  x(-1, kAll)  x(Slice{1, 5})  x(Slice{.step = -1})  x(kEllipsis, 2)  x(kNewAxis)  x(ids)  x(x > 0)  x(1, ids)
// The rules are NumPy's: several integer arrays broadcast together, and their axes stand where they stood, or first
// when a slice, ellipsis or new axis lies between them. With arrays, plain integers count as arrays.
//
// Integers out of range are Error{value} at the call. Arrays of integers are data that is not looked at: as in JAX,
// negative ones count from the end once, then the nearest index inside is read; updates outside are dropped. Arrays of
// bool stand for the places where they are true. That shape depends on data, so they are evaluated: Error{state}
// inside jit, grad and vmap for traced masks (updates need that only for values that are not the same for all places).
//
// Integers and slices are views, one slice at a run-time place is a dynamic_slice, arrays are one gather.

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "array/array.h"

namespace hearth {

// Python's start:stop:step. Negative bounds count from the end; bounds outside are clamped; step 0 is Error{value}.
struct Slice {
  std::optional<int64_t> start = {}, stop = {}, step = {};

  static Slice from(int64_t start) { return {.start = start}; }
  static Slice to(int64_t stop) { return {.stop = stop}; }
  static Slice every(int64_t step) { return {.step = step}; }
};
struct Ellipsis {};
struct NewAxis {};
inline constexpr Slice kAll{};                         // a whole axis
inline constexpr Ellipsis kEllipsis{};                 // as many whole axes as are left, at most once
inline constexpr NewAxis kNewAxis{};                   // a new axis of size 1
inline constexpr std::nullopt_t kNone = std::nullopt;  // Slice{kNone, kNone, -1}

// One element of an index.
struct Index {
  using What = std::variant<int64_t, bool, Slice, Ellipsis, NewAxis, Array>;
  What what;

  template <std::integral T>
  Index(T i) {  // NOLINT: implicit, here and below, so that x(1, kAll, ids) reads as in Python
    if constexpr (std::same_as<T, bool>)
      what = bool(i);
    else  // what int64_t cannot hold is out of any range
      what = std::in_range<int64_t>(i) ? int64_t(i) : std::numeric_limits<int64_t>::max();
  }
  Index(const Slice& slice) : what(slice) {}  // NOLINT
  Index(Ellipsis) : what(Ellipsis{}) {}       // NOLINT
  Index(NewAxis) : what(NewAxis{}) {}         // NOLINT
  Index(const Array& array) : what(array) {}  // NOLINT: integers or bool, else Error{dtype} where it is used
  template <std::integral T>
  Index(const std::vector<T>& list) : what(hearth::array(list)) {}  // NOLINT
};
using IndexList = std::vector<Index>;

// What happens to elements of integer arrays that lie outside, after negative ones were counted from the end.
enum class IndexMode {
  clip,  // the nearest index inside: the default of reading
  drop,  // not changed: the default of updating; reading as fill
  fill,  // reading gives GetOptions::fill; updating as drop
};
struct GetOptions {
  IndexMode mode = IndexMode::clip;
  std::optional<Array> fill = {};  // scalar, converted; none: NaN, else the lowest signed, highest unsigned, true
};

// x(index...), x.at(index...).get(options).
Array get_indexed(const Array& x, const IndexList& index, const GetOptions& options = {});

template <class... I>
Array Array::operator()(const I&... index) const {
  return get_indexed(*this, IndexList{index...});
}

}  // namespace hearth

#include "array/indexed_update.h"
