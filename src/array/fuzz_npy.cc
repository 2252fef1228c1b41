// SPDX-License-Identifier: Apache-2.0
// Fuzz target: any bytes as a .npy file and as a .npz file, with and without checksums.

#include <cstdlib>

#include "array/npy_header.h"
#include "base/error.h"
#include "base/zip.h"

// What a header promises lies in the file, and written again it is the same.
static void read_npy(std::string_view bytes) {
  using namespace hearth;
  try {
    const NpyHeader header = parse_npy_header(bytes, "fuzz");
    const bool inside = header.data <= bytes.size() && uint64_t(header.type.bytes()) <= bytes.size() - header.data;
    if (!inside) std::abort();
    if (header.type.dtype == DType::bf16) std::abort();  // has no name there
    const std::string again = npy_header(header.type);
    if (parse_npy_header(again + std::string(bytes.substr(header.data)), "again").type != header.type) std::abort();
  } catch (const Error&) {
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_npy(bytes);
  for (const bool check_sums : {true, false}) {
    try {
      const ZipReader zip(bytes, "fuzz", check_sums);
      for (const ZipMember& member : zip.members()) {
        std::string unpacked;
        read_npy(zip.read(member, &unpacked));
      }
    } catch (const Error&) {
    }
  }
  return 0;
}
