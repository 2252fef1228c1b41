// SPDX-License-Identifier: Apache-2.0
// Arrays in a minute: bfloat16, an indexed update, padding with holes and with negative amounts, a jitted function.
#include "array/arrays.h"

#include <iostream>

using namespace hearth;

int main() {
  const Array half = array({1.5f, 2.25f, -3.0f}).astype(DType::bf16);
  std::cout << "bf16: " << half * 2 + 1 << " " << (half * 2).dtype() << "\n\n";

  const Array table = array({{10.0f, 20.0f}, {30.0f, 40.0f}});
  std::cout << "first column divided by 10:\n" << table.at(kAll, 0).divide(10) << "\n";
  std::cout << "before, untouched:\n" << table << "\n\n";

  const Array row = array({1, 2, 3});
  std::cout << "two zeros between neighbours: " << pad(row, 0, {.low = {0}, .high = {0}, .interior = {2}}) << "\n";
  std::cout << "one in front, the last removed: " << pad(row, 0, {.low = {1}, .high = {-1}, .interior = {0}}) << "\n\n";

  int traced = 0;
  const auto norm = jit([&](const Array& x) {
    ++traced;
    return sqrt(sum(x * x));
  });
  std::cout << "jit: " << norm(array({3.0f, 4.0f})) << " " << norm(array({6.0f, 8.0f})) << ", traced " << traced
            << " time\n";
  std::cout << "its derivative: " << grad(norm)(array({3.0f, 4.0f})) << "\n";
}
