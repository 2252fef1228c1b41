// SPDX-License-Identifier: Apache-2.0
// Kernels that run another kernel, which the program registered under the name that their attributes give.
#include "base/error.h"
#include "device/kernel.h"

namespace hearth {
namespace {

const KernelInfo& target_of(const Attrs& attrs) {
  const std::string name = attrs.has("target") ? attrs.text("target") : "composite." + attrs.text("composite_name");
  const KernelInfo* kernel = find_kernel(name);
  HEARTH_CHECK(kernel, unsupported, "no kernel is registered as '", name, "'");
  return *kernel;
}

// Looked up at each run: what register_kernel adds may move the others.
void run(const KernelArgs& args) { target_of(args.attrs).run(args); }

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  const KernelInfo& target = target_of(attrs);
  HEARTH_CHECK(target.run != run, format, "a call of itself");
  if (target.check) target.check(in, out, attrs);
}

}  // namespace

std::vector<KernelInfo> regions_kernels() {
  return {{"composite", run, check}, {"custom_call", run, check}, {"reference.custom_call", run, check}};
}

}  // namespace hearth
