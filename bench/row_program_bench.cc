// SPDX-License-Identifier: Apache-2.0
// Row programs over 4M elements, beside a plain copy of the same memory in the same run, and over tensors that fit the
// caches. Best of N.
//   row_program_bench [threads] [isa]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/threads.h"
#include "ops/row_program/row_program.h"
#include "ops/row_program/row_program_examples.h"

namespace hearth {
namespace {

constexpr int64_t kSide = 2048, kElements = kSide * kSide;

double best_ms(const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < 25; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

void report(const char* name, double ms, double bytes) {
  std::printf("%-34s %9.4f ms %8.1f GB/s\n", name, ms, bytes / ms / 1e6);
}

struct Bench {
  Isa isa;
  std::vector<float*> tensors = {};

  // Inputs are tensors 0.., outputs the ones after them, or the inputs themselves.
  void time(const char* name, const RowProgram& program, int inputs, int moved_tensors, bool in_place = false) {
    const DType dtype = program.operands[0].dtype;
    const TensorType type{dtype, {program.rows * program.width}};
    std::vector<TensorArg> in, out;
    for (int i = 0; i < inputs; ++i) in.push_back({tensors[size_t(i)], &type});
    for (int i = 0; i < 4; ++i) out.push_back({tensors[size_t(in_place ? i : (inputs + i) % 5)], &type});
    const Attrs none;
    report(name, best_ms([&] {
             run_row_program_with(isa, {in, out, none, &program});
           }),
           double(program.rows * program.width * size_bytes(dtype)) * moved_tensors);
  }
};

void run_all(Isa isa) {
  using namespace row_test;
  Bench bench{isa};
  for (int t = 0; t < 5; ++t) {
    float* values = static_cast<float*>(std::aligned_alloc(64, kElements * 4));  // lives as long as the program
    for (int64_t i = 0; i < kElements; ++i) values[i] = float((i * 7919 + t) % 1001) * 0.01f - (t == 3 ? 0.0f : 5.0f);
    bench.tensors.push_back(values);
  }
  const double bytes = double(kElements) * 4;
  const auto copy = [&] {
    parallel_ranges(kElements, 4096, [&](int64_t begin, int64_t end, int) {
      std::memcpy(bench.tensors[4] + begin, bench.tensors[3] + begin, size_t(end - begin) * 4);
    });
  };
  std::printf("%s, %d threads, %lld elements\n", isa_name(isa), num_threads(), static_cast<long long>(kElements));
  report("memcpy (read 1, write 1)", best_ms(copy), 2 * bytes);
  bench.time("adamw in place (read 4, write 3)", adamw(kSide, kSide), 4, 7, true);
  bench.time("five operations (read 2, write 1)", five_operations(kSide, kSide), 2, 3);
  bench.time("silu(x) * y (read 2, write 1)", silu_times(kSide, kSide), 2, 3);
  bench.time("gelu (read 1, write 1)", gelu(kSide, kSide), 1, 2);
  bench.time("softmax 2048x2048", softmax(kSide, kSide), 1, 2);
  bench.time("softmax 65536x64", softmax(kElements / 64, 64), 1, 2);
  bench.time("rms norm 2048x2048", rms_norm(kSide, kSide), 2, 2);
  bench.time("five operations of 256 elements", five_operations(1, 256), 2, 3);
  bench.time("five operations of 8192 elements", five_operations(1, 8192), 2, 3);
  bench.time("silu(x) * y of 2048x1024", silu_times(2048, 1024), 2, 3);
  bench.time("rms norm 2048x384", rms_norm(2048, 384), 2, 2);
  bench.time("sum of each row, 2048x2048", sums(kSide, kSide), 1, 1);
  bench.time("sum of each column, 2048x2048", sums(kSide, kSide, kSide), 1, 1);
  bench.time("sum of each column, 524288x8", sums(8, kElements / 8, 8), 1, 1);
  bench.time("sum of all, 4194304", sums(1, kElements), 1, 1);
  for (int t = 0; t < 5; ++t) {
    double* values = reinterpret_cast<double*>(bench.tensors[size_t(t)]);
    for (int64_t i = 0; i < kElements / 2; ++i) values[i] = double((i * 7919 + t) % 1001) * 0.01 - 5.0;
  }
  bench.time("five operations of 1024x2048, f64", five_operations_f64(kSide / 2, kSide), 2, 3);
  bench.time("sum of each column of them, f64", sums(kSide, kSide / 2, kSide, DType::f64), 1, 1);
  for (int t = 0; t < 5; ++t) {
    bf16* values = reinterpret_cast<bf16*>(bench.tensors[size_t(t)]);
    for (int64_t i = 0; i < kElements; ++i) values[i] = bf16(float((i * 7919 + t) % 1001) * 0.01f - 5.0f);
  }
  bench.time("silu(x) * y of 2048x1024, bf16", silu_times(2048, 1024, DType::bf16), 2, 3);
  bench.time("rms norm 2048x384, bf16", rms_norm(2048, 384, DType::bf16), 2, 2);
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) {
  using namespace hearth;
  if (argc > 1) set_num_threads(std::atoi(argv[1]));
  for (Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (isa <= best_isa() && (argc < 3 || std::string(argv[2]) == isa_name(isa))) run_all(isa);
  }
}
