// SPDX-License-Identifier: Apache-2.0
// .npz files. Written with 64-bit sizes throughout, so that large archives are no case of their own.

#include "array/npy.h"
#include "array/npy_header.h"
#include "array/npz_archive.h"
#include "base/error.h"
#include "base/file.h"

namespace hearth {
namespace {

using namespace zip_format;

template <class T>
void put(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out += char(uint64_t(value) >> (8 * i) & 255);
}

struct Written {
  std::string name;
  uint32_t crc;
  uint64_t size, local;
};

// What local headers and directory entries share, after their signatures and the version that wrote them.
void put_common(std::string& out, const Written& m, uint16_t extra) {
  for (const uint16_t value : {45, 0x0800, int(kStored), 0, 0x21}) put<uint16_t>(out, value);  // utf-8; 1980-01-01
  put(out, m.crc);
  put(out, kIn64Bits);
  put(out, kIn64Bits);
  put(out, uint16_t(m.name.size()));
  put(out, extra);
}

std::string local_header(const Written& m) {
  std::string out;
  put(out, kLocal);
  put_common(out, m, 20);
  out += m.name;
  put(out, uint16_t(1));
  put(out, uint16_t(16));
  put(out, m.size);
  put(out, m.size);
  return out;
}

std::string directory_entry(const Written& m) {
  std::string out;
  put(out, kCentral);
  put(out, uint16_t(45));
  put_common(out, m, 28);
  out.append(10, '\0');  // no comment, disk 0, no attributes
  put(out, kIn64Bits);
  out += m.name;
  put(out, uint16_t(1));
  put(out, uint16_t(24));
  put(out, m.size);
  put(out, m.size);
  put(out, m.local);
  return out;
}

std::string end_records(uint64_t entries, uint64_t at, uint64_t size) {
  std::string out;
  put(out, kEnd64);
  put(out, uint64_t(44));
  put(out, uint16_t(45));
  put(out, uint16_t(45));
  out.append(8, '\0');  // disks
  put(out, entries);
  put(out, entries);
  put(out, size);
  put(out, at);
  put(out, kLocator);
  put(out, uint32_t(0));
  put(out, at + size);
  put(out, uint32_t(1));
  put(out, kEnd);
  put(out, uint32_t(0));
  put(out, uint16_t(0xffff));
  put(out, uint16_t(0xffff));
  put(out, kIn64Bits);
  put(out, kIn64Bits);
  put(out, uint16_t(0));
  return out;
}

}  // namespace

NamedArrays parse_npz(std::string_view bytes, const std::string& where) {
  NamedArrays arrays;
  for_each_npz_member(bytes, where, [&](const std::string& name, std::string_view npy, uint64_t at) {
    HEARTH_CHECK(!arrays.count(name), format, "npz: ", where, ": byte ", at, ": there are two arrays '", name, "'");
    arrays[name] = parse_npy(npy, cat(where, ": ", name, ".npy"));
  });
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
  std::string directory;
  for (const auto& [name, x] : arrays) {
    const std::string header = npy_header(x.type());
    const std::string_view elements(static_cast<const char*>(x.data()), size_t(x.type().bytes()));
    const uint32_t crc = checksum(elements, checksum(header));
    const Written member{name + ".npy", crc, header.size() + elements.size(), uint64_t(file.written())};
    file.write(local_header(member));
    file.write(header);
    file.write(elements);
    directory += directory_entry(member);
  }
  const uint64_t at = uint64_t(file.written());
  file.write(directory);
  file.write(end_records(arrays.size(), at, directory.size()));
  file.commit();
}

}  // namespace hearth
