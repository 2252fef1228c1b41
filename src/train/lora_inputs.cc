// SPDX-License-Identifier: Apache-2.0
#include "train/lora_inputs.h"

#include "runtime/session.h"

namespace hearth {

LoraValuesOf declare_lora(Graph& graph, const LoraAdapter& adapter, bool training, const Value& rng) {
  LoraValuesOf lora{
      .scale = adapter.config().scaling(), .dropout = training ? adapter.config().dropout : 0, .rng = rng};
  for (const auto& [name, m] : adapter.modules()) {
    lora.modules[name] = {graph.input("lora." + name + ".a", {DType::f32, {m.rank, m.in}}),
                          graph.input("lora." + name + ".b", {DType::f32, {m.out, m.rank}})};
  }
  return lora;
}

void bind_lora(Session& session, LoraAdapter& adapter) {
  for (auto& [name, m] : adapter.modules()) {
    for (size_t i = 0; i < session.inputs(); ++i) {
      if (session.input_name(i) == "lora." + name + ".a") session.bind_input(i, m.a.data());
      if (session.input_name(i) == "lora." + name + ".b") session.bind_input(i, m.b.data());
    }
  }
}

}  // namespace hearth
