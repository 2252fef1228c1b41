// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Array API's set functions and NumPy's. Inputs of any shape are read as one row; results rise. NaNs are different
// from each other, -0 equals +0. Shapes depend on elements, so all but isin compute their arguments: Error{state}
// inside jit and other transforms. Numbers of elements and counts are i32.

#include "array/array.h"

namespace hearth {

Array unique_values(const Array& x);
struct UniqueCounts {
  Array values, counts;
};
UniqueCounts unique_counts(const Array& x);
struct UniqueInverse {
  Array values, inverse_indices;  // values at inverse_indices are x, in x's shape
};
UniqueInverse unique_inverse(const Array& x);
struct UniqueAll {
  Array values, indices, inverse_indices, counts;  // indices: of the first element of each value
};
UniqueAll unique_all(const Array& x);
// numpy.unique(x, axis=): the different slices along the axis, in lexicographic order; inverse_indices [n].
UniqueAll unique_slices(const Array& x, int64_t axis = 0);

Array union1d(const Array& a, const Array& b);
Array intersect1d(const Array& a, const Array& b);
Array setdiff1d(const Array& a, const Array& b);  // in a, not in b
Array setxor1d(const Array& a, const Array& b);   // in one of them

// Whether each element of x is among those of `set`. NaN is not. No shape depends on elements.
struct IsinOptions {
  bool invert = false;
};
Array isin(const Array& x, const Array& set, IsinOptions options = {});

}  // namespace hearth
