// SPDX-License-Identifier: Apache-2.0
#pragma once
// Several adapters of one model by name: on, off, added up with weights, or others for each row of a batch. All of them
// are in the compiled graph; which of them count is data, so that switching compiles nothing.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "train/lora.h"

namespace hearth {

// Names and weights; none: the model as it is. PEFT's "__base__" may stand for none.
using ActiveAdapters = std::vector<std::pair<std::string, double>>;

class AdapterSet {
 public:
  // Throws Error{value} for a name that is taken or is no name, Error{unsupported} for an adapter with weights in place
  // of the model's, as no row of a batch can have its own.
  void add(const std::string& name, LoraAdapter adapter);
  // Puts another adapter's numbers in place of a named one's, where they are: LoraAdapter::swap.
  void swap(const std::string& name, const LoraAdapter& other) { adapter(place_of(name)).swap(other); }

  size_t size() const { return adapters_.size(); }
  LoraAdapter& adapter(size_t i) { return *adapters_[i].second; }
  const LoraAdapter& adapter(size_t i) const { return *adapters_[i].second; }
  std::vector<std::string> names() const;

  // [adapters,rows]: the weights of each row's adapters, the others 0. Throws Error{value} for an unknown name.
  std::vector<float> shares(const std::vector<ActiveAdapters>& rows) const;

 private:
  size_t place_of(const std::string& name) const;
  std::vector<std::pair<std::string, std::unique_ptr<LoraAdapter>>> adapters_;
};

}  // namespace hearth
