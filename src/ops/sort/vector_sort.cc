// SPDX-License-Identifier: Apache-2.0
#include "ops/sort/vector_sort.h"

#include <hwy/contrib/sort/vqsort.h>

#include "base/isa.h"

namespace hearth {

bool has_vector_sort() {
  static const bool has = isa() >= Isa::avx2;
  return has;
}

template <class T>
static void sort_items(T* items, int64_t n) {
  static thread_local const hwy::Sorter sorter;  // has a buffer
  sorter(items, size_t(n), hwy::SortAscending());
}

void vector_sort(uint16_t* items, int64_t n) { sort_items(items, n); }
void vector_sort(uint32_t* items, int64_t n) { sort_items(items, n); }
void vector_sort(uint64_t* items, int64_t n) { sort_items(items, n); }

}  // namespace hearth
