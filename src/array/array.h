// SPDX-License-Identifier: Apache-2.0
#pragma once
// Array: a NumPy-like array. An immutable value; cheap to copy. Operations are recorded and computed together when an
// element is read, so that chains of them become one pass over memory; a plan once compiled is used again for every
// expression of the same structure. Names and behaviour are those of the Python Array API standard 2024.12, and of
// NumPy where it is silent; types are promoted as in JAX, with f32 and i32 as default types.
//   Array x = arange(12).reshape({3, 4});
//   Array y = exp(x / 10) + 1;          // nothing is computed yet
//   float first = y(0, 0).item<float>();  // now it is
// Any thread may use any array; evaluations take turns. A failed evaluation throws, and throws the same again when the
// array is read again.

#include <complex>
#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "base/shape.h"

namespace hearth {

struct ArrayState;
struct Index;
class IndexedArray;

template <class T>
concept Number = std::is_arithmetic_v<T> || std::same_as<T, f16> || std::same_as<T, bf16> ||
    std::same_as<T, std::complex<float>> || std::same_as<T, std::complex<double>>;

class Array {
 public:
  Array() = default;  // no array: every use but assignment throws Error{value}
  // A scalar. bool keeps its type; other numbers are weakly typed: 2 * x has the type of x.
  template <Number T>
  Array(T number);  // NOLINT: implicit, so that numbers mix with arrays

  bool valid() const { return state_ != nullptr; }
  const TensorType& type() const;
  const Dims& shape() const { return type().dims; }
  DType dtype() const { return type().dtype; }
  int64_t ndim() const { return type().rank(); }
  int64_t size() const { return type().elements(); }
  int64_t dim(int64_t axis) const;  // negative axes count from the end; Error{value} when there is none
  bool weak() const;                // adapts to the types it meets

  // Computes the array now. Error{state} inside jit and other transforms, where arrays have no values yet.
  const Array& eval() const;
  const void* data() const;  // evaluated, dense, row-major; lives as long as this array or a copy of it
  template <Number T>
  const T* data_as() const;  // Error{dtype} when the array is of another type
  template <Number T>
  T item() const;  // of an array with one element, converted
  template <Number T>
  std::vector<T> to_vector() const;  // all elements, row-major, converted

  // NumPy indexing (array/indexing.h): integers, Slice, kEllipsis, kNewAxis, integer and bool arrays, and mixtures.
  template <class... I>
  Array operator()(const I&... index) const;
  // x.at(i, j).set(v), add, multiply ...: the changed array.
  template <class... I>
  IndexedArray at(const I&... index) const;

  Array astype(DType dtype) const;
  Array reshape(const Dims& shape) const;  // one size may be -1
  Array transpose() const;                 // axes in reverse order
  std::string to_string() const;           // as NumPy prints it

  // For the functions of this folder.
  explicit Array(std::shared_ptr<ArrayState> state) : state_(std::move(state)) {}
  const std::shared_ptr<ArrayState>& state() const { return state_; }

 private:
  std::shared_ptr<ArrayState> state_;
};

using Arrays = std::vector<Array>;

void eval(const Arrays& arrays);  // all at once, sharing what they share

// From values, row-major. Error{shape} when they do not fill the shape.
template <Number T>
Array array(const std::vector<T>& values, const Dims& shape);
template <Number T>
Array array(const std::vector<T>& values) {
  return array(values, {int64_t(values.size())});
}
template <Number T>
Array array(std::initializer_list<T> values) {
  return array(std::vector<T>(values));
}
template <Number T>
Array array(std::initializer_list<std::initializer_list<T>> rows);  // a matrix, row by row
Array array_from_bytes(const TensorType& type, const void* bytes);  // copied

// --- operators: element-wise, with broadcasting and promotion. `/` of integers gives floats, as in Python. ---
Array operator+(const Array& a, const Array& b);
Array operator-(const Array& a, const Array& b);
Array operator*(const Array& a, const Array& b);
Array operator/(const Array& a, const Array& b);
Array operator%(const Array& a, const Array& b);  // remainder with the sign of b
Array operator-(const Array& x);
Array operator+(const Array& x);
Array operator&(const Array& a, const Array& b);
Array operator|(const Array& a, const Array& b);
Array operator^(const Array& a, const Array& b);
Array operator~(const Array& x);
Array operator<<(const Array& a, const Array& b);
Array operator>>(const Array& a, const Array& b);
Array operator==(const Array& a, const Array& b);
Array operator!=(const Array& a, const Array& b);
Array operator<(const Array& a, const Array& b);
Array operator<=(const Array& a, const Array& b);
Array operator>(const Array& a, const Array& b);
Array operator>=(const Array& a, const Array& b);
inline Array& operator+=(Array& a, const Array& b) { return a = a + b; }
inline Array& operator-=(Array& a, const Array& b) { return a = a - b; }
inline Array& operator*=(Array& a, const Array& b) { return a = a * b; }
inline Array& operator/=(Array& a, const Array& b) { return a = a / b; }

std::ostream& operator<<(std::ostream& out, const Array& x);

}  // namespace hearth

#include "array/array_templates.h"
