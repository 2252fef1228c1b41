// SPDX-License-Identifier: Apache-2.0
#pragma once
// log.jsonl: one JSON object per line and step, in order, each written whole and at once, so that a killed run keeps
// every line but the one that was being written.
//   {"step":1,"loss":3.25,"grad_norm":0.5,"learning_rate":0.0002,"tokens_per_second":1893.1,"memory_bytes":512}
// A number that is NaN or infinite is written as null, because JSON has no word for it.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hearth {

using NamedNumbers = std::vector<std::pair<std::string, double>>;

struct StepRecord {
  int64_t step = 0;
  double loss = 0;
  double grad_norm = 0;
  double learning_rate = 0;
  double tokens_per_second = 0;
  int64_t memory_bytes = 0;  // peak resident
  NamedNumbers extra = {};   // more numbers of this step: {{"epoch", 1.5}, {"eval_loss", 3.1}}
};

class JsonlLog {
 public:
  // Starts a new log; what the file held is gone. Throws Error{file} naming the path and the system's reason.
  static JsonlLog create(const std::string& path);
  // Goes on after `step`: keeps the lines up to and including it, drops later ones, a torn last line and anything after
  // a damaged line. A missing file is started anew.
  static JsonlLog resume(const std::string& path, int64_t step);

  void write(const StepRecord& record);
  // A line {"step": step, name: number, ...} of its own, for what is not a training step: an evaluation.
  void write(int64_t step, const NamedNumbers& numbers);

  JsonlLog(JsonlLog&& other) noexcept;
  JsonlLog& operator=(JsonlLog&& other) noexcept;
  ~JsonlLog();

 private:
  JsonlLog(int file, std::string path) : file_(file), path_(std::move(path)) {}
  void append(const std::string& line);

  int file_ = -1;
  std::string path_;
};

// One line of a log, read back: its numbers by name, step included; null is NaN.
struct LogLine {
  int64_t step = 0;
  NamedNumbers numbers;
  std::optional<double> find(const std::string& name) const;
};

// The lines of a log up to the first damaged one, at most `last_step` by number. An absent file has none.
std::vector<LogLine> read_jsonl_log(const std::string& path, int64_t last_step = INT64_MAX);

}  // namespace hearth
