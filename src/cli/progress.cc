// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "base/clock.h"
#include "cli/progress_format.h"

namespace hearth {

static constexpr double kRedrawSeconds = 0.1;
static constexpr int kMinBar = 8, kMaxBar = 30;

static double share_done(const ProgressState& state) {
  if (state.total <= 0) return 0;
  return std::clamp(static_cast<double>(state.step) / static_cast<double>(state.total), 0.0, 1.0);
}

static std::string bar_text(double share, int cells, bool utf8) {
  if (!utf8) {
    const int full = static_cast<int>(share * cells);
    return "[" + std::string(full, '#') + std::string(cells - full, '.') + "]";
  }
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(share * cells * 8);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  text += kEighths[eighths % 8];
  text.append(static_cast<size_t>(cells - eighths / 8 - (eighths % 8 ? 1 : 0)), ' ');
  return text;
}

// Columns that UTF-8 text takes; wide characters do not occur in what is drawn here.
static int columns(const std::string& text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

namespace {
// The parts of a line in the order in which they stand. A part with a higher rank goes first when space is short.
struct Part {
  std::string text;
  int rank;
};
}  // namespace

static std::vector<Part> parts_of(const ProgressState& state) {
  std::vector<Part> parts;
  if (state.has_loss) parts.push_back({"loss " + format_loss(state.loss), 1});
  if (state.tokens_per_second > 0) {
    const double rate = state.tokens_per_second;
    parts.push_back({(rate < 1e6 ? format_count(std::llround(rate)) : format_short(rate)) + " tok/s", 3});
  }
  if (state.memory_bytes > 0) parts.push_back({format_bytes(state.memory_bytes), 4});
  const bool done = state.total > 0 && state.step >= state.total;
  if (std::isfinite(state.seconds_left) && !done) parts.push_back({format_seconds(state.seconds_left) + " left", 2});
  if (state.epochs > 0) parts.push_back({fmt::format("epoch {:.2f}/{:g}", state.epoch, state.epochs), 5});
  return parts;
}

static std::string step_text(const ProgressState& state) {
  if (state.total <= 0) return "step " + format_count(state.step);
  const std::string total = format_count(state.total);  // the step is padded so that the bar stands still
  return fmt::format("{:>{}}/{}  {:3.0f}%", format_count(state.step), total.size(), total,
                     std::floor(share_done(state) * 100));
}

static std::string join(const std::string& start, const std::vector<Part>& parts) {
  std::string text = start;
  for (const Part& part : parts) text += "  " + part.text;
  return text;
}

std::string progress_bar_line(const std::string& label, const ProgressState& state, int width, bool utf8) {
  const std::string start = label + "  " + step_text(state);
  std::vector<Part> parts = parts_of(state);
  const bool has_bar = state.total > 0;
  const int frame = utf8 ? 0 : 2;
  const int room = std::max(1, width - 1);
  const auto used = [&] { return columns(join(start, parts)) + (has_bar ? kMinBar + frame + 1 : 0); };
  while (!parts.empty() && used() > room)
    parts.erase(
        std::max_element(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.rank < b.rank; }));
  if (used() > room || !has_bar) return join(start, parts).substr(0, static_cast<size_t>(room));
  const int cells = std::min(kMaxBar, kMinBar + room - used());
  return join(start + " " + bar_text(share_done(state), cells, utf8), parts);
}

std::string progress_log_line(const std::string& label, const ProgressState& state) {
  return join(label + "  " + step_text(state), parts_of(state));
}

// The locale as the environment names it: the program itself stays in the "C" locale, so that numbers keep their point.
static bool environment_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    std::string lower = value;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    return lower.find("utf-8") != lower.npos || lower.find("utf8") != lower.npos;
  }
  return false;
}

static bool is_terminal(int file) {
  const char* term = std::getenv("TERM");
  return isatty(file) && (!term || std::string(term) != "dumb");
}

static int terminal_width(int file) {
  winsize size{};
  if (ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

Progress::Progress(ProgressOptions options) : options_(std::move(options)) {
  if (!options_.seconds) options_.seconds = seconds_now;
  using Mode = ProgressOptions::Mode;
  using Charset = ProgressOptions::Charset;
  terminal_ = options_.mode == Mode::terminal || (options_.mode == Mode::detect && is_terminal(options_.file));
  utf8_ = options_.charset == Charset::utf8 || (options_.charset == Charset::detect && environment_is_utf8());
  start_seconds_ = drawn_seconds_ = options_.seconds();
  start_step_ = drawn_step_ = options_.first_step;
}

Progress::~Progress() { finish(); }

double Progress::seconds_left(const ProgressState& state, double now) const {
  const double done = static_cast<double>(state.step - start_step_);
  if (state.total <= 0 || done <= 0) return std::numeric_limits<double>::quiet_NaN();
  return (now - start_seconds_) / done * static_cast<double>(std::max<int64_t>(0, state.total - state.step));
}

void Progress::update(const ProgressState& state) {
  if (options_.quiet) return;
  const double now = options_.seconds();
  last_ = state;
  last_.seconds_left = seconds_left(state, now);
  undrawn_ = true;
  const double waited = now - drawn_seconds_;
  const bool is_last = state.total > 0 && state.step >= state.total;
  const bool due = terminal_ ? !bar_shown_ || waited >= kRedrawSeconds
                             : state.step - drawn_step_ >= options_.every_steps || waited >= options_.every_seconds;
  if (due || is_last) draw(last_);
}

void Progress::draw(const ProgressState& state) {
  drawn_seconds_ = options_.seconds();
  drawn_step_ = state.step;
  undrawn_ = false;
  if (!terminal_) return write_text(progress_log_line(options_.label, state) + "\n");
  const int width = options_.width > 0 ? options_.width : terminal_width(options_.file);
  // To the start of the line, the new text, and the rest of the old one erased.
  write_text("\r" + progress_bar_line(options_.label, state, width, utf8_) + "\x1b[K");
  bar_shown_ = true;
}

void Progress::message(const std::string& text) {
  if (options_.quiet) return;
  write_text((bar_shown_ ? "\r\x1b[K" : "") + text + "\n");
  bar_shown_ = false;
}

void Progress::finish() {
  if (undrawn_) draw(last_);
  if (bar_shown_) write_text("\n");
  bar_shown_ = false;
}

void Progress::write_text(const std::string& text) const {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = write(options_.file, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    done += static_cast<size_t>(written);
  }
}

}  // namespace hearth
