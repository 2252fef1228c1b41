// SPDX-License-Identifier: Apache-2.0
#pragma once
// The templates of array.h.

#include <variant>

#include "array/array.h"
#include "base/error.h"

namespace hearth {

// A plain number of the C++ program, exact.
using PlainNumber = std::variant<bool, int64_t, double, std::complex<double>>;
Array weak_scalar(const PlainNumber& number);

// One element of an array as the widest type of its kind.
PlainNumber element(const Array& x, int64_t index);

template <Number T>
Array::Array(T number) {
  if constexpr (std::same_as<T, f16> || std::same_as<T, bf16>)
    *this = array_from_bytes({dtype_of<T>, {}}, &number);
  else if constexpr (std::same_as<T, bool>)
    *this = weak_scalar(number);
  else if constexpr (std::integral<T>)
    *this = weak_scalar(int64_t(number));
  else if constexpr (std::floating_point<T>)
    *this = weak_scalar(double(number));
  else
    *this = weak_scalar(std::complex<double>(number));
}

template <Number T>
const T* Array::data_as() const {
  HEARTH_CHECK(dtype() == dtype_of<T>, dtype, "data_as: the array is ", type(), ", not ", dtype_of<T>);
  return static_cast<const T*>(data());
}

// A complex number becomes a real one by its real part.
template <Number T>
T convert_number(const PlainNumber& number) {
  return std::visit(
      [](auto x) -> T {
        using X = decltype(x);
        constexpr bool from_complex = std::same_as<X, std::complex<double>>;
        if constexpr (std::same_as<T, std::complex<float>> || std::same_as<T, std::complex<double>>)
          return T(std::complex<double>(x));
        else if constexpr (std::same_as<T, f16> || std::same_as<T, bf16>)
          return T(float(std::real(std::complex<double>(x))));
        else if constexpr (from_complex)
          return T(x.real());
        else
          return T(x);
      },
      number);
}

template <Number T>
T Array::item() const {
  HEARTH_CHECK(size() == 1, shape, "item: needs an array of one element; it is ", type());
  return convert_number<T>(element(*this, 0));
}

template <Number T>
std::vector<T> Array::to_vector() const {
  std::vector<T> values;
  values.reserve(size_t(size()));
  if (dtype() == dtype_of<T>) {
    const T* first = data_as<T>();
    values.assign(first, first + size());
  } else {
    for (int64_t i = 0; i < size(); ++i) values.push_back(convert_number<T>(element(*this, i)));
  }
  return values;
}

template <Number T>
Array array(const std::vector<T>& values, const Dims& shape) {
  const TensorType type{dtype_of<T>, shape};
  HEARTH_CHECK(type.elements() == int64_t(values.size()), shape, "array: ", values.size(), " values do not fill ",
               type);
  if constexpr (std::same_as<T, bool>) {  // std::vector<bool> is packed
    const std::vector<uint8_t> bytes(values.begin(), values.end());
    return array_from_bytes(type, bytes.data());
  } else {
    return array_from_bytes(type, values.data());
  }
}

template <Number T>
Array array(std::initializer_list<std::initializer_list<T>> rows) {
  std::vector<T> values;
  const size_t columns = rows.size() ? rows.begin()->size() : 0;
  for (const std::initializer_list<T>& row : rows) {
    HEARTH_CHECK(row.size() == columns, shape, "array: a row has ", row.size(), " values, the first has ", columns);
    values.insert(values.end(), row.begin(), row.end());
  }
  return array(values, {int64_t(rows.size()), int64_t(columns)});
}

}  // namespace hearth
