// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op.h"

namespace hearth {

void batch_broadcast(BatchArgs& b);
void batch_reshape(BatchArgs& b);
void batch_transpose(BatchArgs& b);
void batch_slice(BatchArgs& b);
void batch_reverse(BatchArgs& b);
void batch_concatenate(BatchArgs& b);
void batch_pad(BatchArgs& b);

}  // namespace hearth
