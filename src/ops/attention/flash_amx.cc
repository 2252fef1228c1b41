// SPDX-License-Identifier: Apache-2.0
// AMX, for bf16. Other dtypes, and few rows against a long cache (bound by reading it), take the table of avx512.
#if defined(__x86_64__)
#include "ops/attention/flash_amx_backward.h"
#include "ops/attention/flash_amx_forward.h"

namespace hearth {
namespace {

int64_t decode_floats(const AttentionCall& call, int64_t kv_heads) {
  return flash_avx512.decode_floats(call, kv_heads);
}
void decode_keys(const AttentionCall& call, const DecodeItem& item, float* partial, float* scratch) {
  flash_avx512.decode_keys(call, item, partial, scratch);
}

}  // namespace

extern const FlashKernels flash_amx = {kSide,       forward_floats,  forward_rows,  decode_floats, decode_keys, kBlock,
                                       padded_size, backward_floats, backward_rows, store_sum,     exp2_all};

}  // namespace hearth
#endif
