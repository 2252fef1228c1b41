// SPDX-License-Identifier: Apache-2.0
// Times gemm beside oneDNN's matmul with packed weights, same threads, turn by turn, best of the turns.
//   gemm_bench [--filter TEXT] [--turns N]
// Weights are stored [N,K]. Shapes with few rows go through so many copies of the weight that none stays in cache.
#include <cstdio>
#include <memory>
#include <vector>

#if defined(__x86_64__)
#include "base/amx_tiles.h"
#endif
#include "base/error.h"
#include "bench/onednn_peer.h"
#include "ops/matmul/gemm.h"

namespace {

using namespace hearth;
using namespace hearth::bench;

struct Shape3 {
  const char* group;
  int64_t m, k, n;
};
constexpr Shape3 kShapes[] = {
    {"square", 64, 64, 64},       {"square", 128, 128, 128},    {"square", 256, 256, 256},
    {"square", 512, 512, 512},    {"square", 1024, 1024, 1024}, {"square", 2048, 2048, 2048},
    {"square", 4096, 4096, 4096}, {"train", 2048, 384, 384},    {"train", 2048, 384, 1024},
    {"train", 2048, 1024, 384},   {"train", 2048, 384, 4096},   {"train", 512, 2048, 2048},
    {"train", 512, 2048, 5632},   {"train", 512, 5632, 2048},   {"train", 512, 2048, 32000},
    {"lora", 2048, 384, 8},       {"lora", 2048, 8, 384},       {"lora", 8, 2048, 384},
    {"decode", 1, 384, 384},      {"decode", 1, 384, 1024},     {"decode", 1, 1024, 384},
    {"decode", 1, 384, 4096},     {"decode", 1, 2048, 2048},    {"decode", 1, 2048, 5632},
    {"decode", 1, 5632, 2048},    {"decode", 1, 2048, 32000},   {"decode", 2, 2048, 5632},
    {"decode", 4, 2048, 5632},    {"decode", 8, 2048, 5632},    {"decode", 16, 2048, 5632},
    {"decode", 32, 2048, 5632},
};

double best(const std::vector<double>& times) { return *std::min_element(times.begin(), times.end()); }

struct Operands {
  int64_t m, k, n, copies;
  DType dtype;
  std::vector<char> a, b, c;
  Operands(const Shape3& s, DType t) : m(s.m), k(s.k), n(s.n), copies(1), dtype(t) {
    const int64_t weight = n * k * size_bytes(t);
    if (std::string(s.group) == "decode") copies = std::max<int64_t>(1, (160 << 20) / weight);
    a.resize(m * k * size_bytes(t));
    b.resize(weight * copies);
    c.resize(m * n * size_bytes(t));
    fill(a.data(), t, m * k);
    fill(b.data(), t, n * k);
    for (int64_t i = 1; i < copies; ++i) std::memcpy(b.data() + i * weight, b.data(), weight);
  }
  void ours(int64_t turn) {
    GemmCall call;
    call.m = m;
    call.n = n;
    call.terms[0] = {{a.data(), dtype, k, 1}, {b.data() + turn % copies * n * k * size_bytes(dtype), dtype, 1, k}, k};
    call.c = c.data();
    call.c_dtype = dtype;
    call.ldc = n;
    gemm(call);
  }
};

// oneDNN's matmul with weights in the layout it likes best, packed beforehand.
class Peer {
 public:
  explicit Peer(Operands& x) : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    using dnnl::memory;
    const auto type = x.dtype == DType::f32 ? memory::data_type::f32 : memory::data_type::bf16;
    const memory::desc a({x.m, x.k}, type, memory::format_tag::ab), c({x.m, x.n}, type, memory::format_tag::ab);
    const memory::desc any({x.k, x.n}, type, memory::format_tag::any), stored({x.k, x.n}, type, memory::format_tag::ba);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::library);
    const dnnl::matmul::primitive_desc plan({a, any, c}, attributes, engine_);
    matmul_ = dnnl::matmul(plan);
    a_ = memory(a, engine_, x.a.data());
    c_ = memory(c, engine_, x.c.data());
    const int64_t weight = x.n * x.k * size_bytes(x.dtype);
    for (int64_t i = 0; i < x.copies; ++i) {
      memory from(stored, engine_, x.b.data() + i * weight);
      packed_.emplace_back(plan.weights_desc(), engine_);
      dnnl::reorder(from, packed_.back()).execute(stream_, from, packed_.back());
    }
    stream_.wait();
  }
  void run(int64_t turn) {
    matmul_.execute(stream_,
                    {{DNNL_ARG_SRC, a_}, {DNNL_ARG_WEIGHTS, packed_[turn % packed_.size()]}, {DNNL_ARG_DST, c_}});
    stream_.wait();
  }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::matmul matmul_;
  dnnl::memory a_, c_;
  std::vector<dnnl::memory> packed_;
};

// Peak of one thread in GFLOP/s: twelve independent multiply-adds per step, none of them touching memory.
#if defined(__x86_64__)
#define HEARTH_STEP(OP, R)                                                                                         \
  OP " %%" R "12, %%" R "13, %%" R "0\n" OP " %%" R "12, %%" R "13, %%" R "1\n" OP " %%" R "12, %%" R "13, %%" R   \
     "2\n" OP " %%" R "12, %%" R "13, %%" R "3\n" OP " %%" R "12, %%" R "13, %%" R "4\n" OP " %%" R "12, %%" R     \
     "13, %%" R "5\n" OP " %%" R "12, %%" R "13, %%" R "6\n" OP " %%" R "12, %%" R "13, %%" R "7\n" OP " %%" R     \
     "12, %%" R "13, %%" R "8\n" OP " %%" R "12, %%" R "13, %%" R "9\n" OP " %%" R "12, %%" R "13, %%" R "10\n" OP \
     " %%" R "12, %%" R "13, %%" R "11\n"
#define HEARTH_LOOP(OP, R)                                                                                      \
  asm volatile("vzeroall\n1:\n" HEARTH_STEP(OP, R) "dec %0\njnz 1b\nvzeroupper\n"                               \
               : "+r"(steps)                                                                                    \
               :                                                                                                \
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
                 "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")
// 16 tile products on four sums, and the tiles are released.
__attribute__((target("amx-tile,amx-bf16"))) void tile_products(int64_t steps) {
  const TilesInUse tiles_in_use;
  for (int64_t i = 0; i < 4 * steps; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}

double peak_gflops(Isa isa, DType dtype) {
  const bool tiles = dtype == DType::bf16 && isa == Isa::amx;
  const bool pairs = dtype == DType::bf16 && isa >= Isa::avx512_bf16;
  const double flops = tiles ? 16.0 * 2 * 16 * 16 * 32 : 12.0 * 2 * (isa >= Isa::avx512 ? 16 : 8) * (pairs ? 2 : 1);
  double rate = 0;
  if (isa == Isa::scalar) return 0;
  for (int turn = 0; turn < 7; ++turn) {
    const int64_t done = tiles ? 20000 : 500000;
    int64_t steps = done;
    const double start = now_s();
    if (tiles)
      tile_products(steps);
    else if (pairs)
      HEARTH_LOOP("vdpbf16ps", "zmm");
    else if (isa >= Isa::avx512)
      HEARTH_LOOP("vfmadd231ps", "zmm");
    else
      HEARTH_LOOP("vfmadd231ps", "ymm");
    rate = std::max(rate, double(done) * flops / (now_s() - start) / 1e9);
  }
  return rate;
}
#else
double peak_gflops(Isa, DType) { return 0; }
#endif

// Bytes per second that all threads together read from memory.
double read_rate() {
  const int64_t words = 32 << 20;
  std::vector<uint64_t> data(words, 1);
  std::vector<uint64_t> sums(1024);
  double rate = 0;
  for (int turn = 0; turn < 5; ++turn) {
    const double start = now_s();
    parallel_for(256, [&](int64_t part, int thread) {
      const uint64_t* p = data.data() + part * (words / 256);
      uint64_t a = 0, b = 0, c = 0, d = 0;
      for (int64_t i = 0; i < words / 256; i += 8) {
        a += p[i] + p[i + 4];
        b += p[i + 1] + p[i + 5];
        c += p[i + 2] + p[i + 6];
        d += p[i + 3] + p[i + 7];
      }
      sums[thread] += a + b + c + d;
    });
    rate = std::max(rate, static_cast<double>(words * 8) / (now_s() - start));
  }
  return rate;
}

void bench_shape(const Shape3& shape, DType dtype, int turns, double peak, double bandwidth) {
  Operands operands(shape, dtype);
  std::unique_ptr<Peer> peer;
  try {
    peer = std::make_unique<Peer>(operands);
  } catch (const dnnl::error&) {  // oneDNN has no bf16 below AVX-512
  }
  std::vector<double> ours, theirs;
  for (int turn = 0; turn < turns; ++turn) {
    if (peer) wait_for_peer_threads();
    ours.push_back(time_calls([&](int64_t i) { operands.ours(i); }));
    if (peer) theirs.push_back(time_calls([&](int64_t i) { peer->run(i); }));
  }
  const double flops = 2.0 * shape.m * shape.n * shape.k, time = best(ours);
  const double weights = static_cast<double>(shape.n * shape.k * size_bytes(dtype));
  std::printf("%-7s %-4s %5ld x %5ld x %5ld %9.1f", shape.group, name(dtype), shape.m, shape.k, shape.n,
              flops / time / 1e9);
  if (peer)
    std::printf(" %9.1f %6.2f", flops / best(theirs) / 1e9, best(theirs) / time);
  else
    std::printf(" %9s %6s", "-", "-");
  std::printf(" %5.0f%%", 100 * flops / time / 1e9 / peak);
  if (operands.copies > 1) std::printf("   %6.1f GB/s %3.0f%%", weights / time / 1e9, 100 * weights / time / bandwidth);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const PeerOptions options = start_beside_onednn(argc, argv, 7);
  const double bandwidth = read_rate();
  std::printf("isa %s, %d threads, memory reads %.1f GB/s\n", isa_name(isa()), num_threads(), bandwidth / 1e9);
  std::printf("%-7s %-4s %5s x %5s x %5s %9s %9s %6s %6s\n", "group", "type", "M", "K", "N", "GFLOP/s", "oneDNN",
              "ratio", "peak");
  for (DType dtype : {DType::f32, DType::bf16}) {
    const double peak = peak_gflops(isa(), dtype) * num_threads();
    std::printf("peak %s %.0f GFLOP/s\n", name(dtype), peak);
    for (const Shape3& shape : kShapes) {
      const std::string text = cat(shape.group, " ", name(dtype), " ", shape.m, "x", shape.k, "x", shape.n);
      if (options.has(text)) bench_shape(shape, dtype, options.turns, peak, bandwidth);
    }
  }
}
