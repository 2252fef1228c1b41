// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "ops/reference/elements.h"
#include "ops/reference/reference.h"

namespace hearth {

constexpr std::vector<KernelInfo> (*kFamilies[])() = {
#define HEARTH_REFERENCE(family) reference_##family,
#include "ops/reference/families.def"
};

std::vector<KernelInfo> reference_kernels() {
  std::vector<KernelInfo> all;
  for (auto family : kFamilies) {
    for (KernelInfo& kernel : family()) {
      kernel.name = "reference." + kernel.name;
      all.push_back(std::move(kernel));
    }
  }
  return all;
}

namespace reference {
namespace {

// Calls body with a value of the dtype's C++ type.
template <class Body>
auto with_type(DType dtype, Body body) {
  switch (dtype) {
    case DType::boolean: return body(bool{});
    case DType::i8: return body(int8_t{});
    case DType::i16: return body(int16_t{});
    case DType::i32: return body(int32_t{});
    case DType::i64: return body(int64_t{});
    case DType::u8: return body(uint8_t{});
    case DType::u16: return body(uint16_t{});
    case DType::u32: return body(uint32_t{});
    case DType::u64: return body(uint64_t{});
    case DType::f16: return body(f16{});
    case DType::bf16: return body(bf16{});
    case DType::f32: return body(float{});
    case DType::f64: break;
    case DType::complex64:
    case DType::complex128: HEARTH_FAIL(bug, "reference: a real number of ", dtype);
  }
  return body(double{});
}

template <class T>
constexpr bool is_half = std::is_same_v<T, f16> || std::is_same_v<T, bf16>;

// The nearest number with so many significant bits whose last bit is worth at least 2^smallest; ties to even.
long double round_to(long double x, int significant_bits, int smallest) {
  if (x == 0 || !std::isfinite(x)) return x;
  const int last_bit = std::max(std::ilogb(x) - significant_bits + 1, smallest);
  return std::ldexp(std::nearbyint(std::ldexp(x, -last_bit)), last_bit);
}

}  // namespace

double load_real(const TensorArg& x, int64_t i) {
  return with_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (is_half<T>)
      return double(float(x.as<T>()[i]));
    else
      return double(x.as<T>()[i]);
  });
}

void store_real(const TensorArg& x, int64_t i, long double value) {
  switch (x.dtype()) {
    case DType::f64: x.as<double>()[i] = double(value); break;
    case DType::f32: x.as<float>()[i] = float(value); break;
    case DType::bf16: x.as<bf16>()[i] = bf16(float(round_to(value, 8, -133))); break;
    case DType::f16: x.as<f16>()[i] = f16(float(round_to(value, 11, -24))); break;
    default: HEARTH_FAIL(bug, "reference: store_real into ", x.dtype());
  }
}

std::complex<double> load_complex(const TensorArg& x, int64_t i) {
  if (x.dtype() == DType::complex64) return std::complex<double>(x.as<std::complex<float>>()[i]);
  return x.dtype() == DType::complex128 ? x.as<std::complex<double>>()[i] : load_real(x, i);
}

void store_complex(const TensorArg& x, int64_t i, std::complex<double> value) {
  if (x.dtype() == DType::complex64)
    x.as<std::complex<float>>()[i] = std::complex<float>(value);
  else
    x.as<std::complex<double>>()[i] = value;
}

int64_t load_integer(const TensorArg& x, int64_t i) {
  return with_type(x.dtype(), [&](auto zero) -> int64_t {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>)
      return int64_t(x.as<T>()[i]);
    else
      HEARTH_FAIL(bug, "reference: load_integer from ", x.dtype());
  });
}

void store_integer(const TensorArg& x, int64_t i, int64_t value) {
  with_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>)
      x.as<T>()[i] = T(value);  // to bool: value != 0
    else
      HEARTH_FAIL(bug, "reference: store_integer into ", x.dtype());
  });
}

void store_converted(const TensorArg& x, int64_t i, double value) {
  if (is_float(x.dtype())) return store_real(x, i, value);
  with_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool>) {
      x.as<bool>()[i] = value != 0;
    } else if constexpr (std::is_integral_v<T>) {
      constexpr int bits = std::numeric_limits<T>::digits;
      T result = 0;
      if (value >= std::ldexp(1.0, bits))
        result = std::numeric_limits<T>::max();
      else if (value <= double(std::numeric_limits<T>::min()))
        result = std::numeric_limits<T>::min();
      else if (!std::isnan(value))
        result = T(value);
      x.as<T>()[i] = result;
    }
  });
}

void copy_element(const TensorArg& to, int64_t i, const TensorArg& from, int64_t j) {
  const int64_t size = size_bytes(to.dtype());
  std::memcpy(to.as<char>() + i * size, from.as<char>() + j * size, size_t(size));
}

int64_t position(const Dims& index, const Dims& dims) {
  int64_t at = 0;
  for (size_t axis = 0; axis < dims.size(); ++axis) at = at * dims[axis] + index[axis];
  return at;
}

bool contains(const Dims& list, int64_t axis) { return std::find(list.begin(), list.end(), axis) != list.end(); }

void expect_arguments(const Types& in, const Types& out, size_t inputs, size_t outputs) {
  HEARTH_CHECK(in.size() == inputs && out.size() == outputs, format, "has ", in.size(), " inputs and ", out.size(),
               " outputs instead of ", inputs, " and ", outputs);
}

void expect_type(const char* what, const TensorType& got, const TensorType& wanted) {
  HEARTH_CHECK(got == wanted, format, what, " is ", got, " instead of ", wanted);
}

void expect_per_axis(const char* attribute, const Dims& list, int64_t rank) {
  HEARTH_CHECK(int64_t(list.size()) == rank, format, attribute, "=", ShowDims{list}, " needs one number for each of ",
               rank, " axes");
}

void expect_axes(const char* attribute, const Dims& axes, int64_t rank) {
  std::vector<bool> seen(static_cast<size_t>(rank));
  for (int64_t axis : axes) {
    HEARTH_CHECK(axis >= 0 && axis < rank && !seen[size_t(axis)], format, attribute, "=", ShowDims{axes}, ": axis ",
                 axis, " stands twice or is none of ", rank, " axes");
    seen[size_t(axis)] = true;
  }
}

}  // namespace reference
}  // namespace hearth
