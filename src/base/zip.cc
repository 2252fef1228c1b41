// SPDX-License-Identifier: Apache-2.0
#include "base/zip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace hearth {

static constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                          kLocator = 0x07064b50, kIn64Bits = 0xffffffff;
static constexpr uint16_t kStored = 0, kDeflated = 8;

// Little-endian numbers at places that are checked.
template <class T>
T ZipReader::get(uint64_t at) const {
  const std::string_view part = range(at, sizeof(T));
  uint64_t value = 0;
  for (size_t i = sizeof(T); i-- > 0;) value = value << 8 | uint8_t(part[i]);
  return T(value);
}

std::string_view ZipReader::range(uint64_t at, uint64_t size) const {
  check(at <= bytes_.size() && size <= bytes_.size() - at, at, "the archive ends after ", bytes_.size());
  return bytes_.substr(at, size);
}

ZipReader::ZipReader(std::string_view bytes, std::string where, bool check_sums)
    : bytes_(bytes), where_(std::move(where)), check_sums_(check_sums) {
  constexpr uint64_t kSize = 22;
  check(bytes_.size() >= kSize, 0, "too short for a zip archive");
  // The end record is the last one; a comment of up to 64 KiB may follow.
  uint64_t end = bytes_.size() - kSize;
  const uint64_t first = end - std::min<uint64_t>(end, 65535);
  while (get<uint32_t>(end) != kEnd) {
    check(end > first, end, "no end of a zip archive");
    --end;
  }
  uint64_t entries = get<uint16_t>(end + 10), at = get<uint32_t>(end + 16);
  if (end >= 20 && get<uint32_t>(end - 20) == kLocator) {
    const uint64_t end64 = get<uint64_t>(end - 12);
    check(get<uint32_t>(end64) == kEnd64, end64, "no zip64 end record");
    entries = get<uint64_t>(end64 + 32);
    at = get<uint64_t>(end64 + 48);
  }
  uint64_t packed = 0;
  for (uint64_t i = 0; i < entries; ++i) {
    const ZipMember& m = members_.emplace_back(read_entry(&at));
    packed += std::min<uint64_t>(m.packed, bytes_.size() + 1);
    check(packed <= bytes_.size(), m.local, "members lie over each other");
  }
}

// Sizes and offset that do not fit in 32 bits lie in the extra field 1, those alone, in this order.
void ZipReader::read_64_bit_sizes(uint64_t at, uint64_t end, ZipMember* m) const {
  while (at + 4 <= end) {
    const uint16_t id = get<uint16_t>(at), length = get<uint16_t>(at + 2);
    at += 4;
    if (id == 1) {
      uint64_t field = at;
      for (uint64_t* value : {&m->size, &m->packed, &m->local}) {
        if (*value != kIn64Bits || field + 8 > at + length) continue;
        *value = get<uint64_t>(field);
        field += 8;
      }
    }
    at += length;
  }
}

// The directory's entry at *at, which moves to the next one.
ZipMember ZipReader::read_entry(uint64_t* at) const {
  const uint64_t begin = *at;
  check(get<uint32_t>(begin) == kCentral, begin, "no entry of the directory");
  const uint64_t name = get<uint16_t>(begin + 28), extra = get<uint16_t>(begin + 30);
  ZipMember m{.name = std::string(range(begin + 46, name)),
              .crc = get<uint32_t>(begin + 16),
              .packed = get<uint32_t>(begin + 20),
              .size = get<uint32_t>(begin + 24),
              .local = get<uint32_t>(begin + 42)};
  check((get<uint16_t>(begin + 8) & 1) == 0, begin, "the member is encrypted");
  const uint16_t method = get<uint16_t>(begin + 10);
  HEARTH_CHECK(method == kStored || method == kDeflated, unsupported, where_, ": ", m.name, ": is packed by method ",
               method, "; Hearth reads 0 (stored) and 8 (deflate)");
  m.deflated = method == kDeflated;
  read_64_bit_sizes(begin + 46 + name, begin + 46 + name + extra, &m);
  check(m.deflated || m.packed == m.size, m.local, "'", m.name, "' has ", m.packed, " bytes, not ", m.size);
  // deflate packs at most 1032 bytes into one: a larger claim is not worth its memory.
  check(m.size / 1032 <= m.packed + 1, m.local, "'", m.name, "' cannot have ", m.size, " bytes");
  *at = begin + 46 + name + extra + get<uint16_t>(begin + 32);
  return m;
}

const ZipMember* ZipReader::find(std::string_view name) const {
  const auto it = std::find_if(members_.begin(), members_.end(), [&](const ZipMember& m) { return m.name == name; });
  return it == members_.end() ? nullptr : &*it;
}

std::string_view ZipReader::packed(const ZipMember& m) const {
  check(get<uint32_t>(m.local) == kLocal, m.local, "no member '", m.name, "'");
  return range(m.local + 30 + get<uint16_t>(m.local + 26) + get<uint16_t>(m.local + 28), m.packed);
}

void ZipReader::unpack(const ZipMember& m, std::byte* out) const {
  const std::string_view in = packed(m);
  z_stream stream{};
  check(inflateInit2(&stream, -MAX_WBITS) == Z_OK, m.local, "zlib does not start");
  constexpr uint64_t kMost = std::numeric_limits<uInt>::max();
  uint64_t read = 0, written = 0;
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data() + read));
    stream.avail_in = uInt(std::min<uint64_t>(kMost, in.size() - read));
    stream.next_out = reinterpret_cast<Bytef*>(out + written);
    stream.avail_out = uInt(std::min<uint64_t>(kMost, m.size - written));
    const uint64_t in_before = stream.avail_in, out_before = stream.avail_out;
    state = inflate(&stream, Z_NO_FLUSH);
    read += in_before - stream.avail_in;
    written += out_before - stream.avail_out;
  }
  inflateEnd(&stream);
  check(state == Z_STREAM_END && written == m.size, m.local, "'", m.name, "' does not unpack to ", m.size, " bytes");
  check(!check_sums_ || crc32_z(0, reinterpret_cast<const Bytef*>(out), m.size) == m.crc, m.local, "the checksum of '",
        m.name, "' is wrong");
}

std::string_view ZipReader::read(const ZipMember& m, std::string* unpacked) const {
  if (m.deflated) {
    unpacked->resize(m.size);
    unpack(m, reinterpret_cast<std::byte*>(unpacked->data()));
    return *unpacked;
  }
  const std::string_view bytes = packed(m);
  check(!check_sums_ || crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) == m.crc, m.local,
        "the checksum of '", m.name, "' is wrong");
  return bytes;
}

}  // namespace hearth
