// SPDX-License-Identifier: Apache-2.0
#include "device/device.h"

#include <cstdio>

#include "base/error.h"

// The devices of Hearth: each line names a function `Device& <name>_device();` that makes its device on first use.
#define HEARTH_DEVICES(ROW) \
  ROW(cpu)                  \
  ROW(reference)

namespace hearth {

#define HEARTH_DECLARE(name) Device& name##_device();
HEARTH_DEVICES(HEARTH_DECLARE)
#undef HEARTH_DECLARE

namespace {
struct DeviceEntry {
  const char* name;
  Device& (*make)();
};
#define HEARTH_ENTRY(name) DeviceEntry{#name, &name##_device},
constexpr DeviceEntry kDevices[] = {HEARTH_DEVICES(HEARTH_ENTRY)};
#undef HEARTH_ENTRY
}  // namespace

Device& find_device(const std::string& name) {
  std::string known;
  for (const DeviceEntry& entry : kDevices) {
    if (name == entry.name) return entry.make();
    known += cat(known.empty() ? "" : ", ", entry.name);
  }
  HEARTH_FAIL(unsupported, "there is no device '", name, "'; this build has: ", known);
}

std::vector<std::string> device_names() {
  std::vector<std::string> names;
  for (const DeviceEntry& entry : kDevices) names.push_back(entry.name);
  return names;
}

std::string show_bytes(int64_t bytes) {
  const char* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return cat(bytes, " B");
  double amount = double(bytes) / 1024;
  int unit = 0;
  for (; amount >= 1024 && unit < 5; ++unit) amount /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %s", amount, units[unit]);
  return text;
}

}  // namespace hearth
