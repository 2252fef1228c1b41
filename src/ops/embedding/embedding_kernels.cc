// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/embedding/embedding_workspace.h"

namespace hearth {

// One row is copied per id; threads own runs of ids. Bound by memory.
static void embedding(const KernelArgs& args) {
  const int64_t rows = args.in[0].dim(0), row_bytes = args.in[0].dim(1) * size_bytes(args.in[0].dtype());
  const auto* ids = args.in[1].as<const int32_t>();
  const auto* table = args.in[0].as<const char>();
  auto* out = args.out[0].as<char>();
  parallel_ranges(args.in[1].type->elements(), 64, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      if (ids[i] >= 0 && ids[i] < rows)
        std::memcpy(out + i * row_bytes, table + ids[i] * row_bytes, size_t(row_bytes));
      else
        std::memset(out + i * row_bytes, 0, size_t(row_bytes));
    }
  });
}

static void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  HEARTH_CHECK(in.size() == 2 && out.size() == 1 && in[0].rank() == 2 && in[1].dtype == DType::i32, format,
               "embedding: wrong tensors");
  Dims dims = in[1].dims;
  dims.push_back(in[0].dims[1]);
  HEARTH_CHECK((out[0] == TensorType{in[0].dtype, dims}), format, "embedding: result ", out[0], " does not fit table ",
               in[0], " and ids ", in[1]);
}

// A counting sort: after it, begins[v] .. begins[v + 1] is the run of row v in `places`, which rise within a run.
static void sort_by_row(const int32_t* ids, int64_t count, int64_t rows, int64_t* begins, int64_t* places) {
  std::fill(begins, begins + rows + 1, 0);
  for (int64_t i = 0; i < count; ++i) {
    if (ids[i] >= 0 && ids[i] < rows) ++begins[ids[i]];
  }
  int64_t end = 0;
  for (int64_t v = 0; v <= rows; ++v) begins[v] = end += begins[v];  // ends, which the next loop moves to begins
  for (int64_t i = count; i-- > 0;) {
    if (ids[i] >= 0 && ids[i] < rows) places[--begins[ids[i]]] = i;
  }
}

// One row of the table: its ids' rows of dy in rising order, summed in f32 a tile of columns at a time.
template <class T>
static void sum_rows(const T* dy, const int64_t* places, int64_t count, int64_t width, T* out) {
  constexpr int64_t kTile = 256;
  float sums[kTile];
  for (int64_t first = 0; first < width; first += kTile) {
    const int64_t columns = std::min(kTile, width - first);
    std::fill(sums, sums + columns, 0.0f);
    for (int64_t i = 0; i < count; ++i) {
      const T* row = dy + places[i] * width + first;
      for (int64_t c = 0; c < columns; ++c) sums[c] += float(row[c]);
    }
    for (int64_t c = 0; c < columns; ++c) out[first + c] = T(sums[c]);
  }
}

// Threads own rows of the table, so the sums' order, and with it every bit, is the same for any number of threads.
// Bound by memory: reads dy once, writes the table once.
template <class T>
static void sum_all_rows(const KernelArgs& args) {
  const int64_t count = args.in[1].type->elements(), rows = args.out[0].dim(0), width = args.out[0].dim(1);
  HEARTH_CHECK(args.workspace_bytes >= embedding_grad_workspace(rows, count), format,
               "embedding_grad: the plan gives it a workspace of ", args.workspace_bytes, " bytes, which is too small");
  auto* begins = static_cast<int64_t*>(args.workspace);
  int64_t* places = begins + rows + 1;
  sort_by_row(args.in[1].as<const int32_t>(), count, rows, begins, places);
  parallel_ranges(rows, 64, [&](int64_t begin, int64_t end, int) {
    for (int64_t v = begin; v < end; ++v)
      sum_rows(args.in[0].as<const T>(), places + begins[v], begins[v + 1] - begins[v], width,
               args.out[0].as<T>() + v * width);
  });
}

static void embedding_grad(const KernelArgs& args) {
  switch (args.out[0].dtype()) {
    case DType::f32: return sum_all_rows<float>(args);
    case DType::bf16: return sum_all_rows<bf16>(args);
    default: return sum_all_rows<f16>(args);
  }
}

static void check_grad(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  HEARTH_CHECK(in.size() == 2 && out.size() == 1 && out[0].rank() == 2 && in[1].dtype == DType::i32, format,
               "embedding_grad: wrong tensors");
  Dims dims = in[1].dims;
  dims.push_back(out[0].dims[1]);
  HEARTH_CHECK((in[0] == TensorType{out[0].dtype, dims}) && is_float(in[0].dtype) && in[0].dtype != DType::f64, format,
               "embedding_grad: result ", out[0], " does not fit ", in[0], " and ids ", in[1]);
}

std::vector<KernelInfo> embedding_kernels() {
  return {{"embedding", embedding, check}, {"embedding_grad", embedding_grad, check_grad}};
}

}  // namespace hearth
