// SPDX-License-Identifier: Apache-2.0
// The registry of operations, from the list in ops.def.
#include <unordered_map>

#include "base/error.h"
#include "ir/op.h"

namespace hearth {

#define HEARTH_OPS(folder) std::vector<OpInfo> folder##_ops();
#define HEARTH_COMPOSED(folder) HEARTH_OPS(folder)
#include "ops/ops.def"
#undef HEARTH_OPS

static std::vector<OpInfo> collect() {
  std::vector<OpInfo> all;
#define HEARTH_OPS(folder) \
  for (OpInfo & op : folder##_ops()) all.push_back(std::move(op));
#define HEARTH_COMPOSED(folder) HEARTH_OPS(folder)
#include "ops/ops.def"
#undef HEARTH_OPS
  return all;
}

const std::vector<OpInfo>& all_ops() {
  static const std::vector<OpInfo> ops = collect();
  return ops;
}

const OpInfo& find_op(const std::string& name) {
  static const std::unordered_map<std::string, const OpInfo*> by_name = [] {
    std::unordered_map<std::string, const OpInfo*> map;
    for (const OpInfo& op : all_ops()) {
      HEARTH_CHECK(map.emplace(op.name, &op).second, bug, "two operations are named '", op.name, "'");
    }
    return map;
  }();
  const auto found = by_name.find(name);
  HEARTH_CHECK(found != by_name.end(), bug, "there is no operation named '", name, "'");
  return *found->second;
}

}  // namespace hearth
