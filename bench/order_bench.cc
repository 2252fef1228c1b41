// SPDX-License-Identifier: Apache-2.0
// Kernels that sort, search and scan, beside a plain copy of the same memory in the same run. Best of N.
//   order_bench [word of a row's name]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/threads.h"
#include "device/kernel.h"
#include "ops/sort/sort_workspace.h"

namespace hearth {
namespace {

double best_ms(const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < 9; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

struct Tensor {
  TensorType type;
  std::vector<uint64_t> memory;
  explicit Tensor(TensorType t) : type(std::move(t)), memory(size_t(type.bytes() / 8 + 8)) {}
  TensorArg arg() { return {memory.data(), &type}; }
};

// About normal, both signs; integers get the bits.
Tensor random_tensor(const TensorType& type) {
  Tensor x(type);
  uint64_t state = 1;
  const auto next = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 33;
  };
  for (int64_t i = 0; i < type.elements(); ++i) {
    const double u = double(next()) / double(1u << 31) + double(next()) / double(1u << 31) - 1;
    switch (type.dtype) {
      case DType::f32: x.arg().as<float>()[i] = float(u); break;
      case DType::f64: x.arg().as<double>()[i] = u; break;
      case DType::bf16: x.arg().as<bf16>()[i] = bf16(float(u)); break;
      case DType::f16: x.arg().as<f16>()[i] = f16(float(u)); break;
      default: {
        const uint64_t bits = next() << 33 ^ next();
        std::memcpy(x.arg().as<char>() + i * size_bytes(type.dtype), &bits, size_t(size_bytes(type.dtype)));
      }
    }
  }
  return x;
}

struct Row {
  std::string name, kernel;
  std::vector<TensorType> in, out;
  Attrs attrs;
  int64_t workspace = 0;
};

void run(const Row& row) {
  std::vector<Tensor> in, out;
  for (const TensorType& type : row.in) in.push_back(random_tensor(type));
  for (const TensorType& type : row.out) out.emplace_back(type);
  std::vector<TensorArg> ins, outs;
  for (Tensor& x : in) ins.push_back(x.arg());
  for (Tensor& y : out) outs.push_back(y.arg());
  std::vector<char> workspace(size_t(row.workspace + 64));
  void* aligned = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(workspace.data()) + 63) / 64 * 64);
  const KernelInfo* kernel = find_kernel(row.kernel);
  if (!kernel) {
    std::printf("%-28s no kernel %s\n", row.name.c_str(), row.kernel.c_str());
    return;
  }
  if (kernel->check) kernel->check(row.in, row.out, row.attrs);
  const double ms = best_ms([&] { kernel->run({ins, outs, row.attrs, nullptr, aligned, row.workspace}); });
  Tensor from = random_tensor(row.in[0]), to(row.in[0]);
  const double copy = best_ms([&] {
    parallel_ranges(row.in[0].bytes(), 4096, [&](int64_t begin, int64_t end, int) {
      std::memcpy(to.arg().as<char>() + begin, from.arg().as<char>() + begin, size_t(end - begin));
    });
  });
  std::printf("%-28s %9.3f ms   %8.2f copies\n", row.name.c_str(), ms, ms / copy);
}

Row sort_row(const std::string& name, const TensorType& x, int64_t axis, bool indices, bool descending = false) {
  Row row{name,
          indices ? "sort_keys_indices" : "sort_keys",
          {x},
          {x},
          {{"dimension", axis}, {"num_keys", int64_t(1)}, {"descending", int64_t(descending)}},
          sort_workspace({x}, axis)};
  if (indices) row.out.push_back({DType::i32, x.dims});
  return row;
}

Row scan_row(const std::string& name, const TensorType& x, const std::string& kind, int64_t axis) {
  return {name, "cumulative", {x}, {x}, {{"dimension", axis}, {"kind", kind}, {"reverse", int64_t(0)}}};
}

Row arg_row(const std::string& name, const TensorType& x, int64_t axis) {
  Dims dims = x.dims;
  dims.erase(dims.begin() + axis);
  return {name, "arg_reduce", {x}, {{DType::i32, dims}}, {{"dimension", axis}, {"kind", std::string("max")}}};
}

std::vector<Row> rows() {
  const TensorType f32{DType::f32, {2048, 2048}}, f64{DType::f64, {2048, 2048}}, bf16{DType::bf16, {2048, 2048}},
      f16{DType::f16, {2048, 2048}}, i8{DType::i8, {2048, 2048}}, flat{DType::f32, {2048 * 2048}},
      short_rows{DType::f32, {262144, 16}}, i32{DType::i32, {2048, 2048}}, half_flat{DType::bf16, {2048 * 2048}};
  const TensorType top{DType::f32, {2048, 8}}, top_indices{DType::i32, {2048, 8}};
  std::vector<Row> all = {
      sort_row("sort f32 last", f32, 1, false),
      sort_row("sort f32 last descending", f32, 1, false, true),
      sort_row("sort f32 first", f32, 0, false),
      sort_row("sort f32 flat", flat, 0, false),
      sort_row("sort f32 rows of 16", short_rows, 1, false),
      sort_row("sort i32 last", i32, 1, false),
      sort_row("sort bf16 last", bf16, 1, false),
      sort_row("sort f64 last", f64, 1, false),
      sort_row("sort i8 last", i8, 1, false),
      sort_row("argsort f32 last", f32, 1, true),
      sort_row("argsort f32 first", f32, 0, true),
      sort_row("argsort f32 flat", flat, 0, true),
      sort_row("argsort f32 rows of 16", short_rows, 1, true),
      sort_row("argsort bf16 last", bf16, 1, true),
      sort_row("argsort f64 last", f64, 1, true),
      {"top_k 8 f32", "top_k", {f32}, {top, top_indices}, {{"k", int64_t(8)}}},
  };
  for (const auto& [name, type] : std::vector<std::pair<std::string, TensorType>>{
           {"f32", f32}, {"f64", f64}, {"bf16", bf16}, {"f16", f16}, {"i32", i32}, {"i8", i8}}) {
    for (const int64_t axis : {1, 0}) {
      const std::string where = name + (axis ? " last" : " first");
      all.push_back(arg_row("argmax " + where, type, axis));
      for (const std::string kind : {"sum", "max"})
        all.push_back(scan_row("cum" + kind + " " + where, type, kind, axis));
    }
  }
  all.push_back(arg_row("argmax f32 flat", flat, 0));
  all.push_back(scan_row("cumsum f32 flat", flat, "sum", 0));
  all.push_back(scan_row("cumsum bf16 flat", half_flat, "sum", 0));
  all.push_back(scan_row("cumprod f32 last", f32, "product", 1));
  return all;
}

}  // namespace
}  // namespace hearth

int main(int count, char** words) {
  for (const hearth::Row& row : hearth::rows()) {
    if (count < 2 || row.name.find(words[1]) != std::string::npos) hearth::run(row);
  }
}
