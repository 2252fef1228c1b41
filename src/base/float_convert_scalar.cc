// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/float_convert.h"
#include "base/isa.h"

namespace hearth {
namespace {

template <class T>
T load(const std::byte* at) {
  T x;
  std::memcpy(&x, at, sizeof x);
  return x;
}

template <class From, class To>
int64_t convert(const std::byte* in, std::byte* out, int64_t count) {
  int64_t overflows = 0;
  for (int64_t i = 0; i < count; ++i) {
    const From x = load<From>(in + i * int64_t(sizeof(From)));
    const To y = To(float(x));
    std::memcpy(out + i * int64_t(sizeof(To)), &y, sizeof y);
    overflows += std::isinf(float(y)) && !std::isinf(double(float(x))) ? 1 : 0;
    if constexpr (sizeof(From) == 8) overflows += std::isinf(float(x)) && !std::isinf(x) ? 1 : 0;
  }
  return overflows;
}

template <class From>
int64_t convert_from(const std::byte* in, DType to, std::byte* out, int64_t count) {
  switch (to) {
    case DType::f32: return convert<From, float>(in, out, count);
    case DType::bf16: return convert<From, bf16>(in, out, count);
    case DType::f16: return convert<From, f16>(in, out, count);
    default: HEARTH_FAIL(bug, "convert_floats: no conversion to ", to);
  }
}

}  // namespace

int64_t convert_floats_scalar(DType from, const std::byte* in, DType to, std::byte* out, int64_t count) {
  switch (from) {
    case DType::f64: return convert_from<double>(in, to, out, count);
    case DType::f32: return convert_from<float>(in, to, out, count);
    case DType::bf16: return convert_from<bf16>(in, to, out, count);
    case DType::f16: return convert_from<f16>(in, to, out, count);
    default: HEARTH_FAIL(bug, "convert_floats: no conversion from ", from);
  }
}

int64_t convert_floats(DType from, const std::byte* in, DType to, std::byte* out, int64_t count) {
#if defined(__x86_64__)
  if (isa() >= Isa::avx2) return convert_floats_avx2(from, in, to, out, count);
#endif
  return convert_floats_scalar(from, in, to, out, count);
}

}  // namespace hearth
