// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "base/error.h"
#include "compiler/passes.h"

namespace hearth {
namespace {

// The first backend that takes the node, or -1; `reasons` collects why those before it did not.
int choose(const Graph& graph, const Node& node, const Backends& backends, std::string* reasons) {
  for (size_t i = 0; i < backends.size(); ++i) {
    const std::string reason = backends[i]->refuse(graph, node);
    if (reason.empty()) return int(i);
    *reasons += (reasons->empty() ? "" : "; ") + backends[i]->device() + ": " + reason;
  }
  return -1;
}

void count(std::vector<PartitionRow>* report, const PartitionRow& row) {
  if (!report) return;
  for (PartitionRow& other : *report) {
    if (other.op == row.op && other.device == row.device && other.kernel == row.kernel && other.reason == row.reason) {
      ++other.count;
      return;
    }
  }
  report->push_back(row);
  report->back().count = 1;
}

// One round: composites that nobody takes, and primitives that the preferred device would rather see in terms of
// others, are replaced. Null when there were none.
std::unique_ptr<Graph> decompose_once(const Graph& graph, const Backends& backends, std::vector<PartitionRow>* report) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (int32_t id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op->name == "input") continue;
    std::string reasons;
    const int chosen = node.op->is_composite() || node.op->expand ? choose(graph, node, backends, &reasons) : 0;
    std::vector<Value> parts;
    Scope scope(node.scope.empty() ? node.op->name : node.scope);
    if (node.op->is_composite() && chosen < 0) {
      parts = node.op->decomposed(rewriter.to(), node, rewriter.mapped(node.inputs));
    } else if (node.op->expand && chosen != 0 && backends[0]->device() != "reference") {
      parts = node.op->expand(rewriter.to(), node, rewriter.mapped(node.inputs));
    }
    if (parts.empty()) {
      rewriter.copy(id);
      continue;
    }
    changed = true;
    count(report, {node.op->name, "", "decomposed", reasons});
    rewriter.replace(id, parts);
  }
  rewriter.finish();
  return changed ? simplify(*rewriter.take()) : nullptr;
}

}  // namespace

Partition partition(const Graph& graph, const Backends& backends, std::vector<PartitionRow>* report) {
  Partition result;
  result.graph = simplify(graph);
  while (std::unique_ptr<Graph> next = decompose_once(*result.graph, backends, report)) result.graph = std::move(next);
  if (backends[0]->device() != "reference") result.graph = split_sums(*result.graph);
  result.graph = join_epilogues(*result.graph, backends);
  for (int32_t id = 0; id < result.graph->size(); ++id) {
    const Node& node = result.graph->node(id);
    if (node.op->name == "input") {
      result.device.push_back(-1);
      continue;
    }
    std::string reasons;
    const int device = choose(*result.graph, node, backends, &reasons);
    HEARTH_CHECK(device >= 0, unsupported, "compile: no device takes ", node.op->name, " of ", node.types[0], "\n  ",
                 reasons, node.scope.empty() ? "" : "\n  in " + node.scope);
    result.device.push_back(device);
    const std::string kernel = backends[size_t(device)]->kernel(node);
    count(report,
          {node.op->name, backends[size_t(device)]->device(), kernel.empty() ? "row program" : kernel, reasons});
  }
  return result;
}

std::string to_text(const std::vector<PartitionRow>& rows) {
  std::ostringstream out;
  for (const PartitionRow& row : rows) {
    out << row.count << " x " << row.op << " -> " << (row.device.empty() ? row.kernel : row.device + ": " + row.kernel);
    if (!row.reason.empty()) out << "   because " << row.reason;
    out << '\n';
  }
  return out.str();
}

}  // namespace hearth
