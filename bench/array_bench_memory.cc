// SPDX-License-Identifier: Apache-2.0
// Rows of array_bench that are bound by memory, of several dtypes and sizes: scans, single numbers at indices, FFT.
#include "bench/array_bench.h"
#include "ops/cumulative/cumulative.h"
#include "ops/elementwise/elementwise.h"
#include "ops/fft/fft.h"
#include "ops/gather/gather.h"
#include "ops/scatter/scatter.h"

namespace hearth::bench {
namespace {

constexpr int64_t n = 2048, kMany = 4 << 20;

// cumsum-bf16-last
Call cumsum_row(const Parts& parts) {
  const int64_t axis = parts.at(2) == "last" ? 1 : 0;
  return jitted([axis](Graph&, const Values& in) { return Values{cumsum(in[0], axis)}; },
                {uniform({n, n}, dtype_in(parts))});
}

// 1 M numbers of 4 M.
Call take_row(const Parts& parts) {
  return jitted([](Graph&, const Values& in) { return Values{take(in[0], in[1], 0)}; },
                {uniform({kMany}, dtype_in(parts)), integers({kMany / 4}, kMany)});
}
Call scatter_row(const Parts& parts) {
  return jitted(
      [](Graph&, const Values& in) {
        const ScatterDims dims{.inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}, .index_vector_dim = 1};
        return Values{scatter_add(in[0], in[1], in[2], dims)};
      },
      {uniform({kMany}, dtype_in(parts)), integers({kMany / 4}, kMany), uniform({kMany / 4}, dtype_in(parts))});
}

// transforms-complex64-b256-n4096; of real numbers rfft.
Call transforms_row(const Parts& parts) {
  const DType dtype = dtype_in(parts);
  return jitted([=](Graph&, const Values& in) { return Values{is_complex(dtype) ? fft(in[0]) : rfft(in[0])}; },
                {uniform({size_of(parts, 'b'), size_of(parts, 'n')}, dtype)});
}

}  // namespace

Rows memory_rows() {
  return {{"cumsum", cumsum_row}, {"take", take_row}, {"scatter_add", scatter_row}, {"transforms", transforms_row}};
}

}  // namespace hearth::bench
