// SPDX-License-Identifier: Apache-2.0
#pragma once
// The header of a .npy file: magic, version, length, and a Python dictionary such as
//   {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
// Source: numpy.lib.format, "Format Version 1.0" to "3.0".

#include <string>
#include <string_view>

#include "base/shape.h"

namespace hearth {

struct NpyHeader {
  TensorType type;
  bool fortran_order = false, big_endian = false;
  size_t data = 0;  // where the elements begin
};
// Error{format}, Error{unsupported} naming `where` and the byte. The elements are known to lie within the bytes.
NpyHeader parse_npy_header(std::string_view bytes, const std::string& where);
std::string npy_header(const TensorType& type);  // little-endian, C order, padded to 64 bytes

}  // namespace hearth
