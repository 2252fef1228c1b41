// SPDX-License-Identifier: Apache-2.0
#pragma once
// While loops and branches become instructions of the session; their bodies are compiled to plans of their own.

#include "compiler/lower_state.h"

namespace hearth {

void emit_control(Emitter& emitter, const Graph& graph, const Views& views, const Backends& backends, int32_t id);

}  // namespace hearth
