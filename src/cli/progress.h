// SPDX-License-Identifier: Apache-2.0
#pragma once
// The line that shows how a run goes. On a terminal one line is rewritten about ten times a second:
//   tuning  67/555  12% █████▍        loss 3.2143  1,893 tok/s  0.98 GiB  4 min 12 s left  epoch 1.32/3
// Elsewhere (a file, a pipe) lines are added: every so many steps or seconds, and for the last step always.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

namespace hearth {

struct ProgressState {
  int64_t step = 0;                                        // steps done
  int64_t total = 0;                                       // 0: unknown, no percentage and no time left
  double loss = std::numeric_limits<double>::quiet_NaN();  // with has_loss: training may have none yet
  bool has_loss = false;
  double tokens_per_second = 0;  // 0: not shown; the same for those below
  int64_t memory_bytes = 0;
  double epoch = 0;
  double epochs = 0;
  double seconds_left = std::numeric_limits<double>::quiet_NaN();  // filled in by Progress
};

// The line for a terminal of `width` columns, at most width - 1 wide so that it never wraps. What does not fit is left
// out, the least important first: epoch, memory, speed, time left, loss, bar.
std::string progress_bar_line(const std::string& label, const ProgressState& state, int width, bool utf8);
// The line for a log; all numbers, no bar.
std::string progress_log_line(const std::string& label, const ProgressState& state);

struct ProgressOptions {
  std::string label = "tuning";
  bool quiet = false;
  int64_t first_step = 0;    // steps that were done before this run: a resume
  int64_t every_steps = 10;  // of log lines: the first of the two that is reached
  double every_seconds = 10;
  int file = 2;   // where lines go; the tests use a pipe
  int width = 0;  // 0: that of the terminal, asked for at each redraw
  enum class Mode { detect, terminal, log } mode = Mode::detect;
  enum class Charset { detect, utf8, ascii } charset = Charset::detect;
  std::function<double()> seconds = {};  // a clock, for tests
};

// Not for use by several threads at once. Write errors are ignored: progress is no result.
class Progress {
 public:
  explicit Progress(ProgressOptions options);
  ~Progress();  // finishes
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(const ProgressState& state);  // cheap enough for every step
  void message(const std::string& text);    // a line of its own above the bar; nothing when quiet
  void finish();                            // shows the last state and leaves it there

 private:
  void draw(const ProgressState& state);
  void write_text(const std::string& text) const;
  double seconds_left(const ProgressState& state, double now) const;

  ProgressOptions options_;
  bool terminal_ = false;
  bool utf8_ = false;
  bool bar_shown_ = false;  // the cursor stands behind a bar, not at the start of a line
  bool undrawn_ = false;    // the last state was not shown yet
  ProgressState last_ = {};
  double start_seconds_ = 0;
  double drawn_seconds_ = 0;
  int64_t start_step_ = 0;
  int64_t drawn_step_ = -1;
};

}  // namespace hearth
