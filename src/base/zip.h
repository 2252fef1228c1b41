// SPDX-License-Identifier: Apache-2.0
#pragma once
// Zip archives: reading with 64-bit sizes, members stored or deflated; writing stored members.
// Source: PKWARE APPNOTE.TXT 6.3.9, sections 4.3 and 4.5.3 (zip64).

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace hearth {

class AtomicFile;

struct ZipMember {
  std::string name;
  bool deflated = false;  // else stored
  uint32_t crc = 0;
  uint64_t packed = 0, size = 0;  // bytes in the archive, and unpacked
  uint64_t local = 0;             // place of its header
};

// Reads the directory of an archive in memory, which must stay where it is. `where` begins every error: "npz: a.npz".
// Throws Error{format} with the byte in the archive; Error{unsupported} for members that are encrypted or packed
// otherwise. Members that would lie over each other or unpack to more than deflate can hold, as in archives made to
// fill memory, are refused.
class ZipReader {
 public:
  // check_sums: false for fuzzers, which do not guess checksums.
  ZipReader(std::string_view bytes, std::string where, bool check_sums = true);

  const std::vector<ZipMember>& members() const { return members_; }
  const ZipMember* find(std::string_view name) const;      // null when absent
  std::string_view packed(const ZipMember& member) const;  // as it lies in the archive
  // A deflated member into `out`, which has member.size bytes. Checks the checksum.
  void unpack(const ZipMember& member, std::byte* out) const;
  // The member's bytes, whichever way they are packed: those in the archive, or *unpacked, filled. Checks the checksum.
  std::string_view read(const ZipMember& member, std::string* unpacked) const;

 private:
  template <class T>
  T get(uint64_t at) const;
  std::string_view range(uint64_t at, uint64_t size) const;
  template <class... Values>
  void check(bool good, uint64_t at, const Values&... what) const {
    HEARTH_CHECK(good, format, where_, ": byte ", at, ": ", what...);
  }
  ZipMember read_entry(uint64_t* at) const;
  void read_64_bit_sizes(uint64_t at, uint64_t end, ZipMember* member) const;

  std::string_view bytes_;
  std::string where_;
  bool check_sums_;
  std::vector<ZipMember> members_;
};

// Writes stored members, one after the other, with 64-bit sizes throughout, so that large archives are no case of
// their own; then the directory. The file is not committed.
class ZipWriter {
 public:
  // The bytes of every member begin at a multiple of `alignment` (1 to 4096).
  explicit ZipWriter(AtomicFile* file, uint32_t alignment = 1) : file_(file), alignment_(alignment) {}
  void add(const std::string& name, const std::vector<std::span<const std::byte>>& parts);
  void add(const std::string& name, std::string_view bytes);
  void finish();

 private:
  struct Written {
    std::string name;
    uint32_t crc;
    uint64_t size, local;
  };
  std::string local_header(const Written& member) const;
  AtomicFile* file_;
  uint32_t alignment_;
  std::string directory_;
  uint64_t entries_ = 0;
};

}  // namespace hearth
