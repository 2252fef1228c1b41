// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sorting along an axis. Stable; -0 equals +0; NaN is the largest number: last when ascending, first when descending,
// as in NumPy, PyTorch and JAX. Complex numbers order by real part, then imaginary part. n elements cost O(n) a byte
// of the key; rows run in parallel, a single long row on all threads. Throw Error{value} for an axis that is not
// there, Error{shape} where operands differ, Error{unsupported} for 2^32 elements or more along the axis.

#include "ir/graph.h"

namespace hearth {

struct SortOptions {
  bool descending = false;
};
Value sort(const Value& x, int64_t axis = -1, SortOptions options = {});

// The numbers of x's elements in sorted order: i32, or i64 where the axis has more than 2^31 - 1 elements.
Value argsort(const Value& x, int64_t axis = -1, SortOptions options = {});

struct Sorted {
  Value values, indices;
};
Sorted sort_with_indices(const Value& x, int64_t axis = -1, SortOptions options = {});

// All operands, of one shape, in the order of the first num_keys of them: the first decides, later ones break ties.
std::vector<Value> sort_by_keys(const std::vector<Value>& operands, int64_t axis = -1, int64_t num_keys = 1,
                                SortOptions options = {});

// The k largest elements along an axis, largest first, and their numbers (i32); of equals the one with the lower
// number comes first. O(n + k log k) a row. Error{value} unless 0 <= k <= n.
Sorted top_k(const Value& x, int64_t k, int64_t axis = -1);

}  // namespace hearth
