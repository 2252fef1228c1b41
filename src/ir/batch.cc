// SPDX-License-Identifier: Apache-2.0
#include "ir/batch.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"
#include "ir/rules.h"

namespace hearth {
namespace {

// Element-wise operations take inputs of one shape, and a few of them scalars beside it.
void batch_elementwise(BatchArgs& args) {
  const Dims& dims = args.node.types[0].dims;
  std::vector<Value> in;
  for (size_t i = 0; i < args.in.size(); ++i) {
    const bool scalar_beside = args.node.inputs[i].rank() == 0 && !dims.empty();
    if (!scalar_beside) {
      in.push_back(args.with_batch(i));
    } else if (!args.batched[i]) {
      in.push_back(args.in[i]);
    } else {
      in.push_back(args.graph.add("broadcast_in_dim", {args.in[i]},
                                  {{"shape", with_first(args.size, dims)}, {"dims", Dims{0}}}));
    }
  }
  args.out = args.graph.add_all(args.node.op->name, std::move(in), args.node.attrs);
}

// The scope without what already stands on the stack: nodes of a body carry it.
std::string without_current(const std::string& scope) {
  const std::string current = Scope::current();
  if (current.empty() || scope.compare(0, current.size(), current) != 0) return scope;
  if (scope.size() == current.size()) return "";
  return scope[current.size()] == '.' ? scope.substr(current.size() + 1) : scope;
}

std::vector<bool> live_nodes(const Graph& body) {
  std::vector<bool> live(size_t(body.size()), false);
  for (const GraphOutput& output : body.outputs()) live[size_t(output.value.node)] = true;
  for (int32_t id = body.size() - 1; id >= 0; --id) {
    if (!live[size_t(id)]) continue;
    for (const Value& in : body.node(id).inputs) live[size_t(in.node)] = true;
  }
  return live;
}

class Batch {
 public:
  Batch(Graph& to, const Graph& body, int64_t size) : to_(to), body_(body), size_(size), values_(size_t(body.size())) {}

  void set_input(size_t i, const Batched& value) {
    values_[size_t(body_.inputs()[i].node)] = {{to_.here(value.value), value.batched}};
  }

  void run() {
    const std::vector<bool> live = live_nodes(body_);
    const int32_t region = to_.checkpoint_region;
    for (int32_t id = 0; id < body_.size(); ++id) {
      const Node& node = body_.node(id);
      if (!live[size_t(id)] || node.op->name == "input") continue;
      if (region == 0) to_.checkpoint_region = region_of(node);
      std::vector<Value> in;
      std::vector<bool> batched;
      for (const Value& value : node.inputs) {
        in.push_back((*this)(value).value);
        batched.push_back((*this)(value).batched);
      }
      const bool any = std::find(batched.begin(), batched.end(), true) != batched.end();
      values_[size_t(id)] = any ? do_batch(node, std::move(in), std::move(batched)) : do_once(node, std::move(in));
    }
    to_.checkpoint_region = region;
  }

  const Batched& operator()(const Value& old) const { return values_[size_t(old.node)][size_t(old.output)]; }

 private:
  // Regions of the body become regions of the graph, each a new one.
  int32_t region_of(const Node& node) {
    if (node.checkpoint == 0) return 0;
    int32_t& region = regions_[node.checkpoint];
    if (region == 0) region = ++to_.checkpoint_regions;
    return region;
  }

  std::vector<Batched> do_once(const Node& node, std::vector<Value> in) {
    Node copy = node;
    copy.inputs = std::move(in);
    copy.checkpoint = to_.checkpoint_region;
    std::vector<Batched> results;
    for (const Value& value : to_.add_node(std::move(copy))) results.push_back({value, false});
    return results;
  }

  std::vector<Batched> do_batch(const Node& node, std::vector<Value> in, std::vector<bool> batched) {
    BatchArgs args{to_, node, std::move(in), std::move(batched), size_};
    const int32_t first = to_.size();
    std::optional<Scope> scope;
    const std::string inner = without_current(node.scope);
    if (!inner.empty()) scope.emplace(inner);
    if (node.op->batch) {
      node.op->batch(args);
    } else if (node.op->row_kind == RowKind::elementwise) {
      batch_elementwise(args);
    } else if (node.op->is_composite()) {
      batch_decomposition(args);
    } else {
      batch_one_by_one(args);
    }
    std::vector<Batched> results;
    for (size_t i = 0; i < node.types.size(); ++i) {
      results.push_back({args.out[i], args.out_batched.empty() || args.out_batched[i]});
      check(node, i, results.back());
      if (node.kept && args.out[i].node >= first) to_.keep(args.out[i].node);
    }
    return results;
  }

  void check(const Node& node, size_t i, const Batched& result) const {
    TensorType wanted = node.types[i];
    if (result.batched) wanted.dims = with_first(size_, wanted.dims);
    HEARTH_CHECK(result.value.type() == wanted, bug, node.op->name, ": its batch rule gives ", result.value,
                 " for output ", i, " instead of ", wanted);
  }

  Graph& to_;
  const Graph& body_;
  const int64_t size_;
  std::vector<std::vector<Batched>> values_;  // per node of the body and output
  std::map<int32_t, int32_t> regions_;
};

}  // namespace

std::vector<Batched> batch_into(Graph& to, const Graph& body, const std::vector<Batched>& inputs, int64_t size) {
  HEARTH_CHECK(inputs.size() == body.inputs().size(), bug, "batch: ", inputs.size(), " inputs for a body of ",
               body.inputs().size());
  Batch batch(to, body, size);
  for (size_t i = 0; i < inputs.size(); ++i) batch.set_input(i, inputs[i]);
  batch.run();
  std::vector<Batched> out;
  for (const GraphOutput& output : body.outputs()) out.push_back(batch(output.value));
  return out;
}

std::shared_ptr<const Graph> batched_body(const Graph& body, const std::vector<bool>& batched, int64_t size,
                                          std::vector<bool>& out_batched) {
  auto result = std::make_shared<Graph>();
  std::vector<Batched> inputs;
  for (size_t i = 0; i < body.inputs().size(); ++i) {
    TensorType type = body.node(body.inputs()[i].node).types[0];
    if (batched[i]) type.dims = with_first(size, type.dims);
    inputs.push_back({result->input(body.inputs()[i].name, type), batched[i]});
  }
  const std::vector<Batched> out = batch_into(*result, body, inputs, size);
  for (size_t i = 0; i < out.size(); ++i) {
    const bool repeat = out_batched[i] && !out[i].batched;
    result->output(body.outputs()[i].name, repeat ? repeat_for_batch(out[i].value, size) : out[i].value);
    out_batched[i] = out_batched[i] || out[i].batched;
  }
  return result;
}

}  // namespace hearth
