// SPDX-License-Identifier: Apache-2.0
#include "train/adapter_set.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/nearest.h"

namespace hearth {

static constexpr const char* kBase = "__base__";

void AdapterSet::add(const std::string& name, LoraAdapter adapter) {
  const std::vector<std::string> taken = names();
  HEARTH_CHECK(!name.empty() && name != kBase, value, "adapters: '", name, "' cannot be an adapter's name");
  HEARTH_CHECK(std::find(taken.begin(), taken.end(), name) == taken.end(), value, "adapters: there is a '",
               printable(name), "' already");
  HEARTH_CHECK(adapter.weights().empty(), unsupported, "adapters: '", printable(name),
               "' has weights in place of the model's (", list_names({adapter.weights().begin()->first}),
               "), which not every text can have\n  hint: merge it into the model");
  HEARTH_CHECK(
      adapter.config().parameters.empty(), unsupported, "adapters: '", printable(name),
      "' tunes experts, which not every text can have of its own, as in PEFT\n  hint: merge it into the model");
  adapters_.emplace_back(name, std::make_unique<LoraAdapter>(std::move(adapter)));
}

std::vector<std::string> AdapterSet::names() const {
  std::vector<std::string> all;
  for (const auto& [name, adapter] : adapters_) all.push_back(name);
  return all;
}

size_t AdapterSet::place_of(const std::string& name) const {
  for (size_t i = 0; i < adapters_.size(); ++i) {
    if (adapters_[i].first == name) return i;
  }
  HEARTH_FAIL(value, "adapters: there is no '", printable(name), "'; there are ", list_names(names()));
}

std::vector<float> AdapterSet::shares(const std::vector<ActiveAdapters>& rows) const {
  std::vector<float> shares(size() * rows.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    for (const auto& [name, weight] : rows[row]) {
      if (name == kBase) continue;
      HEARTH_CHECK(std::isfinite(weight), value, "adapters: the weight of '", printable(name),
                   "' is no number: ", weight);
      shares[place_of(name) * rows.size() + row] += float(weight);
    }
  }
  return shares;
}

}  // namespace hearth
