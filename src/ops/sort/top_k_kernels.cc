// SPDX-License-Identifier: Apache-2.0
// Kernel "top_k": one task a row.
#include "base/isa.h"
#include "base/threads.h"
#include "ops/along_axis/axis_view.h"
#include "ops/sort/sort_kernels.h"
#include "ops/sort/top_k_rows.h"

namespace hearth {

void top_k_rows(const KernelArgs& args) {
  const TensorArg& x = args.in[0];
  const int64_t n = x.dim(-1), k = args.attrs.integer("k"), bytes = size_bytes(x.dtype());
  if (k == 0 || x.type->elements() == 0) return;
  const auto run = isa() >= Isa::avx512 ? top_k_row_avx512 : isa() >= Isa::avx2 ? top_k_row_avx2 : top_k_row_scalar;
  parallel_for(x.type->elements() / n, [&](int64_t row, int) {
    run({x.dtype(), n, k, x.as<const char>() + row * n * bytes, args.out[0].as<char>() + row * k * bytes,
         args.out[1].as<int32_t>() + row * k});
  });
}

void check_top_k(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 1 && out.size() == 2 && in[0].rank() > 0 && !is_complex(in[0].dtype), format,
               "needs 1 real input with an axis, 2 outputs");
  const int64_t k = attrs.integer("k"), n = in[0].dims.back();
  HEARTH_CHECK(k >= 0 && k <= n && n <= INT32_MAX, format, "k is ", k, " of ", n);
  const TensorType values = with_size(in[0], in[0].rank() - 1, k);
  HEARTH_CHECK(out[0] == values && out[1] == (TensorType{DType::i32, values.dims}), format, "outputs ", out[0], " and ",
               out[1], " do not fit ", in[0]);
}

}  // namespace hearth
