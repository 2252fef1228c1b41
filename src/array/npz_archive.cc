// SPDX-License-Identifier: Apache-2.0
#include "array/npz_archive.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace hearth {
namespace {

using namespace zip_format;

// Little-endian numbers at places that are checked.
class Bytes {
 public:
  Bytes(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  template <class T>
  T get(uint64_t at) const {
    const std::string_view part = range(at, sizeof(T));
    uint64_t value = 0;
    for (size_t i = sizeof(T); i-- > 0;) value = value << 8 | uint8_t(part[i]);
    return T(value);
  }
  std::string_view range(uint64_t at, uint64_t size) const {
    check(at <= bytes_.size() && size <= bytes_.size() - at, at, "the archive ends after ", bytes_.size());
    return bytes_.substr(at, size);
  }
  template <class... Values>
  void check(bool good, uint64_t at, const Values&... what) const {
    HEARTH_CHECK(good, format, "npz: ", where_, ": byte ", at, ": ", what...);
  }
  uint64_t size() const { return bytes_.size(); }
  const std::string& where() const { return where_; }

 private:
  std::string_view bytes_;
  const std::string& where_;
};

struct Directory {
  uint64_t entries, at;
};

// The end record is the last one; a comment of up to 64 KiB may follow.
Directory find_directory(const Bytes& zip) {
  constexpr uint64_t kSize = 22;
  zip.check(zip.size() >= kSize, 0, "too short for a zip archive");
  uint64_t at = zip.size() - kSize;
  const uint64_t first = at - std::min<uint64_t>(at, 65535);
  while (zip.get<uint32_t>(at) != kEnd) {
    zip.check(at > first, at, "no end of a zip archive");
    --at;
  }
  Directory found{zip.get<uint16_t>(at + 10), zip.get<uint32_t>(at + 16)};
  if (at >= 20 && zip.get<uint32_t>(at - 20) == kLocator) {
    const uint64_t end64 = zip.get<uint64_t>(at - 12);
    zip.check(zip.get<uint32_t>(end64) == kEnd64, end64, "no zip64 end record");
    found = {zip.get<uint64_t>(end64 + 32), zip.get<uint64_t>(end64 + 48)};
  }
  return found;
}

struct Member {
  std::string name;
  uint16_t method;
  uint32_t crc;
  uint64_t packed, size, local;
  uint64_t next;  // entry of the directory
};

// Sizes and offset that do not fit in 32 bits lie in the extra field 1, those alone, in this order.
void read_64_bit_sizes(const Bytes& zip, uint64_t at, uint64_t end, Member& m) {
  while (at + 4 <= end) {
    const uint16_t id = zip.get<uint16_t>(at), length = zip.get<uint16_t>(at + 2);
    at += 4;
    if (id == 1) {
      uint64_t field = at;
      for (uint64_t* value : {&m.size, &m.packed, &m.local}) {
        if (*value != kIn64Bits || field + 8 > at + length) continue;
        *value = zip.get<uint64_t>(field);
        field += 8;
      }
    }
    at += length;
  }
}

Member read_entry(const Bytes& zip, uint64_t at) {
  zip.check(zip.get<uint32_t>(at) == kCentral, at, "no entry of the directory");
  zip.check((zip.get<uint16_t>(at + 8) & 1) == 0, at, "the member is encrypted");
  const uint64_t name = zip.get<uint16_t>(at + 28), extra = zip.get<uint16_t>(at + 30);
  Member m{std::string(zip.range(at + 46, name)),
           zip.get<uint16_t>(at + 10),
           zip.get<uint32_t>(at + 16),
           zip.get<uint32_t>(at + 20),
           zip.get<uint32_t>(at + 24),
           zip.get<uint32_t>(at + 42),
           at + 46 + name + extra + zip.get<uint16_t>(at + 32)};
  read_64_bit_sizes(zip, at + 46 + name, at + 46 + name + extra, m);
  return m;
}

std::string inflated(const Bytes& zip, std::string_view packed, const Member& m) {
  // deflate packs at most 1032 bytes into one: a larger claim is not worth its memory.
  zip.check(m.size / 1032 <= packed.size() + 1, m.local, "'", m.name, "' cannot have ", m.size, " bytes");
  std::string out(m.size, '\0');
  z_stream stream{};
  zip.check(inflateInit2(&stream, -MAX_WBITS) == Z_OK, m.local, "zlib does not start");
  constexpr uint64_t kMost = std::numeric_limits<uInt>::max();
  uint64_t read = 0, written = 0;
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + read));
    stream.avail_in = uInt(std::min(kMost, packed.size() - read));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + written);
    stream.avail_out = uInt(std::min(kMost, out.size() - written));
    const uint64_t in_before = stream.avail_in, out_before = stream.avail_out;
    state = inflate(&stream, Z_NO_FLUSH);
    read += in_before - stream.avail_in;
    written += out_before - stream.avail_out;
  }
  inflateEnd(&stream);
  zip.check(state == Z_STREAM_END && written == m.size, m.local, "'", m.name, "' does not unpack to ", m.size,
            " bytes");
  return out;
}

// The member's bytes: part of the archive, or in `unpacked`.
std::string_view read_member(const Bytes& zip, const Member& m, Checksums checksums, std::string& unpacked) {
  zip.check(zip.get<uint32_t>(m.local) == kLocal, m.local, "no member '", m.name, "'");
  const uint64_t data = m.local + 30 + zip.get<uint16_t>(m.local + 26) + zip.get<uint16_t>(m.local + 28);
  const std::string_view packed = zip.range(data, m.packed);
  HEARTH_CHECK(m.method == kStored || m.method == kDeflated, unsupported, "npz: ", zip.where(), ": ", m.name,
               ": is packed by method ", m.method, "; Hearth reads 0 (stored) and 8 (deflate)");
  if (m.method == kDeflated) unpacked = inflated(zip, packed, m);
  const std::string_view bytes = m.method == kDeflated ? std::string_view(unpacked) : packed;
  zip.check(bytes.size() == m.size, m.local, "'", m.name, "' has ", bytes.size(), " bytes, not ", m.size);
  zip.check(checksums == Checksums::ignore || checksum(bytes) == m.crc, m.local, "the checksum of '", m.name,
            "' is wrong");
  return bytes;
}

}  // namespace

uint32_t checksum(std::string_view bytes, uint32_t before) {
  return uint32_t(crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void for_each_npz_member(std::string_view bytes, const std::string& where, const NpzVisitor& visit,
                         Checksums checksums) {
  const Bytes zip(bytes, where);
  const Directory directory = find_directory(zip);
  uint64_t at = directory.at, packed = 0;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    const Member m = read_entry(zip, at);
    at = m.next;
    packed += std::min(m.packed, zip.size() + 1);
    zip.check(packed <= zip.size(), m.local, "members lie over each other");  // as in archives made to fill memory
    if (!m.name.ends_with(".npy")) continue;
    std::string unpacked;
    visit(m.name.substr(0, m.name.size() - 4), read_member(zip, m, checksums, unpacked), m.local);
  }
}

}  // namespace hearth
