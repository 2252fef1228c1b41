// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include "base/file.h"
#include "base/zip.h"

namespace hearth {
namespace {

constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                   kLocator = 0x07064b50, kIn64Bits = 0xffffffff;
constexpr uint64_t kSizesBytes = 20;   // of the extra field with 64-bit sizes in a local header
constexpr uint16_t kZip64 = 1;         // extra field with 64-bit sizes
constexpr uint16_t kPadding = 0x4246;  // extra field "FB", which torch.save fills up to an alignment

template <class T>
void put(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out += char(uint64_t(value) >> (8 * i) & 255);
}

// What local headers and directory entries share, after their signatures and the version that wrote them.
void put_common(std::string& out, const std::string& name, uint32_t crc, uint16_t extra) {
  for (const uint16_t value : {45, 0x0800, 0, 0, 0x21}) put<uint16_t>(out, value);  // utf-8, stored, 1980-01-01
  put(out, crc);
  put(out, kIn64Bits);
  put(out, kIn64Bits);
  put(out, uint16_t(name.size()));
  put(out, extra);
}

}  // namespace

// Bytes of the extra field that fills up to the alignment, its head included.
uint64_t ZipPlan::padding(const Planned& m) const {
  constexpr uint64_t kHead = 4;
  if (alignment_ == 1) return 0;
  const uint64_t past = (m.local + 30 + m.name.size() + kSizesBytes + kHead) % alignment_;
  return kHead + (past == 0 ? 0 : alignment_ - past);
}

uint64_t ZipPlan::add(const std::string& name, uint64_t size) {
  const Planned& m = members_.emplace_back(Planned{name, size, end_});
  const uint64_t at = m.local + 30 + name.size() + kSizesBytes + padding(m);
  end_ = at + size;
  return at;
}

std::string ZipPlan::header(size_t i, uint32_t crc) const {
  const Planned& m = members_[i];
  const uint64_t filled = padding(m);
  std::string out;
  put(out, kLocal);
  put_common(out, m.name, crc, uint16_t(kSizesBytes + filled));
  out += m.name;
  put(out, kZip64);
  put(out, uint16_t(16));
  put(out, m.size);
  put(out, m.size);
  if (filled == 0) return out;
  put(out, kPadding);
  put(out, uint16_t(filled - 4));
  return out.append(filled - 4, 'Z');
}

static std::string directory_entry(const std::string& name, uint64_t size, uint64_t local, uint32_t crc) {
  std::string out;
  put(out, kCentral);
  put(out, uint16_t(45));
  put_common(out, name, crc, 28);
  out.append(10, '\0');  // no comment, disk 0, no attributes
  put(out, kIn64Bits);
  out += name;
  put(out, kZip64);
  put(out, uint16_t(24));
  put(out, size);
  put(out, size);
  put(out, local);
  return out;
}

std::string ZipPlan::directory(std::span<const uint32_t> crcs) const {
  std::string out;
  for (size_t i = 0; i < members_.size(); ++i)
    out += directory_entry(members_[i].name, members_[i].size, members_[i].local, crcs[i]);
  const uint64_t at = end_, size = out.size(), entries = members_.size();
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

void ZipWriter::add(const std::string& name, const std::vector<std::span<const std::byte>>& parts) {
  uint32_t crc = 0;
  uint64_t size = 0;
  for (const auto& part : parts) {
    crc = crc32_of(part, crc);
    size += part.size();
  }
  crcs_.push_back(crc);
  plan_.add(name, size);
  file_->write(plan_.header(plan_.count() - 1, crc));
  for (const auto& part : parts) file_->write(part);
}

void ZipWriter::finish() { file_->write(plan_.directory(crcs_)); }

uint32_t crc32_of(std::span<const std::byte> bytes, uint32_t before) {
  return uint32_t(crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

uint32_t crc32_join(uint32_t first, uint32_t second, uint64_t second_bytes) {
  return uint32_t(crc32_combine(first, second, z_off_t(second_bytes)));
}

}  // namespace hearth
