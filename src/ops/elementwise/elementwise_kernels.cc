// SPDX-License-Identifier: Apache-2.0
// Kernel "bitcast_convert": the same bytes. For dtypes and widths that row programs do not copy on the way.
#include <cstring>

#include "base/error.h"
#include "device/kernel.h"

namespace hearth {
namespace {

void bitcast_convert(const KernelArgs& args) {
  const int64_t bytes = args.out[0].type->bytes();
  if (bytes > 0) std::memcpy(args.out[0].data, args.in[0].data, size_t(bytes));
}
void check_bitcast_convert(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  HEARTH_CHECK(in.size() == 1 && out.size() == 1 && in[0].bytes() == out[0].bytes(), format,
               "bitcast_convert: tensors do not fit");
}

}  // namespace

std::vector<KernelInfo> elementwise_kernels() { return {{"bitcast_convert", bitcast_convert, check_bitcast_convert}}; }

}  // namespace hearth
