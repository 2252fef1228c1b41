// SPDX-License-Identifier: Apache-2.0
#pragma once
// NumPy's functions of places in an array. Those that NumPy lets change their argument give the changed array here.

#include "array/indexing.h"

namespace hearth {

// x with values (broadcast to the indices) at the indices of its elements in row-major order. Negative ones count from
// the end; those outside change nothing, or with mode clip the nearest element; of duplicates the last stays.
Array put(const Array& x, const Array& indices, const Array& values, IndexMode mode = IndexMode::drop);
// x with values[0], values[1], ... where the mask, of x's shape, is true; from the first again after the last.
// Error{value} when there are places but no values.
Array place(const Array& x, const Array& mask, const Array& values);
// x [n,m] with values on its diagonal, repeated as in place; x of more than 2 axes, which are of one size: where all
// indices are equal. `wrap`: of a tall matrix, again after each m + 1 rows.
struct FillDiagonalOptions {
  bool wrap = false;
};
Array fill_diagonal(const Array& x, const Array& values, const FillDiagonalOptions& options = {});
// Vectors [n], [m], ... as an index of the [n,m,...] block of their combinations: x.at(...) and get_indexed take it.
// Masks of one axis stand for their places.
IndexList ix_(const Arrays& vectors);
// Element-wise choices[index], all broadcast together. An index outside takes the nearest choice.
Array choose(const Array& index, const Arrays& choices);

}  // namespace hearth
