// SPDX-License-Identifier: Apache-2.0
#pragma once
// compile: verify -> simplify -> partition -> join epilogues -> fuse -> schedule -> place memory. Graph in, Plan out.

#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"

namespace hearth {

struct CompileOptions {
  std::vector<std::string> devices = {"cpu", "reference"};  // by preference; inputs and outputs live in host memory
  std::set<std::string> only_reference =
      {};  // operations that other devices must not take: for finding the one at fault
};

// What ran where and why, one row per operation, device and reason.
struct PartitionRow {
  std::string op, device, kernel,
      reason;  // kernel "row program" when fused; reason: why devices before this one refused
  int64_t count = 0;
};

// The stages as text, for `hearth inspect`.
struct CompileReport {
  std::vector<PartitionRow> partition;
  std::string graph, simplified, partitioned, programs, plan;
  bool texts = false;  // set before the call to have the texts filled
};

Plan compile(const Graph& graph, const CompileOptions& options = {}, CompileReport* report = nullptr);

std::string to_text(const std::vector<PartitionRow>& rows);

}  // namespace hearth
