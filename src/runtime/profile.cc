// SPDX-License-Identifier: Apache-2.0
#include "runtime/profile.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/file.h"

namespace hearth {
namespace {

constexpr size_t kMaxEvents = 1'000'000;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += char(c);
    } else if (c < 0x20 || c >= 0x7f) {  // bytes beyond ASCII may be no UTF-8
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += char(c);
    }
  }
  return out + '"';
}

}  // namespace

Profile::Profile(const Plan& plan) {
  for (const PlanInstruction& instruction : plan.instructions) {
    ProfileEntry entry{.kernel = instruction.kernel, .scope = instruction.scope};
    for (int32_t tensor : instruction.inputs) entry.bytes += plan.tensors[size_t(tensor)].type.bytes();
    for (int32_t tensor : instruction.outputs) entry.bytes += plan.tensors[size_t(tensor)].type.bytes();
    entries_.push_back(std::move(entry));
  }
}

void Profile::record(size_t instruction, int64_t start_ns, int64_t end_ns) {
  ++entries_[instruction].runs;
  entries_[instruction].total_ns += end_ns - start_ns;
  if (events_.size() < kMaxEvents) events_.push_back({uint32_t(instruction), start_ns, end_ns});
}

void Profile::clear() {
  events_.clear();
  for (ProfileEntry& entry : entries_) entry.runs = entry.total_ns = 0;
}

std::string Profile::table() const {
  struct Row {
    int64_t runs = 0, ns = 0;
    double bytes = 0;
  };
  std::map<std::string, Row> by_kernel;
  int64_t all_ns = 0;
  for (const ProfileEntry& entry : entries_) {
    if (entry.runs == 0) continue;
    Row& row = by_kernel[entry.kernel];
    row.runs += entry.runs;
    row.ns += entry.total_ns;
    row.bytes += double(entry.bytes) * double(entry.runs);
    all_ns += entry.total_ns;
  }
  std::vector<std::pair<std::string, Row>> rows(by_kernel.begin(), by_kernel.end());
  std::stable_sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.second.ns > b.second.ns; });
  char line[160];
  std::snprintf(line, sizeof line, "%-32s %9s %12s %7s %9s\n", "kernel", "runs", "ms", "share", "GB/s");
  std::string text = line;
  for (const auto& [kernel, row] : rows) {
    const double ns = double(std::max<int64_t>(row.ns, 1));
    std::snprintf(line, sizeof line, "%-32.32s %9lld %12.3f %6.1f%% %9.2f\n", kernel.c_str(),
                  static_cast<long long>(row.runs), ns * 1e-6, 100 * ns / double(std::max<int64_t>(all_ns, 1)),
                  row.bytes / ns);
    text += line;
  }
  return text;
}

void Profile::write_trace(const std::string& path) const {
  AtomicFile file(path);
  std::string text = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  const int64_t origin = events_.empty() ? 0 : events_.front().start_ns;
  for (size_t i = 0; i < events_.size(); ++i) {
    const Event& event = events_[i];
    const ProfileEntry& entry = entries_[event.instruction];
    char numbers[160];
    std::snprintf(numbers, sizeof numbers, ",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":%.3f,\"dur\":%.3f,\"args\":",
                  double(event.start_ns - origin) * 1e-3, double(event.end_ns - event.start_ns) * 1e-3);
    text += (i ? ",\n" : "\n") + std::string("{\"name\":") + quoted(entry.kernel) + numbers +
            "{\"instruction\":" + std::to_string(event.instruction) + ",\"bytes\":" + std::to_string(entry.bytes) +
            ",\"scope\":" + quoted(entry.scope) + "}}";
    if (text.size() > (1 << 20)) {
      file.write(text);
      text.clear();
    }
  }
  file.write(text + "\n]}\n");
  file.commit();
}

}  // namespace hearth
