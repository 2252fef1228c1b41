// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Array API's searching functions and NumPy's, and functions that pick elements by number. Numbers of elements are
// i32 unless said otherwise. Results whose shape depends on elements (nonzero, flatnonzero, argwhere, compress) compute
// their argument: Error{state} inside jit and other transforms. Throw Error{value} for an axis that is not there.

#include <optional>
#include <string>

#include "array/array.h"
#include "ops/gather/gather.h"  // TakeMode

namespace hearth {

struct ArgOptions {
  std::optional<int64_t> axis = {};  // default: of all elements in row-major order
  bool keepdims = false;
  DType index = DType::i32;  // or i64
};
Array argmax(const Array& x, const ArgOptions& options = {});  // the first of equals; the first NaN wins
Array argmin(const Array& x, const ArgOptions& options = {});

Arrays nonzero(const Array& x);  // of the elements that are not 0, their index along each axis
inline Arrays where(const Array& x) { return nonzero(x); }
Array flatnonzero(const Array& x);  // their number in row-major order
Array argwhere(const Array& x);     // [found, axes]

struct SearchOptions {
  std::string side = "left";         // before, "right": after those of sorted that equal v
  std::optional<Array> sorter = {};  // the order that sorts: argsort(sorted)
};
// Where each element of v would be put in `sorted` [n], which rises, to keep it so. About log2 n gathers.
Array searchsorted(const Array& sorted, const Array& v, const SearchOptions& options = {});

struct TakeAxisOptions {
  std::optional<int64_t> axis = {};  // default: of all elements in row-major order
  TakeMode mode = TakeMode::fill;    // outside: fill NaN (integers: their end), clip, wrap; only in fill -1 is the last
};
// x [a...,n,b...] at indices [i...] -> [a...,i...,b...]
Array take(const Array& x, const Array& indices, const TakeAxisOptions& options = {});
// y[..., i, ...] = x[..., indices[..., i, ...], ...]; sizes of other axes are equal or 1. -1 is the last element; an
// index outside takes the nearest one.
Array take_along_axis(const Array& x, const Array& indices, int64_t axis = -1);
// The elements along the axis (default: of all) where condition [at most n] is true.
Array compress(const Array& condition, const Array& x, std::optional<int64_t> axis = {});
// Element-wise the choice of the first condition that is true; where none is, `otherwise`.
Array select(const Arrays& conditions, const Arrays& choices, const Array& otherwise = 0);

}  // namespace hearth
