// SPDX-License-Identifier: Apache-2.0
// From a run's log to the picture of its losses.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/metrics/svg_chart.h"

namespace hearth {

std::vector<double> smoothed(const std::vector<double>& y, double reach) {
  // Sums of weights and of weighted values over what lies before each point (itself included), then over what lies
  // after it; the point itself is counted twice and taken off once.
  const double keep = reach > 0 ? std::exp(-1 / reach) : 0;
  std::vector<double> value(y.size()), weight(y.size());
  double sum = 0, total = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    const double w = std::isfinite(y[i]) ? 1 : 0;
    sum = sum * keep + (w > 0 ? y[i] : 0);
    total = total * keep + w;
    value[i] = sum;
    weight[i] = total;
  }
  sum = total = 0;
  for (size_t i = y.size(); i-- > 0;) {
    value[i] += sum * keep;
    weight[i] += total * keep;
    sum = sum * keep + (std::isfinite(y[i]) ? y[i] : 0);
    total = total * keep + (std::isfinite(y[i]) ? 1 : 0);
    value[i] = std::isfinite(y[i]) ? value[i] / weight[i] : y[i];  // a gap stays a gap
  }
  return value;
}

static ChartSeries collect(const std::vector<LogLine>& log, const std::string& key, ChartSeries series) {
  for (const LogLine& line : log) {
    const std::optional<double> value = line.find(key);
    if (!value) continue;
    series.x.push_back(static_cast<double>(line.step));
    series.y.push_back(*value);
  }
  return series;
}

Chart loss_chart(const std::vector<LogLine>& log, const std::string& title) {
  Chart chart{.title = title, .x_label = "optimizer step", .y_label = "loss (nats per token)"};
  ChartSeries raw = collect(log, "loss", {.name = "train, each step", .x = {}, .y = {}, .style = SeriesStyle::faint});
  ChartSeries eval =
      collect(log, "eval_loss", {.name = "held-out text", .x = {}, .y = {}, .style = SeriesStyle::marked, .color = 1});
  ChartSeries smooth{
      .name = "train, smoothed", .x = raw.x, .y = smoothed(raw.y, std::clamp(raw.y.size() / 60.0, 1.0, 200.0))};
  if (!raw.x.empty()) {
    chart.subtitle = fmt::format("{:.0f} steps", raw.x.back());
    if (!eval.y.empty() && std::isfinite(eval.y.back()))
      chart.subtitle +=
          fmt::format(" · held-out loss {:.4g}, perplexity {:.4g}", eval.y.back(), std::exp(eval.y.back()));
  }
  const bool smooth_helps = raw.y.size() >= 20;  // fewer points are a line already
  if (!smooth_helps) {
    raw.style = SeriesStyle::line;
    raw.name = "train";
  }
  if (!raw.x.empty()) chart.series.push_back(std::move(raw));
  if (smooth_helps) chart.series.push_back(std::move(smooth));
  if (!eval.x.empty()) chart.series.push_back(std::move(eval));
  return chart;
}

}  // namespace hearth
