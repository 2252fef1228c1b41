// SPDX-License-Identifier: Apache-2.0
// All kernels by name, from ops/ops.def and the reference kernels.

#include <unordered_map>

#include "base/error.h"
#include "device/kernel.h"
#include "device/register_kernel.h"

namespace hearth {

#define HEARTH_OPS(name) std::vector<KernelInfo> name##_kernels();
#include "ops/ops.def"
#undef HEARTH_OPS
std::vector<KernelInfo> reference_kernels();

namespace {
struct Registry {
  std::vector<KernelInfo> kernels;
  std::unordered_map<std::string, size_t> by_name;

  Registry() {
#define HEARTH_OPS(name) add(name##_kernels());
#include "ops/ops.def"
#undef HEARTH_OPS
    add(reference_kernels());
  }

  void add(std::vector<KernelInfo> more) {
    for (KernelInfo& kernel : more) add_one(std::move(kernel));
  }
  void add_one(KernelInfo kernel) {
    HEARTH_CHECK(kernel.run, bug, "kernel '", kernel.name, "' has no function");
    HEARTH_CHECK(by_name.emplace(kernel.name, kernels.size()).second, bug, "two kernels are called '", kernel.name,
                 "'");
    kernels.push_back(std::move(kernel));
  }
};

Registry& registry() {
  static Registry all;
  return all;
}
}  // namespace

const KernelInfo* find_kernel(const std::string& name) {
  const auto found = registry().by_name.find(name);
  return found == registry().by_name.end() ? nullptr : &registry().kernels[found->second];
}

void register_kernel(KernelInfo kernel) { registry().add_one(std::move(kernel)); }

const std::vector<KernelInfo>& all_kernels() { return registry().kernels; }

}  // namespace hearth
