// SPDX-License-Identifier: Apache-2.0
#pragma once
// The container of .npz: a zip archive of .npy files. Source: PKWARE APPNOTE.TXT 6.3.9, sections 4.3 and 4.5.3 (zip64).
// Nothing here knows of arrays, so that a fuzzer can be built of it alone.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "plan/plan_file.h"

namespace hearth {

namespace zip_format {
constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                   kLocator = 0x07064b50, kIn64Bits = 0xffffffff;
constexpr uint16_t kStored = 0, kDeflated = 8;
}  // namespace zip_format

// name: without ".npy"; npy: the file, valid during the call; at: where in the archive, for errors.
using NpzVisitor = std::function<void(const std::string& name, std::string_view npy, uint64_t at)>;
// Error{format} naming `where` and the byte, Error{unsupported} for ways of packing other than deflate.
void for_each_npz_member(std::string_view bytes, const std::string& where, const NpzVisitor& visit,
                         Checksums checksums = Checksums::verify);

uint32_t checksum(std::string_view bytes, uint32_t before = 0);  // zip's CRC-32, of what follows `before`

}  // namespace hearth
