// SPDX-License-Identifier: Apache-2.0
#pragma once
// Running sums, products and extrema along an axis: y[i] = x[0] op ... op x[i], of x's shape and dtype; with `reverse`
// y[i] = x[i] op ... op x[n-1]. Linear time, bound by memory. f16 and bf16 accumulate in f32, integers wrap around, the
// first NaN stays. Terms are taken in order along the axis; a long row that several threads work on adds totals of
// pieces of fixed length, so the bits do not depend on the number of threads. Throw Error{value} for an axis that is
// not there, Error{dtype} where the operation has no meaning (sums of bool, extrema of complex numbers).

#include "ir/graph.h"

namespace hearth {

struct RunningOptions {
  bool reverse = false;
};
Value cumsum(const Value& x, int64_t axis = -1, RunningOptions options = {});
Value cumprod(const Value& x, int64_t axis = -1, RunningOptions options = {});  // derivative right where x has zeros
Value cummax(const Value& x, int64_t axis = -1,
             RunningOptions options = {});  // of equals, the last gets the derivative
Value cummin(const Value& x, int64_t axis = -1, RunningOptions options = {});
Value cumlogsumexp(const Value& x, int64_t axis = -1, RunningOptions options = {});  // log cumsum exp x, no overflow

// y[i] = a[i] y[i-1] + b[i], y[-1] = 0; with `reverse` y[i] = a[i] y[i+1] + b[i]. a and b of one type, numbers. The
// derivatives of cumprod and cumlogsumexp, and state-space models, are such recurrences.
Value linear_recurrence(const Value& a, const Value& b, int64_t axis = -1, RunningOptions options = {});

}  // namespace hearth
