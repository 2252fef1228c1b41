// SPDX-License-Identifier: Apache-2.0
#include "array/array.h"

#include <cstring>

#include "array/recording.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

std::shared_ptr<ArrayState> evaluated(const TensorType& type, const void* bytes) {
  auto buffer = std::make_shared<Buffer>(type.bytes());
  if (type.bytes() > 0) std::memcpy(buffer->data(), bytes, size_t(type.bytes()));
  return std::make_shared<ArrayState>(ArrayState{.type = type, .buffer = std::move(buffer)});
}

DType weak_dtype(const PlainNumber& number) {
  if (std::holds_alternative<bool>(number)) return DType::boolean;
  if (const int64_t* n = std::get_if<int64_t>(&number))
    return *n == int64_t(int32_t(*n)) ? DType::i32 : DType::i64;  // what does not fit is not silently cut
  return std::holds_alternative<double>(number) ? DType::f32 : DType::complex64;
}

template <class T>
PlainNumber number_at(const Array& x, int64_t index) {
  const T number = static_cast<const T*>(x.data())[index];
  if constexpr (std::same_as<T, bool>)
    return number;
  else if constexpr (std::integral<T>)
    return int64_t(number);
  else if constexpr (std::same_as<T, std::complex<float>> || std::same_as<T, std::complex<double>>)
    return std::complex<double>(number);
  else
    return double(float(number));
}

}  // namespace

Array weak_scalar(const PlainNumber& number) {
  const DType dtype = weak_dtype(number);
  return Array(
      std::make_shared<ArrayState>(ArrayState{.type = {dtype, {}}, .weak = dtype != DType::boolean, .number = number}));
}

Array array_from_bytes(const TensorType& type, const void* bytes) { return Array(evaluated(type, bytes)); }

const TensorType& Array::type() const {
  HEARTH_CHECK(state_, value, "array: is used before it was given a value");
  return state_->type;
}

bool Array::weak() const { return type(), state_->weak; }

int64_t Array::dim(int64_t axis) const {
  const int64_t from_start = axis < 0 ? axis + ndim() : axis;
  HEARTH_CHECK(from_start >= 0 && from_start < ndim(), value, "array: there is no axis ", axis, " in ", type());
  return shape()[size_t(from_start)];
}

const Array& Array::eval() const {
  HEARTH_CHECK(state_, value, "array: is used before it was given a value");
  evaluate({state_});
  return *this;
}

void eval(const Arrays& arrays) {
  std::vector<std::shared_ptr<ArrayState>> states;
  for (const Array& x : arrays) {
    HEARTH_CHECK(x.valid(), value, "array: is used before it was given a value");
    states.push_back(x.state());
  }
  evaluate(states);
}

const void* Array::data() const { return eval().state_->buffer->data(); }

PlainNumber element(const Array& x, int64_t index) {
  switch (x.dtype()) {
    case DType::boolean: return number_at<bool>(x, index);
    case DType::i8: return number_at<int8_t>(x, index);
    case DType::i16: return number_at<int16_t>(x, index);
    case DType::i32: return number_at<int32_t>(x, index);
    case DType::i64: return number_at<int64_t>(x, index);
    case DType::u8: return number_at<uint8_t>(x, index);
    case DType::u16: return number_at<uint16_t>(x, index);
    case DType::u32: return number_at<uint32_t>(x, index);
    case DType::u64: return number_at<uint64_t>(x, index);
    case DType::f16: return number_at<f16>(x, index);
    case DType::bf16: return number_at<bf16>(x, index);
    case DType::f32: return number_at<float>(x, index);
    case DType::f64: return static_cast<const double*>(x.data())[index];
    case DType::complex64: return number_at<std::complex<float>>(x, index);
    case DType::complex128: break;
  }
  return number_at<std::complex<double>>(x, index);
}

Array Array::astype(DType dtype) const {
  if (this->dtype() == dtype && !weak()) return *this;
  const std::lock_guard lock(array_mutex());
  return from_value(to_value(*this, dtype));
}

Array Array::reshape(const Dims& shape) const {
  return record([&](const Value& x) { return hearth::reshape(x, shape); }, *this);
}

Array Array::transpose() const {
  return record(
      [](const Value& x) {
        Dims order(size_t(x.rank()));
        for (size_t i = 0; i < order.size(); ++i) order[i] = x.rank() - 1 - int64_t(i);
        return hearth::transpose(x, order);
      },
      *this);
}

}  // namespace hearth
