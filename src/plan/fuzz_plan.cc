// SPDX-License-Identifier: Apache-2.0
// Fuzz target: any bytes as a plan file. They are read and validated, with and without checksums, and never executed;
// what passes must survive writing and reading again.

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "plan/plan_file.h"

// Makes the sizes in the header fit the file again, so that mutations reach what lies behind it.
static void repair_header(std::vector<std::byte>& bytes) {
  uint64_t fields[4];  // file, structure, constants offset, constants bytes
  if (bytes.size() < 128) return;
  std::memcpy(fields, bytes.data() + 16, sizeof fields);
  bytes.resize(bytes.size() / 64 * 64);
  fields[0] = bytes.size();
  fields[1] = std::min<uint64_t>(fields[1], bytes.size() - 64);
  fields[2] = (64 + fields[1] + 63) / 64 * 64;
  fields[3] = fields[0] - fields[2];
  std::fill(bytes.begin() + int64_t(64 + fields[1]), bytes.begin() + int64_t(fields[2]), std::byte{0});
  std::memcpy(bytes.data() + 16, fields, sizeof fields);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  std::vector<std::byte> bytes(size);
  if (size > 0) std::memcpy(bytes.data(), data, size);
  try {
    plan_from_bytes(bytes, "fuzz");
  } catch (const Error&) {
  }
  repair_header(bytes);
  try {
    const Plan plan = plan_from_bytes(bytes, "fuzz", Checksums::ignore);
    const std::vector<std::byte> again = plan_to_bytes(plan);
    if (plan_to_bytes(plan_from_bytes(again, "again")) != again) std::abort();
    validate(plan);
    if (to_text(plan).empty()) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
