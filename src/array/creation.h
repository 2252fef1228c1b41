// SPDX-License-Identifier: Apache-2.0
#pragma once
// Arrays made from nothing or from a few numbers. Default types: f32, and i32 for what is made of integers (i64 where
// they do not fit). Errors: Error{shape} for negative sizes, Error{value} for numbers that make no sense.

#include <optional>

#include "array/array.h"

namespace hearth {

template <Number T>
PlainNumber plain_number(T x) {
  if constexpr (std::same_as<T, bool> || std::same_as<T, std::complex<double>>)
    return x;
  else if constexpr (std::integral<T>)
    return int64_t(x);
  else if constexpr (std::same_as<T, std::complex<float>>)
    return std::complex<double>(x);
  else if constexpr (std::floating_point<T>)
    return double(x);
  else
    return double(float(x));
}

// --- one value ------------------------------------------------------------------------------------------------------

Array zeros(const Dims& shape, DType dtype = DType::f32);
Array ones(const Dims& shape, DType dtype = DType::f32);
Array empty(const Dims& shape, DType dtype = DType::f32);  // zeros: arrays do not change, so there is nothing to save
// `value` broadcasts to the shape; without a dtype the result has that of the value.
Array full(const Dims& shape, const Array& value, std::optional<DType> dtype = {});
// Of x's shape, and of its dtype unless another is given.
Array zeros_like(const Array& x, std::optional<DType> dtype = {});
Array ones_like(const Array& x, std::optional<DType> dtype = {});
Array empty_like(const Array& x, std::optional<DType> dtype = {});
Array full_like(const Array& x, const Array& value, std::optional<DType> dtype = {});
Array asarray(const Array& x, std::optional<DType> dtype = {});  // x itself where nothing changes

// --- ranges ---------------------------------------------------------------------------------------------------------

// start, start + step ... below (for a negative step above) stop; computed in f64 for floats. Error{value}: step 0.
Array arange_of(const PlainNumber& start, const PlainNumber& stop, const PlainNumber& step,
                std::optional<DType> dtype = {});
template <Number T>
Array arange(T stop, std::optional<DType> dtype = {}) {
  return arange_of(int64_t(0), plain_number(stop), int64_t(1), dtype);
}
template <Number A, Number B, Number S = int>
Array arange(A start, B stop, S step = 1, std::optional<DType> dtype = {}) {
  return arange_of(plain_number(start), plain_number(stop), plain_number(step), dtype);
}

// `num` points from start to stop, evenly spaced, computed in f64. Scalars: real, or complex with a complex dtype.
struct LinspaceOptions {
  bool endpoint = true;  // whether stop itself is the last point
  std::optional<DType> dtype = {};
};
Array linspace(std::complex<double> start, std::complex<double> stop, int64_t num = 50,
               const LinspaceOptions& options = {});
struct LogspaceOptions {
  double base = 10;
  bool endpoint = true;
  DType dtype = DType::f32;
};
Array logspace(double start, double stop, int64_t num = 50, const LogspaceOptions& options = {});  // base^linspace
// Evenly spaced on a logarithmic scale between two numbers of one sign, neither 0.
Array geomspace(double start, double stop, int64_t num = 50, const LinspaceOptions& options = {});

// --- matrices -------------------------------------------------------------------------------------------------------

struct EyeOptions {
  std::optional<int64_t> columns = {};  // none: as many as rows
  int64_t k = 0;                        // the diagonal: above the main one when positive
  DType dtype = DType::f32;
};
Array eye(int64_t rows, const EyeOptions& options = {});  // ones on the diagonal k
Array identity(int64_t n, DType dtype = DType::f32);
Array tri(int64_t rows, const EyeOptions& options = {});  // ones on and below the diagonal k
Array tril(const Array& x, int64_t k = 0);                // of matrices [...,M,N]: zeros above the diagonal k
Array triu(const Array& x, int64_t k = 0);                // zeros below it
// A vector [N] -> the matrix [N+|k|,N+|k|] with it on the diagonal k; a matrix -> its diagonal k, a vector.
Array diag(const Array& x, int64_t k = 0);
Array diagflat(const Array& x, int64_t k = 0);  // diag of all elements of x
struct VanderOptions {
  std::optional<int64_t> columns = {};  // none: as many as x has elements
  bool increasing = false;
};
Array vander(const Array& x, const VanderOptions& options = {});  // [N] -> [N,columns], powers of x

// --- grids ----------------------------------------------------------------------------------------------------------

enum class Indexing { xy, ij };  // xy: the first two axes are exchanged, as in plots
Arrays meshgrid(const Arrays& vectors, Indexing indexing = Indexing::xy);
Array indices(const Dims& shape, DType dtype = DType::i32);  // [rank,shape...]: [i] is the index along axis i

}  // namespace hearth
