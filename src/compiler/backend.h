// SPDX-License-Identifier: Apache-2.0
#pragma once
// A backend answers the partitioner's dry run: which nodes it takes whole. A new device adds a subclass in a folder of
// its own and one line in backend.cc.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ir/op.h"

namespace hearth {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const std::string& device() const = 0;
  // Empty when the backend takes the node, else the reason why not.
  virtual std::string refuse(const Graph& graph, const Node& node) const = 0;
  // Kernel that computes a node taken; empty when the node becomes part of a row program (or a view, or a constant).
  virtual std::string kernel(const Node& node) const = 0;
  virtual int64_t workspace_bytes(const Node&) const { return 0; }
};

// "cpu" or "reference". Throws Error{value} for other names, listing these.
std::unique_ptr<Backend> make_backend(const std::string& device);

// The same backend, but it refuses these operations.
std::unique_ptr<Backend> without(std::unique_ptr<Backend> backend, const std::set<std::string>& ops);

}  // namespace hearth
