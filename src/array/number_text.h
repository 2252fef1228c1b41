// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers as NumPy writes them: the shortest digits that give the number back in its own type, cut at a precision.

#include <string>

#include "base/dtype.h"

namespace hearth {

// A written finite number: sign and digits before the point, digits after it, exponent with its sign ("" if
// positional).
struct NumberText {
  std::string whole, fraction, exponent;
};

// precision: digits after the point at most; negative: as many as there are. at_least (scientific): so many even where
// fewer give the number back, those of its exact value. `plus`: positive numbers get a sign.
struct NumberFormat {
  int precision = 8, at_least = 0;
  bool plus = false;
};
NumberText positional_text(double x, DType dtype, NumberFormat format);
NumberText scientific_text(double x, DType dtype, NumberFormat format);

// One number by itself, in full: as str() of a NumPy scalar. `zero`: whole numbers end in ".0".
struct ScalarFormat {
  bool zero = true, plus = false;
};
std::string scalar_text(double x, DType dtype, ScalarFormat format = {});

}  // namespace hearth
