// SPDX-License-Identifier: Apache-2.0
// docs/ops.md: the table of operations, from the registry and from dry runs of the test rows in every dtype. To bring
// the page up to date: HEARTH_UPDATE_DOCS=1 build/hearth_tests --gtest_filter=OpTable.*
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/error.h"
#include "compiler/backend.h"
#include "device/kernel.h"
#include "ir/op.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

std::string code(const std::string& text) { return "`" + text + "`"; }

// How the operation enters a row program, or that it is a composite of others.
std::string form(const OpInfo& op) {
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

std::string on_cpu(const OpInfo& op) {
  for (const Offer& offer : op.offers) {
    if (offer.device == "cpu") return code(offer.kernel);
  }
  if (op.is_composite()) return "decomposed";
  return op.row_kind == RowKind::none ? "-" : "row program";
}

std::string on_reference(const OpInfo& op) {
  if (op.is_composite()) return "decomposed";
  return find_kernel("reference." + op.name) ? "yes" : "-";
}

std::string derivative(const OpInfo& op) {
  if (op.vjp) return op.is_composite() ? "own rule" : "yes";
  if (op.is_composite() && op.differentiable) return "by the decomposition";
  return "-";
}

std::string batching(const OpInfo& op) {
  if (op.batch) return "own rule";
  if (op.row_kind == RowKind::elementwise) return "element-wise";
  return op.is_composite() ? "by the decomposition" : "one by one";
}

using DTypes = std::set<DType>;
constexpr DType kAll[] = {DType::boolean, DType::i8,  DType::i16, DType::i32,       DType::i64,
                          DType::u8,      DType::u16, DType::u32, DType::u64,       DType::f16,
                          DType::bf16,    DType::f32, DType::f64, DType::complex64, DType::complex128};

// "bool, integers, f32": whole families by their name.
std::string show(DTypes types) {
  std::string text;
  const auto add = [&](const std::string& word) { text += (text.empty() ? "" : ", ") + word; };
  const auto family = [&](const char* name, std::initializer_list<DType> members) {
    for (const DType member : members)
      if (!types.count(member)) return;
    for (const DType member : members) types.erase(member);
    add(name);
  };
  if (types.size() == std::size(kAll)) return "all";
  family("integers", {DType::i8, DType::i16, DType::i32, DType::i64, DType::u8, DType::u16, DType::u32, DType::u64});
  family("floats", {DType::f16, DType::bf16, DType::f32, DType::f64});
  family("complex", {DType::complex64, DType::complex128});
  for (const DType left : kAll)
    if (types.count(left)) add(cat(left));
  return text.empty() ? "-" : text;
}

struct Taken {
  DTypes rule, cpu;  // by the shape rule; by the cpu as it is
};

// The row's operation in that dtype: one of its nodes is asked of the cpu.
void try_case(const OpTest& test, const OpCase& one, DType dtype, const Backend& cpu, Taken& taken) {
  try {
    Graph graph;
    Values in;
    for (const TestInput& input : one.in)
      in.push_back(graph.input(cat("x", in.size()), {input.dtype.value_or(dtype), input.dims}));
    test.build(graph, in);
    for (int32_t id = 0; id < graph.size(); ++id) {
      const Node& node = graph.node(id);
      if (node.op->name != test.op) continue;
      bool here = node.types[0].dtype == dtype;
      for (const Value& value : node.inputs) here = here || value.dtype() == dtype;
      if (!here) continue;
      taken.rule.insert(dtype);
      if (cpu.refuse(graph, node).empty()) taken.cpu.insert(dtype);
    }
  } catch (const std::exception&) {  // not in this dtype
  }
}

std::map<std::string, Taken> dry_runs() {
  std::map<std::string, Taken> taken;
  const std::unique_ptr<Backend> cpu = make_backend("cpu");
  for (const OpTests rows : all_op_tests())
    for (const OpTest& test : rows())
      for (size_t i = 0; i < std::min<size_t>(test.cases.size(), 4); ++i)
        for (const DType dtype : kAll) try_case(test, test.cases[i], dtype, *cpu, taken[test.op]);
  return taken;
}

std::string op_table() {
  std::vector<const OpInfo*> ops;
  for (const OpInfo& op : all_ops())
    if (op.name.rfind("test.", 0) != 0) ops.push_back(&op);
  std::sort(ops.begin(), ops.end(), [](const OpInfo* a, const OpInfo* b) { return a->name < b->name; });
  std::map<std::string, Taken> taken = dry_runs();
  std::ostringstream out;
  out << "# Operations\n\n"
      << "Generated from the registry and from dry runs of the test rows by\n"
      << "`HEARTH_UPDATE_DOCS=1 build/hearth_tests --gtest_filter=OpTable.*`; do not edit. "
      << "A composite is a name with a decomposition into the other operations, which runs wherever no kernel takes "
      << "the composite whole. Names and meanings of the primitives are those of StableHLO.\n\n"
      << "dtypes: those of an operand or result that the rule takes. cpu: what runs it and, where that is not all, for "
      << "which of them; others run as other operations or on the reference kernels. derivative, batching: a rule of "
         "its "
      << "own or where it comes from; one by one: an example after the other.\n\n"
      << ops.size() << " operations.\n\n"
      << "| operation | what it does | form | dtypes | cpu | reference | derivative | batching |\n"
      << "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const OpInfo* op : ops) {
    std::string doc = op->doc;
    for (size_t at = 0; (at = doc.find('|', at)) != std::string::npos; at += 2) doc.replace(at, 1, "\\|");
    const Taken& t = taken[op->name];
    const bool partly = !t.cpu.empty() && t.cpu != t.rule;
    out << "| " << code(op->name) << " | " << doc << " | " << form(*op) << " | " << show(t.rule) << " | " << on_cpu(*op)
        << (partly ? ": " + show(t.cpu) : "") << " | " << on_reference(*op) << " | " << derivative(*op) << " | "
        << batching(*op) << " |\n";
  }
  return out.str();
}

TEST(OpTable, docs_are_up_to_date) {
  const char* path = "docs/ops.md";
  const std::string wanted = op_table();
  if (std::getenv("HEARTH_UPDATE_DOCS")) std::ofstream(path) << wanted;
  std::ostringstream found;
  found << std::ifstream(path).rdbuf();
  EXPECT_EQ(found.str(), wanted) << path << " is old: HEARTH_UPDATE_DOCS=1 build/hearth_tests --gtest_filter=OpTable.*";
}

}  // namespace
}  // namespace hearth
