// SPDX-License-Identifier: Apache-2.0
// Body of adamw_8bit_rows, compiled once per instruction set; HEARTH_ROW_NAME is its name. One thread owns a block: its
// 256 numbers lie in L1 between the passes, of which the compiler makes vector code.
#include <cmath>

#include "ops/adamw_8bit/adamw_8bit_rows.h"
#include "ops/adamw_8bit/dynamic_map.h"

namespace hearth {
namespace {

constexpr int kCount = int(kDynamicBlock);

// The map's constants, in f32 as the operation's decomposition has them.
struct Borders {
  float border[DynamicMap::kDecades], parts[DynamicMap::kDecades], inverse_top[DynamicMap::kDecades], of_one, one;
  explicit Borders(const DynamicMap& map) : of_one(float(map.border_of_one())), one(float(map.one())) {
    for (int i = 0; i < DynamicMap::kDecades; ++i) {
      border[i] = float(map.border(i));
      parts[i] = float(map.parts(i));
      inverse_top[i] = float(1 / map.top(i));
    }
  }
};

inline float nearest(float x, const Borders& b) {
  float count = b.parts[0], inverse_top = b.inverse_top[0];
  for (int i = 1; i < DynamicMap::kDecades; ++i) {
    count = x >= b.border[i] ? b.parts[i] : count;
    inverse_top = x >= b.border[i] ? b.inverse_top[i] : inverse_top;
  }
  float part = __builtin_floorf((x * inverse_top - 0.1f) * float(1 / 0.9) * count);
  part = part < 0.0f ? 0.0f : part;
  part = part > count - 1.0f ? count - 1.0f : part;
  float number = x >= b.border[0] ? count + part : 0.0f;
  return x >= b.of_one ? b.one : number;
}

float largest(const float* x) {
  float lanes[16] = {};
  for (int i = 0; i < kCount; i += 16)
    for (int l = 0; l < 16; ++l) lanes[l] = __builtin_fabsf(x[i + l]) > lanes[l] ? __builtin_fabsf(x[i + l]) : lanes[l];
  float top = 0;
  for (const float lane : lanes) top = lane > top ? lane : top;
  return top;
}

void encode(const float* m, const float* v, const AdamW8bitBlock& b) {
  static const Borders of_m(kSignedMap), of_v(kUnsignedMap);
  const Borders m_borders = of_m, v_borders = of_v;  // copies: bytes written below cannot alias them
  const float m_top = largest(m), v_top = largest(v);
  const float m_scale = m_top > 0 ? m_top : 1.0f, v_scale = v_top > 0 ? v_top : 1.0f;
  int32_t codes[2][kCount];
  for (int i = 0; i < kCount; ++i) {
    const float x = m[i] / m_scale, number = nearest(__builtin_fabsf(x), m_borders);
    const float negative = number > 127.0f ? 127.0f : number;
    codes[0][i] = int32_t(x < 0 ? 127.0f - negative : 127.0f + number);
  }
  for (int i = 0; i < kCount; ++i) {
    const float number = nearest(v[i] / v_scale, v_borders);
    codes[1][i] = int32_t(number > 0.0f ? number - 1.0f : 0.0f);
  }
  for (int i = 0; i < kCount; ++i) b.next_m[i] = uint8_t(codes[0][i]);
  for (int i = 0; i < kCount; ++i) b.next_v[i] = uint8_t(codes[1][i]);
  *b.next_m_scale = m_top;
  *b.next_v_scale = v_top;
}

void update_block(const AdamW8bitNumbers& n, const AdamW8bitBlock& b) {
  float m[kCount], v[kCount], g[kCount];
  for (int i = 0; i < kCount; ++i) g[i] = i < b.count ? b.g[i] : 0.0f;
  for (int i = 0; i < kCount; ++i) m[i] = n.beta1 * (n.signed_values[b.m[i]] * b.m_scale) + n.rest1 * g[i];
  for (int i = 0; i < kCount; ++i) v[i] = n.beta2 * (n.unsigned_values[b.v[i]] * b.v_scale) + n.rest2 * (g[i] * g[i]);
  for (int64_t i = 0; i < b.count; ++i)
    b.next_p[i] = b.p[i] * n.shrink - n.rate * m[i] / (__builtin_sqrtf(v[i]) * n.inverse_root + n.eps);
  encode(m, v, b);
}

}  // namespace

const AdamW8bitRows HEARTH_ROW_NAME = update_block;

}  // namespace hearth
