// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/jsonl_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace hearth {

static std::string number_text(double value) {
  if (!std::isfinite(value)) return "null";
  const bool whole = value == std::floor(value) && std::fabs(value) < 1e15;
  return whole ? fmt::format("{}", static_cast<int64_t>(value)) : fmt::format("{}", value);
}

static std::string line_text(int64_t step, const NamedNumbers& numbers) {
  std::string line = fmt::format("{{\"step\":{}", step);
  for (const auto& [name, value] : numbers) line += "," + nlohmann::json(name).dump() + ":" + number_text(value);
  return line + "}\n";
}

static int open_for_append(const std::string& path, int flags) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0644);
  HEARTH_CHECK(file >= 0, file, "log: cannot write ", path, ": ", std::strerror(errno));
  return file;
}

JsonlLog JsonlLog::create(const std::string& path) { return JsonlLog(open_for_append(path, O_TRUNC), path); }

// Reads one line; false for anything that is not a whole line of ours.
static bool parse_line(const std::string& text, LogLine* line) {
  const nlohmann::ordered_json json = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) return false;
  line->step = json["step"].get<int64_t>();
  line->numbers.clear();
  for (const auto& [name, value] : json.items()) {
    if (value.is_null()) line->numbers.emplace_back(name, std::numeric_limits<double>::quiet_NaN());
    if (value.is_number()) line->numbers.emplace_back(name, value.get<double>());
  }
  return true;
}

// Calls use(line) for the good lines up to last_step; returns how many bytes they take.
template <class Use>
static int64_t scan_log(const std::string& path, int64_t last_step, Use use) {
  std::ifstream file(path, std::ios::binary);
  HEARTH_CHECK(file || !std::filesystem::exists(path), file, "log: cannot read ", path, ": ", std::strerror(errno));
  int64_t good_bytes = 0;
  LogLine line;
  for (std::string text; std::getline(file, text);) {
    const bool torn = file.eof();  // no newline: the writer was killed
    if (torn || !parse_line(text, &line) || line.step > last_step) break;
    good_bytes += static_cast<int64_t>(text.size()) + 1;
    use(line);
  }
  return good_bytes;
}

JsonlLog JsonlLog::resume(const std::string& path, int64_t step) {
  const int64_t keep_bytes = scan_log(path, step, [](const LogLine&) {});
  JsonlLog log(open_for_append(path, 0), path);
  HEARTH_CHECK(ftruncate(log.file_, keep_bytes) == 0, file, "log: cannot shorten ", path, ": ", std::strerror(errno));
  return log;
}

void JsonlLog::write(const StepRecord& record) {
  NamedNumbers numbers = {{"loss", record.loss},
                          {"grad_norm", record.grad_norm},
                          {"learning_rate", record.learning_rate},
                          {"tokens_per_second", record.tokens_per_second},
                          {"memory_bytes", static_cast<double>(record.memory_bytes)}};
  numbers.insert(numbers.end(), record.extra.begin(), record.extra.end());
  append(line_text(record.step, numbers));
}

void JsonlLog::write(int64_t step, const NamedNumbers& numbers) { append(line_text(step, numbers)); }

// No buffer of ours: after write(2) the line is the kernel's and outlives the process.
void JsonlLog::append(const std::string& line) {
  HEARTH_CHECK(file_ >= 0, bug, "log: written after it was moved from");
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = ::write(file_, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    HEARTH_CHECK(written > 0, file, "log: cannot write ", path_, ": ", std::strerror(errno));
    done += static_cast<size_t>(written);
  }
}

JsonlLog::JsonlLog(JsonlLog&& other) noexcept : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)) {}

JsonlLog& JsonlLog::operator=(JsonlLog&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(path_, other.path_);
  return *this;
}

JsonlLog::~JsonlLog() {
  if (file_ >= 0) close(file_);
}

std::optional<double> LogLine::find(const std::string& name) const {
  for (const auto& [key, value] : numbers)
    if (key == name) return value;
  return std::nullopt;
}

std::vector<LogLine> read_jsonl_log(const std::string& path, int64_t last_step) {
  std::vector<LogLine> lines;
  scan_log(path, last_step, [&](const LogLine& line) { lines.push_back(line); });
  return lines;
}

}  // namespace hearth
