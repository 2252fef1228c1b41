// SPDX-License-Identifier: Apache-2.0
#pragma once
// An adapter's tensors as graph inputs "lora.<module>.a", ".b" and so on, bound to a session afterwards.

#include "models/language_model.h"
#include "models/lora_values.h"
#include "train/lora.h"

namespace hearth {

class Session;

// The adapter's tensors in a graph.
struct LoraInputs {
  LoraValuesOf values;                                // of the linear layers
  std::map<std::string, Value> whole, rows, row_ids;  // by weight
  std::vector<std::pair<std::string, Value>> all;     // those that training changes, in the order of trainables()

  // The weight that the model computes with: the adapter's, the model's, or the model's with some of its rows replaced.
  Value weight(WeightInputs& weights, const std::string& name) const;
};

class AdapterSet;

// Declares the inputs. dropout is the adapter's when `training`, which then needs `rng`, else 0.
LoraInputs declare_lora(Graph& graph, const LoraAdapter& adapter, bool training, const Value& rng = {});
// Those of all adapters of a set, as "lora.<number>.<module>.a", and "lora.shares" f32 [adapters,rows]:
// AdapterSet::shares.
LoraInputs declare_lora(Graph& graph, const AdapterSet& set, int64_t rows);
// Binds them to the adapter's memory, which must stay where it is; the shares are left to the caller.
void bind_lora(Session& session, LoraAdapter& adapter, const std::string& prefix = "lora.");
void bind_lora(Session& session, AdapterSet& set);

}  // namespace hearth
