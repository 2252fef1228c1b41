// SPDX-License-Identifier: Apache-2.0
#pragma once
// An adapter's matrices as arrays, and back.

#include "array/arrays.h"
#include "train/lora.h"

namespace hearth {

inline Array a_array(const LoraMatrices& m) { return array_from_bytes({DType::f32, {m.rank, m.in}}, m.a.data()); }
inline Array b_array(const LoraMatrices& m) { return array_from_bytes({DType::f32, {m.out, m.rank}}, m.b.data()); }

inline AlignedFloats floats_of(const Array& x) {
  const float* data = x.eval().data_as<float>();
  return {data, data + x.size()};
}

}  // namespace hearth
