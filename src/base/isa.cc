// SPDX-License-Identifier: Apache-2.0
#include "base/isa.h"

#include <cstdlib>
#include <string>

#include "base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace hearth {

static constexpr const char* kNames[] = {"scalar", "avx2", "avx512", "avx512_bf16", "amx"};

const char* isa_name(Isa isa) { return kNames[static_cast<int>(isa)]; }

#if defined(__x86_64__)
// AMX state must be asked of the kernel, once per process: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
static bool amx_usable() {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  const bool bf16 = d & (1u << 22), tile = d & (1u << 24);
  return bf16 && tile && syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

static Isa detect() {  // every processor with AVX2 has F16C
  __builtin_cpu_init();
  if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))) return Isa::scalar;
  if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")))
    return Isa::avx2;
  if (!__builtin_cpu_supports("avx512bf16")) return Isa::avx512;
  return amx_usable() ? Isa::amx : Isa::avx512_bf16;
}
#else
static Isa detect() { return Isa::scalar; }
#endif

Isa best_isa() {
  static const Isa best = detect();
  return best;
}

static Isa choose() {
  const char* wanted = std::getenv("HEARTH_ISA");
  if (!wanted || !*wanted) return best_isa();
  for (int i = 0; i <= static_cast<int>(Isa::amx); ++i) {
    if (std::string(wanted) != kNames[i]) continue;
    HEARTH_CHECK(static_cast<Isa>(i) <= best_isa(), value, "HEARTH_ISA=", wanted, ": this processor has at most ",
                 isa_name(best_isa()));
    return static_cast<Isa>(i);
  }
  HEARTH_FAIL(value, "HEARTH_ISA=", wanted, ": unknown; one of scalar, avx2, avx512, avx512_bf16, amx");
}

Isa isa() {
  static const Isa chosen = choose();
  return chosen;
}

}  // namespace hearth
