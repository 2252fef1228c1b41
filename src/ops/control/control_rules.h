// SPDX-License-Identifier: Apache-2.0
#pragma once
// Derivatives and batching of control flow: graph in, graph out, by the rules of what the bodies hold.

#include "ir/op.h"

namespace hearth {

void while_vjp(VjpArgs& v);
void while_jvp(JvpArgs& j);
void while_batch(BatchArgs& b);
void case_vjp(VjpArgs& v);
void case_jvp(JvpArgs& j);
void case_batch(BatchArgs& b);
void scan_vjp(VjpArgs& v);
void scan_jvp(JvpArgs& j);
void scan_batch(BatchArgs& b);

}  // namespace hearth
