// SPDX-License-Identifier: Apache-2.0
#pragma once
// An adapter's matrices as graph inputs "lora.<module>.a" and ".b", bound to a session afterwards.

#include "models/lora_values.h"
#include "train/lora.h"

namespace hearth {

class Session;

// Declares the inputs. dropout is the adapter's when `training`, which then needs `rng`, else 0.
LoraValuesOf declare_lora(Graph& graph, const LoraAdapter& adapter, bool training, const Value& rng = {});
// Binds them to the adapter's memory, which must stay where it is.
void bind_lora(Session& session, LoraAdapter& adapter);

}  // namespace hearth
