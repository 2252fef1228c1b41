// SPDX-License-Identifier: Apache-2.0
#pragma once
// NumPy's files: .npy holds one array, .npz several by name.
// Read: format 1.0 to 3.0, either byte order, C and Fortran order, bool and every number type of NumPy but long double;
// members of a .npz stored or deflated. Written: format 1.0, little-endian, C order, members stored; whole or not at
// all. Error{file}: missing or unreadable; Error{format}: damaged, naming file and byte; Error{unsupported}: types that
// Hearth has not. bf16 has no name in NumPy: it is neither written nor, as the raw bytes '<V2' that ml_dtypes writes,
// read.

#include <map>
#include <string>
#include <string_view>

#include "array/array.h"

namespace hearth {

using NamedArrays = std::map<std::string, Array>;

Array load_npy(const std::string& path);
void save_npy(const std::string& path, const Array& x);
NamedArrays load_npz(const std::string& path);  // names without ".npy"; members that are no arrays are left out
void save_npz(const std::string& path, const NamedArrays& arrays);

// The same from and to memory. `where` names the source in errors.
Array parse_npy(std::string_view bytes, const std::string& where);
std::string npy_bytes(const Array& x);
NamedArrays parse_npz(std::string_view bytes, const std::string& where);

}  // namespace hearth
