// SPDX-License-Identifier: Apache-2.0
// Times the CPU attention kernels. Without arguments: a table of shapes with GFLOP/s (the flops that causality leaves).
// With --isas: the instruction sets of this machine beside each other, in turns, on the shapes of training.
// With --serve: reads lines "f32|bf16|f16 B T H G D forward|backward milliseconds" and answers each with the best time
// of a call in ms, repeated for about that long; attention_peer.py drives it in turns with PyTorch.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/threads.h"
#include "ops/attention/flash.h"

using namespace hearth;

struct Shape {
  std::string dtype;
  int64_t B, T, H, G, D;  // S = T, causal; T = 0: one query against 4096 keys
};

static double best_ms(const Shape& shape, bool backward, double budget_ms, Isa with = isa()) {
  const int64_t T = shape.T ? shape.T : 1, S = shape.T ? shape.T : 4096;
  const DType dtype = shape.dtype == "f32" ? DType::f32 : shape.dtype == "f16" ? DType::f16 : DType::bf16;
  const int64_t rows = shape.B * T * shape.H * shape.D, keys = shape.B * S * shape.G * shape.D,
                width = size_bytes(dtype);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const auto make = [&](int64_t n) {
    std::vector<uint8_t> bytes(n * width);
    for (int64_t i = 0; i < n; ++i) {
      const float x = normal(random);
      if (dtype == DType::f32) reinterpret_cast<float*>(bytes.data())[i] = x;
      if (dtype == DType::bf16) reinterpret_cast<bf16*>(bytes.data())[i] = bf16(x);
      if (dtype == DType::f16) reinterpret_cast<f16*>(bytes.data())[i] = f16(x);
    }
    return bytes;
  };
  std::vector<uint8_t> q = make(rows), k = make(keys), v = make(keys), dout = make(rows), out(rows * width),
                       dq(rows * width), dk(keys * width), dv(keys * width);
  std::vector<float> lse(shape.B * T * shape.H);
  AttentionGradCall grad;
  AttentionCall& c = grad.forward;
  c = {.batch = shape.B, .tokens = T, .keys = S, .heads = shape.H, .kv_heads = shape.G, .head_size = shape.D};
  c.q = q.data(), c.k = k.data(), c.v = v.data(), c.out = out.data(), c.lse = lse.data();
  c.dtype = dtype;
  c.scale = 1 / std::sqrt(float(shape.D));
  const int64_t q_strides[3] = {T * shape.H * shape.D, shape.H * shape.D, shape.D};
  const int64_t k_strides[3] = {S * shape.G * shape.D, shape.G * shape.D, shape.D};
  for (int64_t* to : {c.q_stride, c.out_stride, grad.dout_stride}) std::copy(q_strides, q_strides + 3, to);
  for (int64_t* to : {c.k_stride, c.v_stride}) std::copy(k_strides, k_strides + 3, to);
  grad.dout = dout.data(), grad.dq = dq.data(), grad.dk = dk.data(), grad.dv = dv.data();
  attention_forward_with(with, c);

  std::vector<double> times;
  for (double spent = 0; spent < budget_ms || times.size() < 3;) {
    const auto begin = std::chrono::steady_clock::now();
    backward ? attention_backward_with(with, grad) : attention_forward_with(with, c);
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    spent += times.back();
  }
  return *std::min_element(times.begin(), times.end());  // the machine may be shared: what others take is not ours
}

static int serve() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    Shape shape;
    std::string pass;
    double budget_ms = 0;
    if (!(in >> shape.dtype >> shape.B >> shape.T >> shape.H >> shape.G >> shape.D >> pass >> budget_ms)) return 1;
    std::cout << best_ms(shape, pass == "backward", budget_ms) << std::endl;
  }
  return 0;
}

// In turns, so that other load on the machine meets all alike.
static int compare_isas() {
  struct Column {
    Isa isa;
    const char* dtype;
  };
  std::vector<Column> columns;
  for (Isa with : {Isa::avx512, Isa::avx512_bf16, Isa::amx})
    for (const char* dtype : {"f32", "bf16"})
      if (with <= best_isa()) columns.push_back({with, dtype});
  std::printf("%d threads; S = T, causal; best ms\n%-24s", num_threads(), "B T H G D");
  for (const Column& at : columns) std::printf(" %11s %-4s", isa_name(at.isa), at.dtype);
  std::printf("\n");
  for (const Shape& at : {Shape{"", 8, 256, 6, 2, 64}, Shape{"", 1, 512, 32, 4, 64}, Shape{"", 4, 512, 32, 4, 64},
                          Shape{"", 1, 1024, 24, 8, 128}})
    for (bool backward : {false, true}) {
      std::vector<double> best(columns.size(), INFINITY);
      for (int turn = 0; turn < 3; ++turn)
        for (size_t i = 0; i < columns.size(); ++i)
          best[i] = std::min(best[i],
                             best_ms({columns[i].dtype, at.B, at.T, at.H, at.G, at.D}, backward, 10, columns[i].isa));
      std::printf("%-2ld%5ld%3ld%3ld%4ld %-8s", long(at.B), long(at.T), long(at.H), long(at.G), long(at.D),
                  backward ? "backward" : "forward");
      for (double ms : best) std::printf(" %16.3f", ms);
      std::printf("\n");
      std::fflush(stdout);
    }
  return 0;
}

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--isas") return compare_isas();
  if (argc > 1 && std::string(argv[1]) == "--serve") return serve();
  std::printf("%d threads, %s; S = T, causal\n%-5s %3s %5s %3s %3s %4s %22s %22s\n", num_threads(), isa_name(isa()),
              "dtype", "B", "T", "H", "G", "D", "forward ms (GFLOP/s)", "backward ms (GFLOP/s)");
  for (const char* dtype : {"f32", "bf16"})
    for (const Shape& at : {Shape{"", 8, 256, 6, 2, 64},
                            {"", 1, 512, 32, 4, 64},
                            {"", 1, 128, 8, 8, 64},
                            {"", 8, 512, 8, 8, 64},
                            {"", 1, 2048, 8, 8, 64},
                            {"", 1, 1024, 8, 8, 100},
                            {"", 1, 1024, 8, 8, 128},
                            {"", 1, 4096, 4, 4, 128}}) {
      const Shape shape{dtype, at.B, at.T, at.H, at.G, at.D};
      const double forward = best_ms(shape, false, 100), backward = best_ms(shape, true, 100);
      const double flops = 2.0 * shape.B * shape.H * shape.T * (shape.T + 1) * shape.D;
      std::printf("%-5s %3ld %5ld %3ld %3ld %4ld %12.3f (%7.1f) %12.3f (%7.1f)\n", dtype, long(at.B), long(at.T),
                  long(at.H), long(at.G), long(at.D), forward, flops / forward / 1e6, backward,
                  2.5 * flops / backward / 1e6);
    }
}
