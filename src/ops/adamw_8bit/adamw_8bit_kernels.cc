// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/adamw_8bit/adamw_8bit_rows.h"
#include "ops/adamw_8bit/dynamic_map.h"

namespace hearth {
namespace {

AdamW8bitRows rows() {
  if (isa() >= Isa::avx512) return adamw_8bit_rows_avx512;
  return isa() >= Isa::avx2 ? adamw_8bit_rows_avx2 : adamw_8bit_rows_scalar;
}

struct Values {
  std::array<float, 256> of_m, of_v;
  Values() {
    for (int code = 0; code < 256; ++code) {
      of_m[size_t(code)] = float(signed_value(code));
      of_v[size_t(code)] = float(unsigned_value(code));
    }
  }
};

AdamW8bitNumbers numbers(const KernelArgs& args) {
  static const Values values;
  const auto scalar = [&](size_t i) { return *args.in[i].as<const float>(); };
  const float rate = scalar(6);
  const double beta1 = args.attrs.real("beta1"), beta2 = args.attrs.real("beta2");
  return {.beta1 = float(beta1),
          .rest1 = float(1 - beta1),
          .beta2 = float(beta2),
          .rest2 = float(1 - beta2),
          .eps = float(args.attrs.real("eps")),
          .shrink = 1 - rate * float(args.attrs.real("weight_decay")),
          .rate = rate / scalar(7),
          .inverse_root = 1 / std::sqrt(scalar(8)),
          .signed_values = values.of_m.data(),
          .unsigned_values = values.of_v.data()};
}

// Inputs p, m, m_scale, v, v_scale, g, rate, correction1, correction2, apply; outputs the first five anew, perhaps in
// place. Threads own runs of blocks.
void run(const KernelArgs& args) {
  if (!*args.in[9].as<const bool>()) {
    for (size_t i = 0; i < 5; ++i) {
      if (args.out[i].data != args.in[i].data)
        std::memcpy(args.out[i].data, args.in[i].data, size_t(args.in[i].type->bytes()));
    }
    return;
  }
  const AdamW8bitNumbers n = numbers(args);
  const AdamW8bitRows update = rows();
  const int64_t size = args.in[0].type->elements();
  const auto in = [&]<class T>(size_t i, T) { return args.in[i].as<const T>(); };
  const auto out = [&]<class T>(size_t i, T) { return args.out[i].as<T>(); };
  parallel_ranges(args.in[1].dim(0), 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t at = b * kDynamicBlock;
      update(n, {.count = std::min(kDynamicBlock, size - at),
                 .p = in(0, float()) + at,
                 .g = in(5, float()) + at,
                 .m = in(1, uint8_t()) + at,
                 .v = in(3, uint8_t()) + at,
                 .m_scale = in(2, float())[b],
                 .v_scale = in(4, float())[b],
                 .next_p = out(0, float()) + at,
                 .next_m = out(1, uint8_t()) + at,
                 .next_v = out(3, uint8_t()) + at,
                 .next_m_scale = out(2, float()) + b,
                 .next_v_scale = out(4, float()) + b});
    }
  });
}

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 10 && out.size() == 5, format, "adamw_8bit: wrong number of tensors");
  const int64_t blocks = (in[0].elements() + kDynamicBlock - 1) / kDynamicBlock;
  const TensorType p{DType::f32, in[0].dims}, codes{DType::u8, {blocks, kDynamicBlock}},
      scales{DType::f32, {blocks, 1}}, scalar{DType::f32, {}};
  const TensorType wanted[] = {p, codes, scales, codes, scales, p, scalar, scalar, scalar, {DType::boolean, {}}};
  for (size_t i = 0; i < in.size(); ++i) {
    HEARTH_CHECK(in[i] == wanted[i], format, "adamw_8bit: input ", i, " is ", in[i], ", not ", wanted[i]);
    HEARTH_CHECK(i >= out.size() || out[i] == wanted[i], format, "adamw_8bit: output ", i, " does not fit");
  }
  for (const char* name : {"beta1", "beta2", "eps", "weight_decay"}) attrs.real(name);
}

}  // namespace

std::vector<KernelInfo> adamw_8bit_kernels() { return {{"adamw_8bit", run, check}}; }

}  // namespace hearth
