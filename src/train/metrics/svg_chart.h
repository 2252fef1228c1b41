// SPDX-License-Identifier: Apache-2.0
#pragma once
// A line chart as an SVG file: white background, no scripts, no fonts of its own, so that any viewer shows it alike.

#include <cstdint>
#include <string>
#include <vector>

#include "train/metrics/jsonl_log.h"

namespace hearth {

enum class SeriesStyle {
  line,    // a line, its last value written at its end
  faint,   // a thin pale line: raw values behind a smoothed line of the same colour
  marked,  // dashed line with a dot at each point, its last value written at its end
};

struct ChartSeries {
  std::string name;                    // in the legend; empty: not there
  std::vector<double> x = {}, y = {};  // of equal length; a point that is NaN, infinite or beyond 1e100 is a gap
  SeriesStyle style = SeriesStyle::line;
  int color = 0;  // place in the palette: 0 blue, 1 orange, 2 green, 3 violet, 4 red, 5 teal
};

struct Chart {
  std::string title;
  std::string subtitle = {};
  std::string x_label = {};
  std::string y_label = {};  // with its unit: "loss (nats per token)"
  std::vector<ChartSeries> series = {};
  int width = 960;
  int height = 540;
};

// The file's text. Any number of points: what falls into one pixel column is drawn by its first, lowest, highest and
// last.
std::string svg_chart(const Chart& chart);

// Mean of y around each point with weights exp(-distance / reach), NaN left out: no lag, and fair at both ends. O(n).
std::vector<double> smoothed(const std::vector<double>& y, double reach);

// Loss of a training run over its steps: each step faint, smoothed, and the evaluations ("eval_loss") if there are any.
Chart loss_chart(const std::vector<LogLine>& log, const std::string& title);

// Writes to a temporary name and renames, so that a viewer never sees half a picture. Throws Error{file}.
void write_svg(const std::string& path, const Chart& chart);

}  // namespace hearth
