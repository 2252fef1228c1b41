// SPDX-License-Identifier: Apache-2.0
#include "compiler/backend.h"

#include "base/error.h"

namespace hearth {
namespace {

// A device with kernels for the operations that offer one, and row programs for what is element-wise.
class KernelBackend : public Backend {
 public:
  explicit KernelBackend(std::string device) : device_(std::move(device)) {}
  const std::string& device() const override { return device_; }

  std::string refuse(const Graph& graph, const Node& node) const override {
    const std::string row_reason = refuse_row(node);
    if (row_reason.empty()) return "";
    const Offer* offer = find_offer(node);
    if (!offer) return row_reason;
    return offer->refuse ? offer->refuse(graph, node) : "";
  }
  std::string kernel(const Node& node) const override {
    return refuse_row(node).empty() ? "" : find_offer(node)->kernel;
  }
  int64_t workspace_bytes(const Node& node) const override {
    const Offer* offer = find_offer(node);
    return offer && offer->workspace_bytes ? offer->workspace_bytes(node) : 0;
  }

 private:
  // Why the node cannot be part of a row program.
  std::string refuse_row(const Node& node) const {
    if (node.op->row_kind == RowKind::none) return cat(node.op->name, ": no ", device_, " kernel");
    if (node.op->row_op && node.op->row_op(node).op == RowOp::none) {
      return cat("no row instruction for ", node.op->name, " of ", node.inputs[0].dtype());
    }
    const DType t = node.types[0].dtype;
    if (node.op->row_kind == RowKind::constant && (is_complex(t) || (node.op->name == "iota" && t == DType::boolean))) {
      return cat("no row instruction for ", node.op->name, " of ", t);
    }
    return "";
  }
  const Offer* find_offer(const Node& node) const {
    for (const Offer& offer : node.op->offers) {
      if (offer.device == device_) return &offer;
    }
    return nullptr;
  }

  std::string device_;
};

// Plain loops for every primitive; takes no composite, so that every decomposition is exercised.
class ReferenceBackend : public Backend {
 public:
  const std::string& device() const override { return device_; }
  std::string refuse(const Graph&, const Node& node) const override {
    return node.op->is_composite() ? "the reference device takes primitives only" : "";
  }
  std::string kernel(const Node& node) const override { return "reference." + node.op->name; }

 private:
  std::string device_ = "reference";
};

class RestrictedBackend : public Backend {
 public:
  RestrictedBackend(std::unique_ptr<Backend> all, std::set<std::string> ops)
      : all_(std::move(all)), ops_(std::move(ops)) {}
  const std::string& device() const override { return all_->device(); }
  std::string refuse(const Graph& graph, const Node& node) const override {
    return ops_.count(node.op->name) ? "kept for the reference device" : all_->refuse(graph, node);
  }
  std::string kernel(const Node& node) const override { return all_->kernel(node); }
  int64_t workspace_bytes(const Node& node) const override { return all_->workspace_bytes(node); }

 private:
  std::unique_ptr<Backend> all_;
  std::set<std::string> ops_;
};

}  // namespace

std::unique_ptr<Backend> without(std::unique_ptr<Backend> backend, const std::set<std::string>& ops) {
  return std::make_unique<RestrictedBackend>(std::move(backend), ops);
}

std::unique_ptr<Backend> make_backend(const std::string& device) {
  if (device == "cpu") return std::make_unique<KernelBackend>(device);
  if (device == "reference") return std::make_unique<ReferenceBackend>();
  HEARTH_FAIL(value, "compile: no device is named '", device, "'; there are cpu and reference");
}

}  // namespace hearth
