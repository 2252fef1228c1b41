// SPDX-License-Identifier: Apache-2.0
#pragma once
// Unstable vectorised quicksort of plain integers, from Highway; its result is the only one there is, so it has the
// same bits as any other sort of them. Source: Blacher et al. 2022, arXiv:2205.05982.

#include <cstdint>

namespace hearth {

bool has_vector_sort();  // whether the kernels may use AVX2 at least
void vector_sort(uint16_t* items, int64_t n);
void vector_sort(uint32_t* items, int64_t n);
void vector_sort(uint64_t* items, int64_t n);

}  // namespace hearth
