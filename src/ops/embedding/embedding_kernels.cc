// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"

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

std::vector<KernelInfo> embedding_kernels() { return {{"embedding", embedding, check}}; }

}  // namespace hearth
