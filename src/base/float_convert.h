// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers of one float type as those of another.

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"

namespace hearth {

// `from` is f64, f32, bf16 or f16; `to` is f32, bf16 or f16. Each number is rounded to the nearest, ties to even; f64
// goes through f32, as in PyTorch. Returns how many finite numbers became infinite. Serial; `in` and `out` need no
// alignment and may not overlap.
int64_t convert_floats(DType from, const std::byte* in, DType to, std::byte* out, int64_t count);

// One for each instruction set; in their files.
int64_t convert_floats_scalar(DType from, const std::byte* in, DType to, std::byte* out, int64_t count);
int64_t convert_floats_avx2(DType from, const std::byte* in, DType to, std::byte* out, int64_t count);

}  // namespace hearth
