// SPDX-License-Identifier: Apache-2.0
#pragma once
// Vectors that begin on a cache line, as arena buffers do: kernels may sum in an order that depends on a buffer's place
// within its line, so equal inputs give equal bits only when they lie alike.

#include <cstddef>
#include <new>
#include <vector>

namespace hearth {

inline constexpr size_t kLineBytes = 64;

template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  explicit AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{kLineBytes})); }
  void deallocate(T* p, size_t) { ::operator delete (p, std::align_val_t{kLineBytes}); }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

using AlignedFloats = std::vector<float, AlignedAllocator<float>>;

}  // namespace hearth
