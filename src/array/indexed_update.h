// SPDX-License-Identifier: Apache-2.0
#pragma once
// x.at(index...).set(values) and its kin: the changed array; x itself stays. Values broadcast to the shape of
// x(index...) and are converted to x's dtype. Lazy and differentiable, by x and by the values. An index as in
// array/indexing.h; integer arrays outside of x change nothing (JAX's default), unless the mode is clip.
//
// Where one element is meant several times: set keeps the last in row-major order; add, subtract, multiply, divide,
// power, min and max do each; apply sees the old element once.
//
// In place, in the time of the elements that change, when nobody holds the old array any more:
//   x = x.at(i).set(v);
//   x.eval();  // `x = x.at(i).set(v).eval()` needs both, as x still is the old array while the new one is computed

#include <functional>
#include <string>

#include "array/indexing.h"

namespace hearth {

struct UpdateOptions {
  IndexMode mode = IndexMode::drop;
  bool unique_indices = false;  // a promise that no element is meant twice: cheaper derivatives
};

class IndexedArray {
 public:
  // Throws nothing; the index is checked by the calls below.
  IndexedArray(Array x, IndexList index) : x_(std::move(x)), index_(std::move(index)) {}

  Array get(const GetOptions& options = {}) const { return get_indexed(x_, index_, options); }
  // Error{shape} when the values do not broadcast, Error{dtype} where the operation has no meaning for x. Of bool, add
  // and max are or, multiply and min are and.
  Array set(const Array& values, const UpdateOptions& options = {}) const;
  Array add(const Array& values, const UpdateOptions& options = {}) const;
  Array subtract(const Array& values, const UpdateOptions& options = {}) const;
  Array multiply(const Array& values, const UpdateOptions& options = {}) const;
  Array divide(const Array& values, const UpdateOptions& options = {}) const;  // integers: truncated
  Array power(const Array& values, const UpdateOptions& options = {}) const;
  Array min(const Array& values, const UpdateOptions& options = {}) const;
  Array max(const Array& values, const UpdateOptions& options = {}) const;
  // f(x(index...)) in its place; f works element by element: under a mask it sees all of x, with 1 where the mask is
  // false.
  Array apply(const std::function<Array(const Array&)>& f, const UpdateOptions& options = {}) const;

 private:
  Array x_;
  IndexList index_;
};

template <class... I>
IndexedArray Array::at(const I&... index) const {
  return IndexedArray(*this, IndexList{index...});
}

}  // namespace hearth
