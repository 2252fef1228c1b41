// SPDX-License-Identifier: Apache-2.0
#pragma once
// Functions that change the shape of arrays or the place of their elements. Nothing here computes; most are views that
// cost nothing until somebody reads them. Axes count from the end when negative. Errors: Error{value} for axes that do
// not exist, Error{shape} for shapes that do not fit. Padding: array/padding.h.

#include <optional>

#include "array/array.h"

namespace hearth {

// --- shapes ---------------------------------------------------------------------------------------------------------

Array reshape(const Array& x, const Dims& shape);     // one size may be -1
Array ravel(const Array& x);                          // one axis
Array expand_dims(const Array& x, const Dims& axes);  // new axes of size 1, at these places of the result
Array expand_dims(const Array& x, int64_t axis = 0);
Array squeeze(const Array& x);                    // without all axes of size 1
Array squeeze(const Array& x, const Dims& axes);  // without these, which must be of size 1
Array atleast_1d(const Array& x);
Array atleast_2d(const Array& x);                        // [N] -> [1,N]
Array atleast_3d(const Array& x);                        // [N] -> [1,N,1], [M,N] -> [M,N,1]
Dims broadcast_shapes(const std::vector<Dims>& shapes);  // NumPy's rule
Array broadcast_to(const Array& x, const Dims& shape);
Arrays broadcast_arrays(const Arrays& arrays);

// --- order of axes --------------------------------------------------------------------------------------------------

Array permute_dims(const Array& x, const Dims& axes);  // axis i of the result is axis axes[i] of x
Array transpose(const Array& x);                       // axes in reverse order
inline Array transpose(const Array& x, const Dims& axes) { return permute_dims(x, axes); }
Array moveaxis(const Array& x, const Dims& source, const Dims& destination);
Array moveaxis(const Array& x, int64_t source, int64_t destination);
Array swapaxes(const Array& x, int64_t a, int64_t b);

// --- order of elements ----------------------------------------------------------------------------------------------

Array flip(const Array& x);  // along all axes
Array flip(const Array& x, const Dims& axes);
Array fliplr(const Array& x);                                               // axis 1
Array flipud(const Array& x);                                               // axis 0
Array rot90(const Array& x, int64_t times = 1, const Dims& axes = {0, 1});  // from the first axis towards the second
Array roll(const Array& x, int64_t shift);                                  // of all elements in their row-major order
Array roll(const Array& x, const Dims& shifts, const Dims& axes);           // one shift may serve all axes
// By shifts that are data: an integer scalar, or with axes one for each [axes]. Never looked at, so they may be traced.
Array roll(const Array& x, const Array& shifts, const std::optional<Dims>& axes = {});

// --- joining: the types promote -------------------------------------------------------------------------------------

Array concat(const Arrays& arrays, std::optional<int64_t> axis = 0);  // no axis: of all elements, one after the other
inline Array concatenate(const Arrays& arrays, std::optional<int64_t> axis = 0) { return concat(arrays, axis); }
Array stack(const Arrays& arrays, int64_t axis = 0);  // equal shapes, along a new axis
Array hstack(const Arrays& arrays);                   // axis 1, of vectors axis 0
Array vstack(const Arrays& arrays);                   // axis 0; vectors are rows
Array dstack(const Arrays& arrays);                   // axis 2, after atleast_3d
Array column_stack(const Arrays& arrays);             // vectors are columns
Array append(const Array& x, const Array& values, std::optional<int64_t> axis = {});

// --- splitting ------------------------------------------------------------------------------------------------------

Arrays unstack(const Array& x, int64_t axis = 0);
Arrays split(const Array& x, int64_t sections, int64_t axis = 0);        // equal ones: Error{shape} when they cannot be
Arrays array_split(const Array& x, int64_t sections, int64_t axis = 0);  // the first ones may be longer by one
Arrays split(const Array& x, const Dims& places, int64_t axis = 0);      // before these indices
// Without it {2} would be the number 2, not the list of one place.
inline Arrays split(const Array& x, std::initializer_list<int64_t> places, int64_t axis = 0) {
  return split(x, Dims(places), axis);
}
Arrays hsplit(const Array& x, int64_t sections);  // axis 1, of vectors axis 0
Arrays vsplit(const Array& x, int64_t sections);  // axis 0
Arrays dsplit(const Array& x, int64_t sections);  // axis 2

// --- repeating, leaving out, putting in -----------------------------------------------------------------------------

Array repeat(const Array& x, int64_t times, std::optional<int64_t> axis = {});      // each element; no axis: flat
Array repeat(const Array& x, const Dims& times, std::optional<int64_t> axis = {});  // element i times[i] times
// Counts that are data: integers [n], or a scalar for all. The result has `total` elements along the axis: what is more
// is left out, the last element fills what is less. Without total the counts are computed: not inside jit.
Array repeat(const Array& x, const Array& times, std::optional<int64_t> axis = {}, std::optional<int64_t> total = {});
Array tile(const Array& x, const Dims& times);  // the whole array along each axis
Array delete_at(const Array& x, const Dims& places, std::optional<int64_t> axis = {});  // NumPy's delete
// NumPy's insert: `values`, broadcast, before these indices of x; equal indices keep the order of the values.
Array insert_at(const Array& x, const Dims& places, const Array& values, std::optional<int64_t> axis = {});

}  // namespace hearth
