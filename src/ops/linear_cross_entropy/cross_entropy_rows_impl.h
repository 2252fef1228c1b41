// SPDX-License-Identifier: Apache-2.0
// Body of cross_entropy_rows, compiled once per instruction set; HEARTH_ROW_NAME is the table's name. One thread owns
// a row. Bound by exp: two passes over a row that lies in L2. Sums in f32 lanes, which differ from a sequential sum
// below 1e-6.
#include <cmath>
#include <cstdint>

#include "ops/linear_cross_entropy/cross_entropy_rows.h"

namespace hearth {
namespace {

// exp(x) for x <= 0: 2^n * p(r), r in [-ln2/2, ln2/2], degree 6. Largest error 1.1e-7 relative; below -87 it gives 0.
inline float exp_below_zero(float x) {
  const float clamped = x < -87.0f ? -87.0f : x;
  const float n = __builtin_floorf(clamped * 1.44269504f + 0.5f);
  const float r = clamped - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  union {
    int32_t i;
    float f;
  } power;
  power.i = (int32_t(n) + 127) << 23;
  return x < -87.0f ? 0.0f : p * power.f;
}

constexpr int kLanes = 64;

double loss_of_row(const float* z, int64_t vocabulary, int64_t label, float* dz) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = z[0];
  int64_t i = 0;
  for (; i + kLanes <= vocabulary; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] = z[i + l] > lanes[l] ? z[i + l] : lanes[l];
  }
  float top = z[0];
  for (; i < vocabulary; ++i) top = z[i] > top ? z[i] : top;
  for (float lane : lanes) top = lane > top ? lane : top;

  for (float& lane : lanes) lane = 0;
  for (i = 0; i + kLanes <= vocabulary; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] += exp_below_zero(z[i + l] - top);
  }
  double sum = 0;
  for (; i < vocabulary; ++i) sum += exp_below_zero(z[i] - top);
  for (float lane : lanes) sum += lane;
  const double loss = std::log(sum) + top - z[label];
  if (dz) {
    const float scale = float(1 / sum);
    for (int64_t j = 0; j < vocabulary; ++j) dz[j] = exp_below_zero(z[j] - top) * scale;
    dz[label] -= 1.0f;
  }
  return loss;
}

double sum_of_row(const float* z, int64_t vocabulary) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= vocabulary; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] += z[i + l];
  }
  double sum = 0;
  for (; i < vocabulary; ++i) sum += z[i];
  for (float lane : lanes) sum += lane;
  return sum;
}

void rescale_row(float* dz, int64_t vocabulary, float factor, float shift) {
  for (int64_t i = 0; i < vocabulary; ++i) dz[i] = dz[i] * factor - shift;
}

// tanh(x) = sign(x) (1 - e) / (1 + e), e = exp(-2 |x|): wrong by 1e-7 of the cap at most.
void bend_row(float* z, const float* bias, int64_t vocabulary, float cap) {
  if (bias) {
    for (int64_t i = 0; i < vocabulary; ++i) z[i] += bias[i];
  }
  if (cap == 0) return;
  const float inverse = 1 / cap;
  for (int64_t i = 0; i < vocabulary; ++i) {
    const float x = z[i] * inverse, e = exp_below_zero(-2.0f * __builtin_fabsf(x));
    const float y = cap * ((1.0f - e) / (1.0f + e));
    z[i] = x == x ? __builtin_copysignf(y, x) : x;
  }
}

void unbend_row(float* dz, const float* z, int64_t vocabulary, float cap) {
  const float inverse = 1 / cap;
  for (int64_t i = 0; i < vocabulary; ++i) dz[i] *= 1.0f - (z[i] * inverse) * (z[i] * inverse);
}

bool is_top_of_row(const float* z, int64_t vocabulary, int64_t label) {
  const float own = z[label];
  int beaten = 0;  // negations: a NaN beats the label too
  for (int64_t i = 0; i < label; ++i) beaten |= !(z[i] < own);
  for (int64_t i = label + 1; i < vocabulary; ++i) beaten |= !(z[i] <= own);
  return !beaten && own == own;
}

}  // namespace

const CrossEntropyRows HEARTH_ROW_NAME = {loss_of_row, sum_of_row, rescale_row, bend_row, unbend_row, is_top_of_row};

}  // namespace hearth
