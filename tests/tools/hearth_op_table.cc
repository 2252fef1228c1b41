// SPDX-License-Identifier: Apache-2.0
// hearth_op_table: prints docs/operations.md from the registry of operations. tests/docs_test.py compares; to bring the
// file up to date: build/hearth_op_table > docs/operations.md
#include <algorithm>
#include <iostream>

#include "device/kernel.h"
#include "ir/op.h"

using namespace hearth;

static std::string code(const std::string& text) { return "`" + text + "`"; }

// How the operation enters a row program, or that it is a composite of others.
static std::string form(const OpInfo& op) {
  if (op.is_composite()) return "composite";
  switch (op.row_kind) {
    case RowKind::none: return "kernel";
    case RowKind::elementwise: return "row program";
    case RowKind::reduce: return "row program: reduction";
    case RowKind::view: return "view: no work";
    case RowKind::constant: return "constant: no memory";
  }
  return "";
}

static std::string on_cpu(const OpInfo& op) {
  for (const Offer& offer : op.offers) {
    if (offer.device == "cpu") return code(offer.kernel) + (offer.refuse ? " (not every dtype)" : "");
  }
  if (op.is_composite()) return "decomposed";
  return op.row_kind == RowKind::none ? "-" : "row program";
}

static std::string on_reference(const OpInfo& op) {
  if (op.is_composite()) return "decomposed";
  return find_kernel("reference." + op.name) ? "yes" : "-";
}

static std::string derivative(const OpInfo& op) {
  if (op.vjp) return op.is_composite() ? "own rule" : "yes";
  if (op.is_composite() && op.differentiable) return "by the decomposition";
  return "-";
}

int main() {
  std::vector<const OpInfo*> ops;
  for (const OpInfo& op : all_ops()) ops.push_back(&op);
  std::sort(ops.begin(), ops.end(), [](const OpInfo* a, const OpInfo* b) { return a->name < b->name; });
  std::cout
      << "# Operations\n\n"
      << "Generated from the registry by `build/hearth_op_table > docs/operations.md`; do not edit. "
      << "A composite is a name with a decomposition into the other operations, which runs wherever no kernel takes "
      << "the composite whole. Names and meanings of the primitives are those of StableHLO.\n\n"
      << ops.size() << " operations.\n\n"
      << "| operation | what it does | form | cpu | reference | derivative |\n"
      << "| --- | --- | --- | --- | --- | --- |\n";
  for (const OpInfo* op : ops) {
    std::string doc = op->doc;
    for (size_t at = 0; (at = doc.find('|', at)) != std::string::npos; at += 2) doc.replace(at, 1, "\\|");
    std::cout << "| " << code(op->name) << " | " << doc << " | " << form(*op) << " | " << on_cpu(*op) << " | "
              << on_reference(*op) << " | " << derivative(*op) << " |\n";
  }
}
