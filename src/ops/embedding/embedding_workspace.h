// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace hearth {

// embedding_grad sorts the ids by row: where each row's run begins, and the places of the ids, run by run.
inline int64_t embedding_grad_workspace(int64_t rows, int64_t ids) {
  return (rows + 1 + ids) * int64_t(sizeof(int64_t));
}

}  // namespace hearth
