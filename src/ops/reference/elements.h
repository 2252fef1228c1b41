// SPDX-License-Identifier: Apache-2.0
#pragma once
// Single elements of tensors of any dtype, walking over indices, and the checks that reference kernels share.

#include <complex>

#include "base/error.h"
#include "device/kernel.h"

namespace hearth::reference {

using Types = std::vector<TensorType>;

double load_real(const TensorArg& x, int64_t i);                    // any dtype but complex; bool as 0 or 1
void store_real(const TensorArg& x, int64_t i, long double value);  // float dtypes: rounds once, to nearest even
std::complex<double> load_complex(const TensorArg& x, int64_t i);   // a real number has no imaginary part
void store_complex(const TensorArg& x, int64_t i, std::complex<double> value);  // complex dtypes
// Integers and bool in 64 bits: signed ones are sign-extended, the others zero-extended (u64 as its bits).
int64_t load_integer(const TensorArg& x, int64_t i);
void store_integer(const TensorArg& x, int64_t i, int64_t value);  // keeps the low bits; bool: value != 0
// A real number into any dtype: floats round, integers truncate towards 0 and saturate (NaN: 0), bool is value != 0.
void store_converted(const TensorArg& x, int64_t i, double value);
void copy_element(const TensorArg& to, int64_t i, const TensorArg& from, int64_t j);  // same dtype

// Calls body(index, i) for every index of a tensor of these sizes, in row-major order; i counts from 0.
template <class Body>
void for_each_index(const Dims& dims, Body body) {
  const int64_t elements = num_elements(dims);
  Dims index(dims.size(), 0);
  for (int64_t i = 0; i < elements; ++i) {
    body(static_cast<const Dims&>(index), i);
    for (size_t axis = dims.size(); axis-- > 0;) {
      if (++index[axis] < dims[axis]) break;
      index[axis] = 0;
    }
  }
}
int64_t position(const Dims& index, const Dims& dims);  // in row-major order
bool contains(const Dims& list, int64_t axis);

// Checks of instructions. Error{format}; the caller adds the instruction.
void expect_arguments(const Types& in, const Types& out, size_t inputs, size_t outputs);
void expect_type(const char* what, const TensorType& got, const TensorType& wanted);
void expect_per_axis(const char* attribute, const Dims& list, int64_t rank);
void expect_axes(const char* attribute, const Dims& axes, int64_t rank);  // each exists and stands once

}  // namespace hearth::reference
