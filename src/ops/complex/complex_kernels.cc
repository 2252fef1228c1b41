// SPDX-License-Identifier: Apache-2.0
// Kernels "complex", "real" and "imag": between pairs and separate parts. Bound by memory.
#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"

namespace hearth {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements; fewer are not worth another thread

template <class T>
void join(const KernelArgs& args) {
  const T *re = args.in[0].as<const T>(), *im = args.in[1].as<const T>();
  T* z = args.out[0].as<T>();
  parallel_ranges(args.out[0].type->elements(), kGrain, [=](int64_t first, int64_t last, int) {
    for (int64_t i = first; i < last; ++i) z[2 * i] = re[i], z[2 * i + 1] = im[i];
  });
}
void run_complex(const KernelArgs& args) { args.in[0].dtype() == DType::f32 ? join<float>(args) : join<double>(args); }
void check_complex(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  HEARTH_CHECK(in.size() == 2 && out.size() == 1 && is_complex(out[0].dtype) && in[0] == in[1] &&
                   in[0].dtype == real_part(out[0].dtype) && in[0].dims == out[0].dims,
               format, "complex: tensors do not fit");
}

template <class T, int which>
void take(const KernelArgs& args) {
  const T* z = args.in[0].as<const T>();
  T* part = args.out[0].as<T>();
  parallel_ranges(args.out[0].type->elements(), kGrain, [=](int64_t first, int64_t last, int) {
    for (int64_t i = first; i < last; ++i) part[i] = z[2 * i + which];
  });
}
template <int which>
void run_part(const KernelArgs& args) {
  args.out[0].dtype() == DType::f32 ? take<float, which>(args) : take<double, which>(args);
}
void check_part(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  HEARTH_CHECK(in.size() == 1 && out.size() == 1 && is_complex(in[0].dtype) && out[0].dtype == real_part(in[0].dtype) &&
                   in[0].dims == out[0].dims,
               format, "part of a complex number: tensors do not fit");
}

}  // namespace

std::vector<KernelInfo> complex_kernels() {
  return {
      {"complex", run_complex, check_complex}, {"real", run_part<0>, check_part}, {"imag", run_part<1>, check_part}};
}

}  // namespace hearth
