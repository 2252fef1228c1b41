// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inner loops of argmax and argmin, once per instruction set.

#include <cstdint>

#include "base/dtype.h"

namespace hearth {

struct ArgReduceTile {
  DType dtype;
  bool max;
};

struct ArgReduceTiles {
  // Number of the extreme element of x[n].
  int64_t (*row)(const ArgReduceTile& tile, const void* x, int64_t n);
  // Numbers of the extreme elements of x[n, columns], whose rows are `pitch` elements apart; columns <= kArgColumns,
  // n < 2^32.
  void (*columns)(const ArgReduceTile& tile, const void* x, int64_t n, int64_t pitch, int64_t columns,
                  uint32_t* numbers);
};
constexpr int64_t kArgColumns = 512;

extern const ArgReduceTiles arg_reduce_scalar, arg_reduce_avx2, arg_reduce_avx512;

}  // namespace hearth
