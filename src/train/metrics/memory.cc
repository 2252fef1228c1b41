// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

namespace hearth {

static constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

// The number of "VmRSS:   1234 kB" in bytes, or -1.
static int64_t kib_line(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key + ":")) continue;
    std::istringstream words(line.substr(key.size() + 1));
    int64_t kib = -1;
    words >> kib;
    return words && kib >= 0 ? kib * 1024 : -1;
  }
  return -1;
}

int64_t resident_bytes() {
  const int64_t bytes = kib_line("/proc/self/status", "VmRSS");
  if (bytes >= 0) return bytes;
  int64_t pages = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident_pages;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

int64_t peak_resident_bytes() {
  int64_t bytes = kib_line("/proc/self/status", "VmHWM");
  rusage usage{};
  if (bytes <= 0 && getrusage(RUSAGE_SELF, &usage) == 0) {
#ifdef __APPLE__
    bytes = usage.ru_maxrss;
#else
    bytes = int64_t(usage.ru_maxrss) * 1024;
#endif
  }
  return std::max(bytes, resident_bytes());
}

// A file that holds one number; "max", an absent file or nonsense is `otherwise`.
static int64_t number_in(const std::string& path, int64_t otherwise) {
  std::ifstream file(path);
  int64_t value = 0;
  return file >> value && value >= 0 ? value : otherwise;
}

// The number after `key ` in memory.stat, 0 if it has none.
static int64_t stat_value(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string name;
  for (int64_t value = 0; file >> name >> value;)
    if (name == key) return value;
  return 0;
}

namespace {
struct GroupFiles {
  const char *limit, *usage, *cache_key;
};
}  // namespace

// Lowers *memory to the limit of one control group.
static void apply_group(const std::string& folder, const GroupFiles& names, MachineMemory* memory) {
  const int64_t limit = number_in(folder + names.limit, kUnlimited);
  const int64_t cache = stat_value(folder + "memory.stat", names.cache_key);
  const int64_t used = std::max<int64_t>(0, number_in(folder + names.usage, 0) - cache);
  memory->total_bytes = std::min(memory->total_bytes, limit);
  memory->available_bytes = std::min(memory->available_bytes, std::max<int64_t>(0, limit - used));
}

// The group's path in a line of /proc/self/cgroup: "0::/a/b" is version 2, "5:memory:/a/b" version 1.
static std::string group_path(const std::string& root, bool version_2) {
  std::ifstream file(root + "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (version_2 ? controllers == ",," : controllers.find(",memory,") != controllers.npos)
      return line.substr(second + 1);
  }
  return "/";
}

// A limit may sit at any level above the process, so every level counts. Inside a container the path may not exist
// because the container's own group is mounted as the root; the walk ends at the root in any case.
static void apply_groups(const std::string& mount, std::string path, const GroupFiles& names, MachineMemory* memory) {
  if (!path.starts_with('/') || path.find("..") != path.npos) path = "/";
  while (true) {
    apply_group(mount + path + (path.ends_with('/') ? "" : "/"), names, memory);
    if (path == "/") return;
    path = path.substr(0, std::max<size_t>(1, path.rfind('/')));
  }
}

MachineMemory machine_memory(const std::string& root) {
  MachineMemory memory;
  memory.total_bytes = kib_line(root + "proc/meminfo", "MemTotal");
  if (memory.total_bytes < 0) memory.total_bytes = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  memory.available_bytes = kib_line(root + "proc/meminfo", "MemAvailable");
  if (memory.available_bytes < 0) memory.available_bytes = memory.total_bytes;
  const GroupFiles version_2{"memory.max", "memory.current", "inactive_file"};
  const GroupFiles version_1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
  apply_groups(root + "sys/fs/cgroup", group_path(root, true), version_2, &memory);
  apply_groups(root + "sys/fs/cgroup/memory", group_path(root, false), version_1, &memory);
  return memory;
}

}  // namespace hearth
