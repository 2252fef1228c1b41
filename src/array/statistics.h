// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Array API's sections "statistical functions" and "utility functions": reductions over axes (default: all; see
// statistics_axes.h), running sums and differences. Throw Error{value} for axes that do not exist, Error{dtype} where
// the operation has no meaning. Means of integers are f32; those of f16 and bf16 are computed in f32 and rounded once.

#include "array/array.h"
#include "array/statistics_axes.h"

namespace hearth {

struct SumOptions {
  Axes axis = {};
  bool keepdims = false;
  std::optional<DType> dtype = {};  // x is converted to it first; default: x's, bool and i8, i16: i32, u8, u16: u32
};
Array sum(const Array& x, const SumOptions& options = {});   // of nothing 0
Array prod(const Array& x, const SumOptions& options = {});  // of nothing 1
Array mean(const Array& x, const SumOptions& options = {});  // of nothing NaN

struct ReduceOptions {
  Axes axis = {};
  bool keepdims = false;
};
Array max(const Array& x, const ReduceOptions& options = {});  // NaN wins; of nothing Error{value}
Array min(const Array& x, const ReduceOptions& options = {});
Array ptp(const Array& x, const ReduceOptions& options = {});            // max - min
Array all(const Array& x, const ReduceOptions& options = {});            // bool; of nothing true; NaN is true, -0 false
Array any(const Array& x, const ReduceOptions& options = {});            // of nothing false
Array count_nonzero(const Array& x, const ReduceOptions& options = {});  // i32

struct VarianceOptions {
  Axes axis = {};
  bool keepdims = false;
  double correction = 0;  // the squares are divided by n - correction, or 0 when that is less
};
Array var(const Array& x, const VarianceOptions& options = {});  // of complex numbers real
// The Array API's std, which is the name of a namespace in C++.
Array stddev(const Array& x, const VarianceOptions& options = {});

// sum(x w) / sum(w). weights: x's shape, or one number for each element along the one axis.
Array average(const Array& x, const std::optional<Array>& weights = {}, const ReduceOptions& options = {});

struct CumulativeOptions {
  std::optional<int64_t> axis = {};  // needed unless x has one axis
  std::optional<DType> dtype = {};   // default as for sum
  bool include_initial = false;      // begins with 0 (1), one element more
};
Array cumulative_sum(const Array& x, const CumulativeOptions& options = {});
Array cumulative_prod(const Array& x, const CumulativeOptions& options = {});

struct DiffOptions {
  int64_t n = 1;  // how many times
  int64_t axis = -1;
  std::optional<Array> prepend = {}, append = {};  // joined to x along the axis first; a scalar stands for one element
};
Array diff(const Array& x, const DiffOptions& options = {});  // x[i+1] - x[i]; of bool: whether they differ

}  // namespace hearth
