// SPDX-License-Identifier: Apache-2.0
#pragma once
// pad: NumPy's with all its modes, and the graph's with interior and negative amounts.

#include <optional>
#include <utility>

#include "array/array.h"
#include "ops/shape/shape.h"

namespace hearth {

enum class PadMode { constant, edge, linear_ramp, maximum, mean, minimum, reflect, symmetric, wrap, empty };

// Per axis: before, after. One pair serves all axes.
using PadWidths = std::vector<std::pair<int64_t, int64_t>>;

struct PadOptions {
  PadMode mode = PadMode::constant;
  // constant: the new elements; linear_ramp: the outermost ones. Per axis, before and after; one pair serves all.
  std::vector<std::pair<Array, Array>> values = {};
  // maximum, mean, minimum: of so many elements at either end. None: of all.
  std::optional<PadWidths> stat_length = {};
  bool odd = false;  // reflect, symmetric: 2 edge - mirrored, so that slopes continue
};
// Error{value}: negative widths, or a mode that reads elements on an axis that has none. The other axes are padded as
// they are after those before them, as in NumPy, so corners too follow the mode.
Array pad(const Array& x, const PadWidths& widths, const PadOptions& options = {});

// low and high per axis (negative ones cut), and elements between neighbours: ops/shape/shape.h.
Array pad(const Array& x, const Array& fill, const Padding& padding);

}  // namespace hearth
