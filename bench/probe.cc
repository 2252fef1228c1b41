// SPDX-License-Identifier: Apache-2.0
// What this machine can do, measured: the limits that bench/run.py sets results against. Stands alone; compile with
//   c++ -std=c++20 -O3 -march=native -pthread bench/probe.cc -o build/bench_probe
//   bench_probe [--threads N] [--mib 1024]
// Prints one line of JSON: peak f32 multiply-adds, bf16 dot products where the compiler's target has them (AVX512-BF16,
// AMX), and sustained read bandwidth, all over all threads at once, best of five.

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
constexpr const char* kVector = "avx512";
#else
constexpr int kVectorBytes = 32;
constexpr const char* kVector = "avx2";
#endif
typedef float Floats __attribute__((vector_size(kVectorBytes), aligned(kVectorBytes), may_alias));
constexpr int kLanes = kVectorBytes / 4;
constexpr int kRepeats = 5;

// A value the optimizer must assume is used. One line per thread keeps the cores apart.
struct alignas(64) Sink {
  float value = 0;
};

// Seconds of body(thread) on all threads, which start together: the slowest counts. Best of kRepeats.
double best_seconds(int threads, const std::function<void(int)>& body) {
  double best = 1e30;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    std::atomic<int> ready{0};
    std::vector<double> begin(threads), end(threads);
    const auto now = [] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    };
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        for (++ready; ready < threads;) std::this_thread::yield();
        begin[t] = now();
        body(t);
        end[t] = now();
      });
    }
    for (std::thread& worker : workers) worker.join();
    best = std::min(best, *std::max_element(end.begin(), end.end()) - *std::min_element(begin.begin(), begin.end()));
  }
  return best;
}

// 12 independent chains hide the 4 cycles of an FMA on cores that start 2 a cycle, and fit in 16 registers.
constexpr int kChains = 12;
constexpr int64_t kFmaRounds = 4'000'000;

float fma_chains(float start) {
  Floats sum[kChains], x, y;
  for (int lane = 0; lane < kLanes; ++lane) x[lane] = start, y[lane] = 1e-9f;
  for (Floats& s : sum) s = x;
  for (int64_t round = 0; round < kFmaRounds; ++round) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) sum[c] = sum[c] * x + y;
  }
  float total = 0;
  for (const Floats& s : sum) total += s[0];
  return total;
}

#if defined(__AVX512BF16__)
float bf16_chains(float start) {
  __m512 sum[kChains];
  for (__m512& s : sum) s = _mm512_set1_ps(start);
  __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(start), _mm512_set1_ps(start)), b = a;
  for (int64_t round = 0; round < kFmaRounds; ++round) {
    asm volatile("" : "+v"(a), "+v"(b));  // the products may not be hoisted out of the loop
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) sum[c] = _mm512_dpbf16_ps(sum[c], a, b);
  }
  float total = 0;
  for (const __m512& s : sum) total += s[0];
  return total;
}
#endif

#if defined(__AMX_BF16__)
constexpr int64_t kTileRounds = 2'000'000;

// 4 tiles of 16x16 sums, 16x32 bf16 operands: 16*16*32 multiply-adds an instruction.
bool tile_chains() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // Linux grants tile state on request, per process
  if (syscall(SYS_arch_prctl, kRequestPermission, kTileData) != 0) return false;
  struct alignas(64) Config {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  } config;
  for (int t = 0; t < 8; ++t) config.row_bytes[t] = 64, config.rows[t] = 16;
  _tile_loadconfig(&config);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (int64_t round = 0; round < kTileRounds; ++round) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return true;
}
#endif

double gflops(double flops_per_thread, int threads, double seconds) {
  return flops_per_thread * threads / seconds * 1e-9;
}

double measure_f32(int threads, std::vector<Sink>& sinks) {
  const double seconds = best_seconds(threads, [&](int t) { sinks[t].value += fma_chains(1.0f - 1e-7f); });
  return gflops(2.0 * kChains * kLanes * kFmaRounds, threads, seconds);
}

// 0 where the instruction does not exist.
double measure_bf16_dot([[maybe_unused]] int threads, [[maybe_unused]] std::vector<Sink>& sinks) {
#if defined(__AVX512BF16__)
  const double seconds = best_seconds(threads, [&](int t) { sinks[t].value += bf16_chains(1e-3f); });
  return gflops(4.0 * kChains * 16 * kFmaRounds, threads, seconds);
#else
  return 0;
#endif
}

double measure_bf16_tiles([[maybe_unused]] int threads) {
#if defined(__AMX_BF16__)
  std::atomic<bool> granted{true};
  const double seconds = best_seconds(threads, [&](int) {
    if (!tile_chains()) granted = false;
  });
  return granted ? gflops(4 * 2.0 * 16 * 16 * 32 * kTileRounds, threads, seconds) : 0;
#else
  return 0;
#endif
}

// Each thread sums a part that it wrote first, so the pages lie in its own node's memory. 8 sums in flight.
double measure_read_gb_per_s(int threads, int64_t size_bytes, std::vector<Sink>& sinks) {
  const int64_t part = size_bytes / threads / (8 * kVectorBytes) * (8 * kVectorBytes);
  std::vector<void*> parts(threads);
  for (void*& p : parts) p = std::aligned_alloc(4096, (part + 4095) / 4096 * 4096);
  if (std::find(parts.begin(), parts.end(), nullptr) != parts.end()) return 0;
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t) writers.emplace_back([&, t] { std::memset(parts[t], t + 1, part); });
  for (std::thread& writer : writers) writer.join();
  const double seconds = best_seconds(threads, [&](int t) {
    const Floats* in = static_cast<const Floats*>(parts[t]);
    Floats sum[8] = {};
    for (int64_t i = 0; i < part / kVectorBytes; i += 8) {
#pragma GCC unroll 8
      for (int c = 0; c < 8; ++c) sum[c] += in[i + c];
    }
    for (const Floats& s : sum) sinks[t].value += s[0];
  });
  for (void* p : parts) std::free(p);
  return double(part) * threads / seconds * 1e-9;
}

int64_t flag(int argc, char** argv, const char* name, int64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i)
    if (std::strcmp(argv[i], name) == 0) return std::max<int64_t>(1, std::atoll(argv[i + 1]));
  return otherwise;
}

std::string number_or_null(double value) { return value > 0 ? std::to_string(value) : "null"; }

}  // namespace

int main(int argc, char** argv) {
  const int threads = int(flag(argc, argv, "--threads", std::max(1u, std::thread::hardware_concurrency())));
  const int64_t mib = flag(argc, argv, "--mib", 1024);
  std::vector<Sink> sinks(threads);
  const double f32 = measure_f32(threads, sinks);
  const double dot = measure_bf16_dot(threads, sinks), tiles = measure_bf16_tiles(threads);
  const double read = measure_read_gb_per_s(threads, mib << 20, sinks);
  float total = 0;
  for (const Sink& sink : sinks) total += sink.value;
  std::printf(
      "{\"threads\": %d, \"vector\": \"%s\", \"f32_fma_gflops\": %.1f, \"bf16_dot_gflops\": %s, \"bf16_tile_gflops\": "
      "%s, "
      "\"read_gb_per_s\": %.2f, \"read_mib\": %lld, \"checksum\": %.9g}\n",
      threads, kVector, f32, number_or_null(dot).c_str(), number_or_null(tiles).c_str(), read,
      static_cast<long long>(mib), std::isfinite(total) ? total : 0.0f);
  return 0;
}
