// SPDX-License-Identifier: Apache-2.0
#include "array/npy.h"

#include <algorithm>

#include "array/npy_header.h"
#include "base/error.h"
#include "base/file.h"

namespace hearth {
namespace {

// Numbers in the other byte order; a complex number is two.
void swap_bytes(std::string& bytes, DType dtype) {
  const size_t width = size_t(size_bytes(real_part(dtype)));
  for (size_t i = 0; i + width <= bytes.size(); i += width) std::reverse(&bytes[i], &bytes[i] + width);
}

std::string_view contents(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.data()), size_t(file.size())};
}

}  // namespace

Array parse_npy(std::string_view bytes, const std::string& where) {
  const NpyHeader header = parse_npy_header(bytes, where);
  TensorType stored = header.type;
  if (header.fortran_order) std::reverse(stored.dims.begin(), stored.dims.end());
  const std::string_view elements = bytes.substr(header.data, size_t(stored.bytes()));
  const bool is_bool = stored.dtype == DType::boolean;
  Array x;
  if (!header.big_endian && !is_bool) {
    x = array_from_bytes(stored, elements.data());
  } else {
    std::string changed(elements);
    if (header.big_endian) swap_bytes(changed, stored.dtype);
    if (is_bool) {
      for (char& c : changed) c = c != 0;
    }
    x = array_from_bytes(stored, changed.data());
  }
  return header.fortran_order ? x.transpose() : x;
}

std::string npy_bytes(const Array& x) {
  std::string bytes = npy_header(x.type());
  return bytes.append(static_cast<const char*>(x.data()), size_t(x.type().bytes()));
}

Array load_npy(const std::string& path) { return parse_npy(contents(*MappedFile::open(path)), path); }

void save_npy(const std::string& path, const Array& x) {
  const std::string header = npy_header(x.type());
  const void* elements = x.data();
  AtomicFile file(path);
  file.write(header);
  file.write(std::string_view(static_cast<const char*>(elements), size_t(x.type().bytes())));
  file.commit();
}

NamedArrays load_npz(const std::string& path) { return parse_npz(contents(*MappedFile::open(path)), path); }

}  // namespace hearth
