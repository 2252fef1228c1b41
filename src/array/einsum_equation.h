// SPDX-License-Identifier: Apache-2.0
#pragma once
// An einsum text against the shapes of its operands, and the order in which they are contracted.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/shape.h"

namespace hearth {

// An axis of the sum: a letter, or kEllipsis - k for the k-th axis from the right of `...`.
using Label = int;
using Labels = std::vector<Label>;
constexpr Label kEllipsisLabel = -1;

struct EinsumEquation {
  std::vector<Labels> operands;  // one label per axis
  Labels output;
  std::map<Label, int64_t> sizes;
};
EinsumEquation read_equation(const std::string& text, const std::vector<Dims>& shapes);

using ContractionPath = std::vector<std::pair<int64_t, int64_t>>;
// Operands without repeated labels.
ContractionPath contraction_path(const EinsumEquation& equation);

bool has_label(const Labels& labels, Label label);

}  // namespace hearth
