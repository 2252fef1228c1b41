// SPDX-License-Identifier: Apache-2.0
#include "base/float_convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "base/isa.h"

namespace hearth {

// Every kind of number of the type, by its bits.
static std::vector<std::byte> samples(DType type, int64_t count) {
  std::vector<std::byte> bytes(size_t(count * size_bytes(type)));
  std::mt19937_64 random(7);
  for (std::byte& b : bytes) b = std::byte(random());
  for (int64_t i = 0; i < count; ++i) {
    if (type == DType::f32 && i % 2 == 0) {  // near the limits of f16
      const float x = std::ldexp(1.0f + float(random() % 4096) / 2048, int(random() % 44) - 27);
      std::memcpy(bytes.data() + i * 4, &x, 4);
    } else if (type == DType::f16 || type == DType::bf16) {
      const auto bits = uint16_t(i);
      std::memcpy(bytes.data() + i * 2, &bits, 2);
    }
  }
  return bytes;
}

static bool is_nan(DType type, const std::byte* at) {
  std::byte wide[4];
  convert_floats_scalar(type, at, DType::f32, wide, 1);
  float x;
  std::memcpy(&x, wide, 4);
  return std::isnan(x);
}

TEST(FloatConvert, each_instruction_set_gives_the_same_bits) {
  if (best_isa() < Isa::avx2) GTEST_SKIP() << "SKIP no AVX2";
  constexpr int64_t kCount = 65536 + 5;
  for (const DType from : {DType::f64, DType::f32, DType::bf16, DType::f16}) {
    const std::vector<std::byte> in = samples(from, kCount);
    for (const DType to : {DType::f32, DType::bf16, DType::f16}) {
      std::vector<std::byte> a(size_t(kCount * size_bytes(to))), b(a.size());
      const int64_t over_a = convert_floats_scalar(from, in.data(), to, a.data(), kCount);
      const int64_t over_b = convert_floats_avx2(from, in.data(), to, b.data(), kCount);
      EXPECT_EQ(over_a, over_b) << from << " to " << to;
      int64_t different = 0;
      for (int64_t i = 0; i < kCount; ++i) {  // the processor makes signalling NaN quiet
        const std::byte *x = a.data() + i * size_bytes(to), *y = b.data() + i * size_bytes(to);
        different += std::memcmp(x, y, size_t(size_bytes(to))) != 0 && !(is_nan(to, x) && is_nan(to, y));
      }
      EXPECT_EQ(different, 0) << from << " to " << to;
    }
  }
}

TEST(FloatConvert, overflow_is_counted_from_the_first_number_that_rounds_to_infinity) {
  const auto count = [](std::vector<float> x, DType to) {
    while (x.size() % 8) x.push_back(0);  // whole steps
    std::vector<std::byte> out(x.size() * 2);
    return convert_floats(DType::f32, reinterpret_cast<const std::byte*>(x.data()), to, out.data(), int64_t(x.size()));
  };
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(count({65504, 65519.99f, 65520, -65520, 70000, inf, -inf, std::nanf("")}, DType::f16), 3);
  EXPECT_EQ(count({3.38e38f, -3.4e38f, 3.4028e38f, inf}, DType::bf16), 2);
}

}  // namespace hearth
