// SPDX-License-Identifier: Apache-2.0
#include "runtime/profile.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <set>

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

// What moves or holds values and computes nothing.
bool is_plumbing(const std::string& instruction) {
  for (const char* start : {"none", "load", "store", "iota", "constant", "spread", "copy", "round_bf16", "round_f16"}) {
    if (instruction.rfind(start, 0) == 0) return true;
  }
  return instruction.find("_to_") != std::string::npos;
}

// "row_program exp mul add": each computation once, in order, without its dtype.
std::string operation_of(const Plan& plan, const PlanInstruction& instruction) {
  std::string text = instruction.kernel;
  if (instruction.program < 0) return text;
  std::set<std::string> seen;
  const auto add = [&](const std::vector<RowInstruction>& list) {
    for (const RowInstruction& i : list) {
      const std::string full = name(i.op), bare = full.substr(0, full.rfind('_'));
      if (is_plumbing(full) || !seen.insert(bare).second) continue;
      if (seen.size() <= 6) text += " " + bare;
      if (seen.size() == 7) text += " ...";
    }
  };
  for (const RowPhase& phase : plan.programs[size_t(instruction.program)].phases) {
    add(phase.tiles);
    add(phase.after);
  }
  return text;
}

}  // namespace

int64_t Profile::now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Profile::Profile(const Plan& plan) { add_entries(plan); }

void Profile::add_entries(const Plan& plan) {
  for (const PlanInstruction& instruction : plan.instructions) {
    ProfileEntry entry{
        .kernel = instruction.kernel, .scope = instruction.scope, .operation = operation_of(plan, instruction)};
    for (int32_t tensor : instruction.inputs) entry.bytes += plan.tensors[size_t(tensor)].type.bytes();
    for (int32_t tensor : instruction.outputs) entry.bytes += plan.tensors[size_t(tensor)].type.bytes();
    entries_.push_back(std::move(entry));
  }
  for (const Plan& body : plan.bodies) add_entries(body);
}

size_t Profile::entries_of(const Plan& plan) {
  size_t count = plan.instructions.size();
  for (const Plan& body : plan.bodies) count += entries_of(body);
  return count;
}

void Profile::add_event(const Event& event) {
  if (events_.size() < kMaxEvents) events_.push_back(event);
}

void Profile::finish(size_t entry, const Started& started) {
  const int64_t end_ns = now_ns(), length = end_ns - started.ns;
  ProfileEntry& e = entries_[entry];
  ++e.runs;
  e.total_ns += length;
  e.nested_ns += finished_ns_ - started.nested_ns;
  finished_ns_ = started.nested_ns + length;
  add_event({uint32_t(entry), started.ns, end_ns});
}

void Profile::clear() {
  events_.clear();
  finished_ns_ = 0;
  for (ProfileEntry& entry : entries_) entry.runs = entry.total_ns = entry.nested_ns = 0;
}

size_t Profile::entry_like(const ProfileEntry& entry) {
  const std::string key = entry.operation + '\n' + entry.scope + '\n' + std::to_string(entry.bytes);
  const auto [found, fresh] = known_.try_emplace(key, entries_.size());
  if (fresh)
    entries_.push_back(
        {.kernel = entry.kernel, .scope = entry.scope, .operation = entry.operation, .bytes = entry.bytes});
  return found->second;
}

void Profile::add_call(const std::string& name, int64_t start_ns, int64_t end_ns, const Profile& run) {
  std::vector<size_t> here(run.entries_.size());
  int64_t inside_ns = 0;
  for (size_t i = 0; i < here.size(); ++i) {
    const ProfileEntry& entry = run.entries_[i];
    if (entry.runs == 0) continue;
    here[i] = entry_like(entry);
    ProfileEntry& sum = entries_[here[i]];
    sum.runs += entry.runs;
    sum.total_ns += entry.total_ns;
    sum.nested_ns += entry.nested_ns;
    inside_ns += entry.total_ns - entry.nested_ns;
  }
  const size_t call = entry_like({.kernel = name, .scope = "", .operation = name});
  ++entries_[call].runs;
  entries_[call].total_ns += end_ns - start_ns;
  entries_[call].nested_ns += inside_ns;
  add_event({uint32_t(call), start_ns, end_ns});
  for (const Event& event : run.events_) add_event({uint32_t(here[event.entry]), event.start_ns, event.end_ns});
}

std::string Profile::table() const {
  struct Row {
    int64_t runs = 0, ns = 0;
    double bytes = 0;
  };
  std::map<std::string, Row> by_operation;
  int64_t all_ns = 0;
  for (const ProfileEntry& entry : entries_) {
    if (entry.runs == 0) continue;
    Row& row = by_operation[entry.operation];
    const int64_t own_ns = entry.total_ns - entry.nested_ns;
    row.runs += entry.runs;
    row.ns += own_ns;
    row.bytes += double(entry.bytes) * double(entry.runs);
    all_ns += own_ns;
  }
  std::vector<std::pair<std::string, Row>> rows(by_operation.begin(), by_operation.end());
  std::stable_sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.second.ns > b.second.ns; });
  char line[160];
  std::snprintf(line, sizeof line, "%-48s %9s %12s %7s %9s\n", "operation", "runs", "ms", "share", "GB/s");
  std::string text = line;
  for (const auto& [operation, row] : rows) {
    const double ns = double(std::max<int64_t>(row.ns, 1));
    std::snprintf(line, sizeof line, "%-48.48s %9lld %12.3f %6.1f%% %9.2f\n", operation.c_str(),
                  static_cast<long long>(row.runs), ns * 1e-6, 100 * ns / double(std::max<int64_t>(all_ns, 1)),
                  row.bytes / ns);
    text += line;
  }
  return text;
}

void Profile::write_trace(const std::string& path) const {
  AtomicFile file(path);
  std::string text = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  int64_t origin = events_.empty() ? 0 : events_.front().start_ns;
  for (const Event& event : events_) origin = std::min(origin, event.start_ns);
  for (size_t i = 0; i < events_.size(); ++i) {
    const Event& event = events_[i];
    const ProfileEntry& entry = entries_[event.entry];
    char numbers[160];
    std::snprintf(numbers, sizeof numbers, ",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":%.3f,\"dur\":%.3f,\"args\":",
                  double(event.start_ns - origin) * 1e-3, double(event.end_ns - event.start_ns) * 1e-3);
    text += (i ? ",\n" : "\n") + std::string("{\"name\":") + quoted(entry.operation) + numbers +
            "{\"kernel\":" + quoted(entry.kernel) + ",\"bytes\":" + std::to_string(entry.bytes) +
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
