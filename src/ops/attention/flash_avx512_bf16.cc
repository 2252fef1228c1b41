// SPDX-License-Identifier: Apache-2.0
#include "ops/attention/flash_backward.h"
#include "ops/attention/flash_decode.h"
#include "ops/attention/flash_forward.h"

namespace hearth {

extern const FlashKernels flash_avx512_bf16 = {kPanel,        forward_floats, forward_rows, decode_floats,
                                               decode_keys,   kBlock,         padded_size,  backward_floats,
                                               backward_rows, store_sum,      exp2_all};

}  // namespace hearth
