// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include "base/file.h"
#include "base/zip.h"

namespace hearth {
namespace {

constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                   kLocator = 0x07064b50, kIn64Bits = 0xffffffff;
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

std::string ZipWriter::local_header(const Written& m) const {
  constexpr uint64_t kSizes = 20, kPaddingHead = 4;
  const uint64_t end = m.local + 30 + m.name.size() + kSizes;
  const uint64_t past = alignment_ == 1 ? 0 : (end + kPaddingHead) % alignment_;
  const uint64_t padding = alignment_ == 1 ? 0 : kPaddingHead + (past == 0 ? 0 : alignment_ - past);
  std::string out;
  put(out, kLocal);
  put_common(out, m.name, m.crc, uint16_t(kSizes + padding));
  out += m.name;
  put(out, kZip64);
  put(out, uint16_t(16));
  put(out, m.size);
  put(out, m.size);
  if (padding == 0) return out;
  put(out, kPadding);
  put(out, uint16_t(padding - kPaddingHead));
  return out.append(padding - kPaddingHead, 'Z');
}

void ZipWriter::add(const std::string& name, const std::vector<std::span<const std::byte>>& parts) {
  Written m{name, 0, 0, uint64_t(file_->written())};
  for (const auto& part : parts) {
    m.crc = uint32_t(crc32_z(m.crc, reinterpret_cast<const Bytef*>(part.data()), part.size()));
    m.size += part.size();
  }
  file_->write(local_header(m));
  for (const auto& part : parts) file_->write(part);
  put(directory_, kCentral);
  put(directory_, uint16_t(45));
  put_common(directory_, m.name, m.crc, 28);
  directory_.append(10, '\0');  // no comment, disk 0, no attributes
  put(directory_, kIn64Bits);
  directory_ += m.name;
  put(directory_, kZip64);
  put(directory_, uint16_t(24));
  put(directory_, m.size);
  put(directory_, m.size);
  put(directory_, m.local);
  ++entries_;
}

void ZipWriter::add(const std::string& name, std::string_view bytes) { add(name, {std::as_bytes(std::span(bytes))}); }

void ZipWriter::finish() {
  const uint64_t at = uint64_t(file_->written()), size = directory_.size();
  std::string out = std::move(directory_);
  put(out, kEnd64);
  put(out, uint64_t(44));
  put(out, uint16_t(45));
  put(out, uint16_t(45));
  out.append(8, '\0');  // disks
  put(out, entries_);
  put(out, entries_);
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
  file_->write(out);
}

}  // namespace hearth
