// SPDX-License-Identifier: Apache-2.0
// The registry of operations, from the list in ops.def.
#include <deque>
#include <unordered_map>

#include "base/error.h"
#include "ir/op.h"

namespace hearth {

#define HEARTH_OPS(folder) std::vector<OpInfo> folder##_ops();
#define HEARTH_COMPOSED(folder) HEARTH_OPS(folder)
#include "ops/ops.def"
#undef HEARTH_OPS

namespace {

// A deque: nodes of graphs point to their operation, which may not move when another one is registered.
struct Registry {
  std::deque<OpInfo> ops;
  std::unordered_map<std::string, const OpInfo*> by_name;

  Registry() {
#define HEARTH_OPS(folder) \
  for (OpInfo & op : folder##_ops()) add(std::move(op));
#define HEARTH_COMPOSED(folder) HEARTH_OPS(folder)
#include "ops/ops.def"
#undef HEARTH_OPS
  }
  void add(OpInfo op) {
    HEARTH_CHECK(!by_name.count(op.name), bug, "two operations are named '", op.name, "'");
    ops.push_back(std::move(op));
    by_name.emplace(ops.back().name, &ops.back());
  }
};

Registry& registry() {
  static Registry all;
  return all;
}

}  // namespace

const std::deque<OpInfo>& all_ops() { return registry().ops; }

const OpInfo& find_op(const std::string& name) {
  const auto found = registry().by_name.find(name);
  HEARTH_CHECK(found != registry().by_name.end(), bug, "there is no operation named '", name, "'");
  return *found->second;
}

void register_op(OpInfo op) {
  HEARTH_CHECK(!op.name.empty(), value, "register_op: the operation has no name");
  HEARTH_CHECK(op.infer, value, "register_op: '", op.name, "' has no shape rule");
  HEARTH_CHECK(!registry().by_name.count(op.name), value, "register_op: there already is an operation named '", op.name,
               "'\n  hint: put a name of your own before it: 'mine.", op.name, "'");
  registry().add(std::move(op));
}

}  // namespace hearth
