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

// Where the members of an archive lie that are stored, one after the other, then the directory. Sizes are known first,
// checksums later. 64-bit sizes throughout, so that large archives are no case of their own.
class ZipPlan {
 public:
  // The bytes of every member begin at a multiple of `alignment` (1 to 4096).
  explicit ZipPlan(uint32_t alignment = 1) : alignment_(alignment) {}
  uint64_t add(const std::string& name, uint64_t size);  // place of its bytes
  size_t count() const { return members_.size(); }
  uint64_t header_at(size_t i) const { return members_[i].local; }
  std::string header(size_t i, uint32_t crc) const;
  uint64_t end() const { return end_; }  // of the last member; place of the directory
  std::string directory(std::span<const uint32_t> crcs) const;

 private:
  struct Planned {
    std::string name;
    uint64_t size, local;
  };
  uint64_t padding(const Planned& member) const;
  uint32_t alignment_;
  std::vector<Planned> members_;
  uint64_t end_ = 0;
};

// Writes such an archive member by member. The file is not committed.
class ZipWriter {
 public:
  explicit ZipWriter(AtomicFile* file) : file_(file) {}
  void add(const std::string& name, const std::vector<std::span<const std::byte>>& parts);
  void finish();

 private:
  AtomicFile* file_;
  ZipPlan plan_;
  std::vector<uint32_t> crcs_;
};

// CRC-32 of bytes, and of two runs of bytes joined.
uint32_t crc32_of(std::span<const std::byte> bytes, uint32_t before = 0);
uint32_t crc32_join(uint32_t first, uint32_t second, uint64_t second_bytes);

}  // namespace hearth
