// SPDX-License-Identifier: Apache-2.0
#pragma once
// Types of the results of the operations of linalg.h, for shape rules and for instructions from a file.

#include <string>
#include <vector>

#include "base/attrs.h"
#include "base/shape.h"

namespace hearth {

// `shown` is how the operands are printed. Throws Error when they do not fit.
std::vector<TensorType> linalg_types(const std::string& op, const std::vector<TensorType>& in, const Attrs& attrs,
                                     const std::vector<std::string>& shown);
// Of a kernel's arguments.
void check_linalg(const std::string& op, const std::vector<TensorType>& in, const std::vector<TensorType>& out,
                  const Attrs& attrs);

}  // namespace hearth
