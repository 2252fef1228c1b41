// SPDX-License-Identifier: Apache-2.0
#pragma once
// Derivatives and batching of control flow: graph in, graph out, by the rules of what the bodies hold.

#include "ir/op.h"

namespace hearth {

// --- lists of values
inline std::vector<TensorType> types_of(const Values& values) {
  std::vector<TensorType> types;
  for (const Value& value : values) types.push_back(value.type());
  return types;
}
template <class List>
List part(const List& list, size_t first, size_t count) {
  return List(list.begin() + long(first), list.begin() + long(first + count));
}
template <class List>
void append(List& to, const List& more) {
  to.insert(to.end(), more.begin(), more.end());
}

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
