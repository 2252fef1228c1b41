// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cli/progress_format.h"

namespace hearth {
namespace {

ProgressState middle() {
  ProgressState state;
  state.step = 67;
  state.total = 555;
  state.loss = 3.21434;
  state.has_loss = true;
  state.tokens_per_second = 1893.4;
  state.memory_bytes = 1052266987;
  state.epoch = 0.362;
  state.epochs = 3;
  state.seconds_left = 252;
  return state;
}

int columns_of(const std::string& text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

TEST(Progress, sizes_are_read_as_people_write_them) {
  EXPECT_EQ(parse_bytes("5GB"), 5'000'000'000);
  EXPECT_EQ(parse_bytes("1.5 kb"), 1500);
  EXPECT_EQ(parse_bytes("2GiB"), int64_t(2) << 30);
  EXPECT_EQ(parse_bytes("10m"), 10'000'000);
  EXPECT_EQ(parse_bytes("1024"), 1024);
  EXPECT_EQ(parse_bytes("12B"), 12);
  for (const char* wrong : {"", "GB", "-1GB", "5 apples", "5GBB", "5XB", "1e40", "nan", "inf", "9223372036854775808"})
    EXPECT_FALSE(parse_bytes(wrong)) << wrong;
}

TEST(ProgressFormat, bytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "0.98 KiB");
  EXPECT_EQ(format_bytes(1536), "1.50 KiB");
  EXPECT_EQ(format_bytes(13107200), "12.5 MiB");
  EXPECT_EQ(format_bytes(int64_t{1438814044}), "1.34 GiB");
  EXPECT_EQ(format_bytes(int64_t{80} << 30), "80.0 GiB");
  EXPECT_EQ(format_bytes(INT64_MAX), "8.00 EiB");
  EXPECT_EQ(format_bytes(-2048), "-2.00 KiB");
}

TEST(ProgressFormat, counts) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(-123456), "-123,456");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_short(7), "7");
  EXPECT_EQ(format_short(0.5), "0.50");
  EXPECT_EQ(format_short(999.7), "1.00k");
  EXPECT_EQ(format_short(14200000), "14.2M");
  EXPECT_EQ(format_short(1.1e9), "1.10B");
  EXPECT_EQ(format_short(NAN), "?");
}

TEST(ProgressFormat, durations) {
  EXPECT_EQ(format_seconds(0), "0.0 s");
  EXPECT_EQ(format_seconds(0.84), "0.8 s");
  EXPECT_EQ(format_seconds(9.96), "10 s");
  EXPECT_EQ(format_seconds(59.4), "59 s");
  EXPECT_EQ(format_seconds(59.6), "1 min 00 s");
  EXPECT_EQ(format_seconds(252), "4 min 12 s");
  EXPECT_EQ(format_seconds(3600 * 3 + 300), "3 h 05 min");
  EXPECT_EQ(format_seconds(86400 * 2 + 3600 * 3), "2 d 03 h");
  EXPECT_EQ(format_seconds(NAN), "?");
  EXPECT_EQ(format_seconds(-1), "?");
  EXPECT_EQ(format_seconds(1e300), "?");
}

TEST(ProgressLine, golden) {
  EXPECT_EQ(progress_bar_line("tuning", middle(), 120, true),
            "tuning   67/555   12% ███▌                            loss 3.2143  1,893 tok/s  0.98 GiB  4 min 12 s left "
            " epoch "
            "0.36/3");
  EXPECT_EQ(progress_bar_line("tuning", middle(), 100, false),
            "tuning   67/555   12% [........]  loss 3.2143  1,893 tok/s  0.98 GiB  4 min 12 s left  epoch 0.36/3");
  EXPECT_EQ(progress_log_line("tuning", middle()),
            "tuning   67/555   12%  loss 3.2143  1,893 tok/s  0.98 GiB  4 min 12 s left  epoch 0.36/3");
}

TEST(ProgressLine, a_narrow_terminal_keeps_what_matters) {
  EXPECT_EQ(progress_bar_line("tuning", middle(), 64, false),
            "tuning   67/555   12% [#........]  loss 3.2143  4 min 12 s left");
  EXPECT_EQ(progress_bar_line("tuning", middle(), 25, true), "tuning   67/555   12%");
  for (int width = 1; width < 200; ++width)
    for (bool utf8 : {false, true})
      EXPECT_LE(columns_of(progress_bar_line("tuning", middle(), width, utf8)), std::max(1, width - 1)) << width;
}

TEST(ProgressLine, the_bar_fills_in_eighths) {
  ProgressState state;
  state.total = 240;  // 30 cells of 8
  const auto bar = [&](int64_t step) {
    state.step = step;
    return progress_bar_line("x", state, 200, true);
  };
  EXPECT_EQ(bar(0), "x    0/240    0% " + std::string(30, ' '));
  EXPECT_EQ(bar(1), "x    1/240    0% ▏" + std::string(29, ' '));
  EXPECT_EQ(bar(15), "x   15/240    6% █▉" + std::string(28, ' '));
  std::string full;
  for (int i = 0; i < 30; ++i) full += "█";
  EXPECT_EQ(bar(240), "x  240/240  100% " + full);
  EXPECT_EQ(bar(300).substr(0, 17), "x  300/240  100% ");
}

TEST(ProgressLine, unknown_numbers_are_left_out) {
  ProgressState state;
  state.step = 5;
  EXPECT_EQ(progress_bar_line("x", state, 80, true), "x  step 5");
  state.has_loss = true;
  EXPECT_EQ(progress_log_line("x", state), "x  step 5  loss nan");
}

// Runs updates with a clock of its own and returns what was written.
class Recorder {
 public:
  Recorder() { EXPECT_EQ(pipe(pipe_), 0); }
  ~Recorder() { close(pipe_[0]); }
  ProgressOptions options(ProgressOptions::Mode mode) {
    ProgressOptions options;
    options.file = pipe_[1];
    options.mode = mode;
    options.width = 60;
    options.charset = ProgressOptions::Charset::ascii;
    options.seconds = [this] { return now; };
    return options;
  }
  std::string text() {
    close(pipe_[1]);
    std::string out;
    char buffer[4096];
    for (ssize_t n; (n = read(pipe_[0], buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<size_t>(n));
    return out;
  }
  double now = 100;

 private:
  int pipe_[2];
};

ProgressState at_step(int64_t step, int64_t total) {
  ProgressState state;
  state.step = step;
  state.total = total;
  return state;
}

TEST(Progress, log_lines_by_steps_and_the_last) {
  Recorder recorder;
  {
    ProgressOptions options = recorder.options(ProgressOptions::Mode::log);
    options.every_steps = 4;
    Progress progress(options);
    for (int step = 1; step <= 10; ++step) {
      recorder.now += 1;
      progress.update(at_step(step, 10));
    }
  }
  EXPECT_EQ(recorder.text(), "tuning   4/10   40%  6.0 s left\ntuning   8/10   80%  2.0 s left\ntuning  10/10  100%\n");
}

TEST(Progress, log_lines_by_time) {
  Recorder recorder;
  {
    ProgressOptions options = recorder.options(ProgressOptions::Mode::log);
    options.every_steps = 1000;
    Progress progress(options);
    for (int step = 1; step <= 3; ++step) {
      recorder.now += 6;
      progress.update(at_step(step, 100));
    }
    progress.message("saved");
  }  // step 3 was not shown yet: finishing does it
  EXPECT_EQ(recorder.text(), "tuning    2/100    2%  9 min 48 s left\nsaved\ntuning    3/100    3%  9 min 42 s left\n");
}

TEST(Progress, a_resumed_run_measures_its_own_steps) {
  Recorder recorder;
  {
    ProgressOptions options = recorder.options(ProgressOptions::Mode::log);
    options.first_step = 50;
    options.every_steps = 1;
    Progress progress(options);
    recorder.now += 2;
    progress.update(at_step(51, 100));
  }
  EXPECT_EQ(recorder.text(), "tuning   51/100   51%  1 min 38 s left\n");
}

TEST(Progress, the_terminal_line_is_rewritten_ten_times_a_second) {
  Recorder recorder;
  {
    Progress progress(recorder.options(ProgressOptions::Mode::terminal));
    for (int step = 1; step <= 1000; ++step) {
      recorder.now += 0.001;
      progress.update(at_step(step, 1000));
    }
  }
  const std::string text = recorder.text();
  const int64_t redraws = std::count(text.begin(), text.end(), '\r');
  EXPECT_GE(redraws, 9);
  EXPECT_LE(redraws, 12);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_TRUE(text.ends_with("\rtuning  1,000/1,000  100% [##############################]\x1b[K\n")) << text;
}

TEST(Progress, messages_stand_above_the_bar) {
  Recorder recorder;
  {
    Progress progress(recorder.options(ProgressOptions::Mode::terminal));
    progress.update(at_step(1, 2));
    progress.message("saved");
    progress.message("again");
    progress.update(at_step(2, 2));
  }
  const std::string left = "#############..............", full(30, '#');
  EXPECT_EQ(recorder.text(), "\rtuning  1/2   50% [" + left +
                                 "]  0.0 s left\x1b[K\r\x1b[Ksaved\nagain\n\rtuning  2/2  100% [" + full + "]\x1b[K\n");
}

TEST(Progress, quiet_is_silent) {
  Recorder recorder;
  {
    ProgressOptions options = recorder.options(ProgressOptions::Mode::log);
    options.quiet = true;
    Progress progress(options);
    progress.update(at_step(2, 2));
    progress.message("saved");
  }
  EXPECT_EQ(recorder.text(), "");
}

TEST(Progress, a_pipe_is_no_terminal) {
  Recorder recorder;
  {
    Progress progress(recorder.options(ProgressOptions::Mode::detect));
    progress.update(at_step(2, 2));
  }
  EXPECT_EQ(recorder.text(), "tuning  2/2  100%\n");
}

TEST(Progress, nothing_shown_before_the_first_update) {
  Recorder recorder;
  { Progress progress(recorder.options(ProgressOptions::Mode::terminal)); }
  EXPECT_EQ(recorder.text(), "");
}

}  // namespace
}  // namespace hearth
