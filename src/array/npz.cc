// SPDX-License-Identifier: Apache-2.0
// .npz: a zip archive of .npy files.
#include "array/npy.h"
#include "array/npy_header.h"
#include "base/error.h"
#include "base/file.h"
#include "base/zip.h"

namespace hearth {

NamedArrays parse_npz(std::string_view bytes, const std::string& where) {
  const ZipReader zip(bytes, "npz: " + where);
  NamedArrays arrays;
  for (const ZipMember& m : zip.members()) {
    if (!m.name.ends_with(".npy")) continue;
    const std::string name = m.name.substr(0, m.name.size() - 4);
    HEARTH_CHECK(!arrays.count(name), format, "npz: ", where, ": byte ", m.local, ": there are two arrays '", name,
                 "'");
    std::string unpacked;
    arrays[name] = parse_npy(zip.read(m, &unpacked), cat(where, ": ", m.name));
  }
  return arrays;
}

void save_npz(const std::string& path, const NamedArrays& arrays) {
  Arrays all;
  for (const auto& [name, x] : arrays) {
    HEARTH_CHECK(!name.empty() && name.size() < 60000, value, "save_npz: an array's name has ", name.size(), " bytes");
    npy_header(x.type());  // what cannot be written fails before anything is
    all.push_back(x);
  }
  eval(all);
  AtomicFile file(path);
  ZipWriter zip(&file);
  for (const auto& [name, x] : arrays) {
    const std::string header = npy_header(x.type());
    const std::string_view elements(static_cast<const char*>(x.data()), size_t(x.type().bytes()));
    zip.add(name + ".npy", {std::as_bytes(std::span(header)), std::as_bytes(std::span(elements))});
  }
  zip.finish();
  file.commit();
}

}  // namespace hearth
