// SPDX-License-Identifier: Apache-2.0
#include "train/lora.h"

namespace hearth {

std::vector<Trainable> LoraAdapter::tensors() {
  std::vector<Trainable> all;
  for (auto& [name, m] : modules_) {
    all.push_back({name + ".a", {m.rank, m.in}, &m.a});
    all.push_back({name + ".b", {m.out, m.rank}, &m.b, m.b_frozen});
    if (!m.magnitude.empty()) all.push_back({name + ".magnitude", {m.out}, &m.magnitude});
    if (!m.b_bias.empty()) all.push_back({name + ".b_bias", {m.out}, &m.b_bias});
  }
  for (auto& [name, weight] : weights_) all.push_back({name, weight.dims, &weight.values});
  return all;
}

std::vector<Trainable> LoraAdapter::trainables() {
  std::vector<Trainable> all = tensors();
  std::erase_if(all, [](const Trainable& t) { return t.frozen; });
  return all;
}

int64_t LoraAdapter::parameters() const {
  int64_t count = 0;
  for (const Trainable& t : const_cast<LoraAdapter*>(this)->trainables()) count += int64_t(t.values->size());
  return count;
}

}  // namespace hearth
