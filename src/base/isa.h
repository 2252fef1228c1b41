// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which instruction set the CPU kernels use. Chosen once: the best that the processor and the system have, or the lower
// one that HEARTH_ISA names (scalar, avx2, avx512, avx512_bf16, amx).

namespace hearth {

enum class Isa {
  scalar,       // x86-64 baseline, or any other processor
  avx2,         // AVX2, FMA, F16C
  avx512,       // F, BW, DQ, VL
  avx512_bf16,  // and BF16
  amx,          // and AMX-TILE, AMX-BF16
};

const char* isa_name(Isa isa);
Isa best_isa();  // what this machine has
Isa isa();  // what the kernels use. Throws Error{value} when HEARTH_ISA names nothing, or more than the machine has

}  // namespace hearth
