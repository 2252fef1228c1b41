// SPDX-License-Identifier: Apache-2.0
#include "train/lora_delta.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "train/lora_weights.h"

namespace hearth {

void store_float(DType dtype, std::byte* out, int64_t i, float x) {
  const uint16_t half = dtype == DType::bf16 ? bf16(x).bits : dtype == DType::f16 ? f32_to_f16(x) : 0;
  if (dtype == DType::f32)
    std::memcpy(out + i * 4, &x, 4);
  else
    std::memcpy(out + i * 2, &half, 2);
}

float rounded_as(const TensorRef& tensor, float x) {
  std::byte bytes[4] = {};
  store_float(tensor.type.dtype, bytes, 0, x);
  return load_float({"", {tensor.type.dtype, {1}}, bytes, nullptr}, 0);
}

void update_row(const LoraMatrices& m, int64_t o, int64_t first, std::span<float> delta) {
  std::fill(delta.begin(), delta.end(), 0.0f);
  for (int64_t r = 0; r < m.rank; ++r) {
    const float b = m.b[size_t(o * m.rank + r)];
    const float* a = m.a.data() + r * m.in + first;
    for (size_t i = 0; i < delta.size(); ++i) delta[i] = std::fma(b, a[i], delta[i]);
  }
}

std::vector<float> dora_norms(const TensorRef& weight, const LoraMatrices& m, bool transposed) {
  std::vector<float> norms(size_t(m.out));
  const float scale = float(m.scale);
  parallel_ranges(m.out, 16, [&](int64_t begin, int64_t end, int) {
    std::vector<float> delta(size_t(m.in));
    for (int64_t o = begin; o < end; ++o) {
      update_row(m, o, 0, delta);
      double squares = 0;
      for (int64_t i = 0; i < m.in; ++i) {
        const float product = delta[size_t(i)] * scale;
        const double sum = load_float(weight, transposed ? i * m.out + o : o * m.in + i) + product;
        squares += sum * sum;
      }
      norms[size_t(o)] = float(std::sqrt(squares));
    }
  });
  return norms;
}

void check_layer(const LoraConfig& config, const LinearModule& module) {
  const bool plain =
      !config.dora && !config.b_bias && config.dropout == 0 && (config.init == "default" || config.init == "gaussian");
  HEARTH_CHECK(module.experts == 0 || plain, unsupported, "lora: the experts '", module.name,
               "' take plain LoRA only, which begins with default or gaussian, without dropout, as in PEFT");
  HEARTH_CHECK(!module.is_embedding || !config.b_bias, unsupported, "lora: the embedding '", module.name,
               "' takes no bias of B, as in PEFT");
  HEARTH_CHECK(!module.is_output_embedding || (!config.dora && !config.b_bias), unsupported, "lora: the output layer '",
               module.name, "' takes plain LoRA only, without ", config.dora ? "DoRA" : "a bias of B",
               "\n  hint: leave it out of the targets, or train it whole (modules_to_save)");
}

}  // namespace hearth
