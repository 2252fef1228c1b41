// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "array/creation.h"
#include "array/elementwise_functions.h"
#include "array/jit.h"
#include "array/lift.h"
#include "array/linear_algebra.h"
#include "array/manipulation.h"
#include "array/statistics.h"
#include "base/error.h"

namespace hearth {
namespace {

constexpr int64_t kMostSquarings = 16;
constexpr double kLargestNorm = 5.371920351148152;  // theta_13: up to it the approximation is exact to f64's rounding
constexpr std::array<double, 14> kPade = {64764752532480000,
                                          32382376266240000,
                                          7771770303897600,
                                          1187353796428800,
                                          129060195264000,
                                          10559470521600,
                                          670442572800,
                                          33522128640,
                                          1323241920,
                                          40840800,
                                          960960,
                                          16380,
                                          182,
                                          1};

// [13/13] approximation: (-U + V)^-1 (U + V), U the odd and V the even terms.
Array approximation(const Array& a) {
  const Array one = eye(a.dim(-1), {.dtype = a.dtype()});
  const Array a2 = matmul(a, a), a4 = matmul(a2, a2), a6 = matmul(a4, a2);
  const auto sum_of = [&](size_t first) {
    const auto c = [&](size_t k) { return kPade[first + 2 * k]; };
    const Array high = matmul(a6, c(6) * a6 + c(5) * a4 + c(4) * a2);
    return high + c(3) * a6 + c(2) * a4 + c(1) * a2 + c(0) * one;
  };
  const Array odd = matmul(a, sum_of(1)), even = sum_of(0);
  return solve(even - odd, even + odd);
}

}  // namespace

Array expm(const Array& x) {
  HEARTH_CHECK(x.ndim() >= 2, shape, "expm: needs matrices, at least 2 axes\n  a is ", x.type());
  HEARTH_CHECK(x.dim(-1) == x.dim(-2), shape, "expm: needs square matrices: ", x.dim(-2), " != ", x.dim(-1),
               "\n  a is ", x.type());
  const Array floats = lift(
      x, [](const Value& v) { return v; }, promote_to_inexact);
  const bool narrow = size_bytes(floats.dtype()) == 2;
  const Array a = narrow ? floats.astype(DType::f32) : floats;
  if (a.size() == 0) return floats;
  const Array size = max(sum(abs(a), {.axis = -2}), {.axis = -1});  // 1-norm, [...]
  const Array squarings = clip(ceil(log2(size / kLargestNorm)), 0.0);
  const Array times = expand_dims(squarings, {-1, -2});
  Array r = approximation(a * exp2(-minimum(times, double(kMostSquarings))).astype(a.dtype()));
  // A matrix that needs no more squarings is not squared: it could overflow, and its derivative with it.
  r = fori_loop(0, kMostSquarings,
                [&](const Array& i, const Arrays& state) -> Arrays {
                  const Array more = i < times, base = where(more, state[0], zeros_like(state[0]));
                  return {where(more, matmul(base, base), state[0])};
                },
                {r})[0];
  r = where(times <= kMostSquarings, r, full_like(r, std::numeric_limits<double>::quiet_NaN()));
  return narrow ? r.astype(floats.dtype()) : r;
}

}  // namespace hearth
