// SPDX-License-Identifier: Apache-2.0
// Kernel "convolution". Inputs lhs, rhs; attributes as those of the operation.
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/convolution/conv_run.h"

namespace hearth {
namespace {

ConvShape shape_of(const TensorType& lhs, const TensorType& rhs, const Attrs& attrs) {
  return conv_shape(lhs, rhs, attrs, [&] { return cat("\n  lhs is ", lhs, "\n  rhs is ", rhs); });
}

void run(const KernelArgs& args) {
  const TensorArg &lhs = args.in[0], &rhs = args.in[1], &out = args.out[0];
  ConvJob job{.kernels = &conv_kernels(isa(), out.dtype()),
              .shape = shape_of(*lhs.type, *rhs.type, args.attrs),
              .dtype = out.dtype()};
  if (out.type->elements() == 0) return;
  if (lhs.type->elements() == 0 || rhs.type->elements() == 0) {  // an empty sum
    std::memset(out.data, 0, size_t(out.type->bytes()));
    return;
  }
  job.layout = conv_layout(job.shape, *lhs.type, *rhs.type);
  job.lhs = lhs.data;
  job.rhs = rhs.data;
  job.out = out.data;
  job.threads = num_threads();
  if (!convolve(job)) find_kernel("reference.convolution")->run(args);
}

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 2 && out.size() == 1, format, "convolution: ", in.size(), " inputs, needs 2");
  const DType t = in[0].dtype;
  HEARTH_CHECK(is_float(t), format, "convolution: lhs is ", in[0]);
  HEARTH_CHECK(shape_of(in[0], in[1], attrs).result == out[0], format, "convolution: result ", out[0],
               " does not fit lhs ", in[0], " and rhs ", in[1]);
}

}  // namespace

std::vector<KernelInfo> convolution_kernels() { return {{"convolution", run, check}}; }

}  // namespace hearth
