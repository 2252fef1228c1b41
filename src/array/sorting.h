// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Array API's sorting functions and NumPy's. Always stable; NaN is the largest number: last when ascending, first
// when descending. -0 equals +0; complex numbers order by real part, then imaginary part. Numbers of elements are i32.
// Throw Error{value} for an axis that is not there.

#include "array/array.h"
#include "ops/sort/sort.h"  // SortOptions: descending

namespace hearth {

Array sort(const Array& x, int64_t axis = -1, SortOptions options = {});
Array argsort(const Array& x, int64_t axis = -1, SortOptions options = {});
// The order that sorts by the last of keys, of one shape, where those are equal by the one before it ...
Array lexsort(const Arrays& keys, int64_t axis = -1);
// Element kth stands where sort would put it, none before is larger, none after smaller. Here: sorted.
Array partition(const Array& x, int64_t kth, int64_t axis = -1);
Array argpartition(const Array& x, int64_t kth, int64_t axis = -1);
struct TopKResult {
  Array values, indices;
};
// The k largest, largest first; of equals the first. Error{value} unless 0 <= k <= n.
TopKResult top_k(const Array& x, int64_t k, int64_t axis = -1);

}  // namespace hearth
