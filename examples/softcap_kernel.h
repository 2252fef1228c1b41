// SPDX-License-Identifier: Apache-2.0
#pragma once
// The kernel of examples/custom_operation.cc, apart from it: programs that run its saved plans link this and
// hearth_runtime, nothing else.

void register_softcap_kernel();  // "example.softcap": y = c tanh(x / c) of f32, attribute c
