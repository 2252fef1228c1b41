// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/svg_chart.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "base/error.h"
#include "train/metrics/svg_axis.h"

namespace hearth {

static constexpr const char* kPalette[] = {"#2563eb", "#ea580c", "#16a34a", "#7c3aed", "#dc2626", "#0d9488"};
static constexpr double kTop = 104, kBottom = 58, kLeft = 72, kRight = 84;  // margins around the plot, pixels
static constexpr double kLargest = 1e100;                                   // beyond it differences would overflow

namespace {
struct Plot {
  ChartAxis x, y;
  double left, top, width, height;  // of the drawing area in pixels
  double px(double value) const { return left + (value - x.low) / (x.high - x.low) * width; }
  double py(double value) const { return top + height - (value - y.low) / (y.high - y.low) * height; }
};
}  // namespace

static bool drawable(const ChartSeries& series, size_t i) {
  return std::fabs(series.x[i]) < kLargest && std::fabs(series.y[i]) < kLargest;  // false for NaN
}

static std::string color_of(const ChartSeries& series) {
  const int count = static_cast<int>(std::size(kPalette));
  return kPalette[((series.color % count) + count) % count];
}

static bool make_plot(const Chart& chart, Plot* plot) {
  double x_low = kLargest, x_high = -kLargest, y_low = kLargest, y_high = -kLargest;
  bool whole = true;
  for (const ChartSeries& series : chart.series) {
    HEARTH_CHECK(series.x.size() == series.y.size(), value, "chart: series '", series.name, "' has ", series.x.size(),
                 " x but ", series.y.size(), " y");
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (!drawable(series, i)) continue;
      x_low = std::min(x_low, series.x[i]);
      x_high = std::max(x_high, series.x[i]);
      y_low = std::min(y_low, series.y[i]);
      y_high = std::max(y_high, series.y[i]);
      whole = whole && series.x[i] == std::floor(series.x[i]);
    }
  }
  plot->left = kLeft;
  plot->top = kTop;
  plot->width = std::max(50.0, chart.width - kLeft - kRight);
  plot->height = std::max(50.0, chart.height - kTop - kBottom);
  const bool any = x_low <= x_high;
  plot->x = make_axis(any ? x_low : 0, any ? x_high : 1, std::max(2, int(plot->width / 95)), 0, whole && any);
  plot->y = make_axis(any ? y_low : 0, any ? y_high : 1, std::max(2, int(plot->height / 58)), 0.06, false);
  return any;
}

static std::string draw_frame(const Chart& chart, const Plot& plot) {
  std::string out;
  const double bottom = plot.top + plot.height, right = plot.left + plot.width;
  out += "<g stroke=\"#e5e7eb\" stroke-width=\"1\">\n";
  for (double tick : plot.y.ticks)
    out += fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}\"/>\n", plot.left, plot.py(tick), right);
  out += "</g>\n<g stroke=\"#9ca3af\" stroke-width=\"1\">\n";
  out += fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}\"/>\n", plot.left, bottom, right);
  for (double tick : plot.x.ticks) out += fmt::format("<path d=\"M{:.1f} {:.1f}v5\"/>\n", plot.px(tick), bottom);
  out += "</g>\n<g fill=\"#6b7280\" font-size=\"13\">\n<g text-anchor=\"end\">\n";
  for (double tick : plot.y.ticks)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", plot.left - 10, plot.py(tick) + 4.5,
                       plot.y.label(tick));
  out += "</g>\n<g text-anchor=\"middle\">\n";
  for (double tick : plot.x.ticks)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", plot.px(tick), bottom + 21, plot.x.label(tick));
  out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"#374151\">{}</text>\n</g>\n", plot.left + plot.width / 2,
                     bottom + 44, xml_text(chart.x_label));
  const double middle = plot.top + plot.height / 2;
  return out + fmt::format(
                   "<text transform=\"translate(22 {:.1f}) rotate(-90)\" text-anchor=\"middle\" fill=\"#374151\">"
                   "{}</text>\n</g>\n",
                   middle, xml_text(chart.y_label));
}

namespace {
// Collects a path; points that fall into the same half-pixel column are reduced to first, lowest, highest and last.
class PathMaker {
 public:
  void point(double x, double y) {
    const double column = std::floor(x * 2);
    if (column != column_) {
      flush();
      if (gap_) end_run();
    }
    gap_ = false;
    column_ = column;
    pending_.push_back({x, y, order_++});
    if (pending_.size() > 64) pending_ = reduced();
  }
  void gap() { gap_ = true; }  // one inside a column is too narrow to see
  std::string finish() {
    flush();
    end_run();
    return std::move(text_);
  }

 private:
  struct Point {
    double x, y;
    int64_t order;
  };
  std::vector<Point> reduced() const {
    const auto lower = [](const Point& a, const Point& b) { return a.y < b.y; };
    const auto [low, high] = std::minmax_element(pending_.begin(), pending_.end(), lower);
    std::vector<Point> kept = {pending_.front(), *low, *high, pending_.back()};
    const auto earlier = [](const Point& a, const Point& b) { return a.order < b.order; };
    std::sort(kept.begin(), kept.end(), earlier);
    const auto same = [](const Point& a, const Point& b) { return a.order == b.order; };
    kept.erase(std::unique(kept.begin(), kept.end(), same), kept.end());
    return kept;
  }
  void flush() {
    if (pending_.empty()) return;
    for (const Point& p : reduced()) text_ += fmt::format("{}{:.1f} {:.1f}", run_++ ? "L" : "M", p.x, p.y);
    pending_.clear();
  }

  void end_run() {
    if (run_ == 1) text_ += "m-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0";  // a lone point becomes a dot
    run_ = 0;
  }

  std::string text_;
  std::vector<Point> pending_;
  double column_ = -1;
  bool gap_ = false;
  int64_t order_ = 0;
  int64_t run_ = 0;  // points since the last gap
};
}  // namespace

static std::string draw_dots(const ChartSeries& series, const Plot& plot) {
  std::string out = fmt::format("<g fill=\"#ffffff\" stroke=\"{}\" stroke-width=\"2\">\n", color_of(series));
  double last_x = -10, last_y = -10;
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (!drawable(series, i)) continue;
    const double x = plot.px(series.x[i]), y = plot.py(series.y[i]);
    if (std::hypot(x - last_x, y - last_y) < 3) continue;  // closer dots would only cover each other
    out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>\n", x, y);
    last_x = x;
    last_y = y;
  }
  return out + "</g>\n";
}

static std::string draw_series(const ChartSeries& series, const Plot& plot) {
  PathMaker path;
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (drawable(series, i))
      path.point(plot.px(series.x[i]), plot.py(series.y[i]));
    else
      path.gap();
  }
  const char* look = series.style == SeriesStyle::faint    ? "stroke-width=\"1.2\" stroke-opacity=\"0.3\""
                     : series.style == SeriesStyle::marked ? "stroke-width=\"1.6\" stroke-dasharray=\"2 5\""
                                                           : "stroke-width=\"2.4\"";
  std::string out = fmt::format(
      "<path d=\"{}\" fill=\"none\" stroke=\"{}\" {} stroke-linejoin=\"round\" "
      "stroke-linecap=\"round\"/>\n",
      path.finish(), color_of(series), look);
  return series.style == SeriesStyle::marked ? out + draw_dots(series, plot) : out;
}

// Widths of text are unknown without a font; 0.56 em is the mean of the usual sans-serif faces.
static double text_width(const std::string& text, double size) {
  int64_t characters = 0;
  for (char c : text) characters += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return static_cast<double>(characters) * size * 0.56;
}

static std::string draw_legend(const Chart& chart) {
  std::string out = "<g font-size=\"13\" fill=\"#374151\">\n";
  double x = kLeft;
  const double y = kTop - 20;
  for (const ChartSeries& series : chart.series) {
    if (series.name.empty()) continue;
    const double opacity = series.style == SeriesStyle::faint ? 0.4 : 1;
    const double thick = series.style == SeriesStyle::faint ? 1.6 : 2.6;
    if (series.style == SeriesStyle::marked)
      out += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"#ffffff\" stroke=\"{}\" stroke-width=\"2\"/>\n", x + 11,
          y - 4.5, color_of(series));
    else
      out += fmt::format(
          "<path d=\"M{:.1f} {:.1f}h22\" stroke=\"{}\" stroke-width=\"{}\" stroke-opacity=\"{}\" "
          "stroke-linecap=\"round\"/>\n",
          x, y - 4.5, color_of(series), thick, opacity);
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + 30, y, xml_text(series.name));
    x += 30 + text_width(series.name, 13) + 26;
  }
  return out + "</g>\n";
}

// The last value of each line at its right end, pushed apart where two would overlap.
static std::string draw_last_values(const Chart& chart, const Plot& plot) {
  struct Label {
    double x, y;
    std::string text, color;
  };
  std::vector<Label> labels;
  for (const ChartSeries& series : chart.series) {
    if (series.style == SeriesStyle::faint) continue;
    for (size_t i = series.x.size(); i-- > 0;) {
      if (!drawable(series, i)) continue;
      labels.push_back({plot.px(series.x[i]) + 11, plot.py(series.y[i]) + 4.5, fmt::format("{:.4g}", series.y[i]),
                        color_of(series)});
      break;
    }
  }
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
  for (size_t i = 1; i < labels.size(); ++i) labels[i].y = std::max(labels[i].y, labels[i - 1].y + 16);
  const double lowest = plot.top + plot.height - 2;
  for (size_t i = labels.size(); i-- > 0;)
    labels[i].y = std::min(labels[i].y, i + 1 < labels.size() ? labels[i + 1].y - 16 : lowest);
  std::string out = "<g font-size=\"13\" font-weight=\"600\">\n";
  for (const Label& label : labels)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\">{}</text>\n", label.x, label.y, label.color,
                       label.text);
  return out + "</g>\n";
}

std::string svg_chart(const Chart& chart) {
  Plot plot;
  const bool any = make_plot(chart, &plot);
  const std::string title = xml_text(chart.title);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif\">\n"
      "<title>{2}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
      chart.width, chart.height, title);
  out += fmt::format("<text x=\"{}\" y=\"36\" font-size=\"20\" font-weight=\"600\" fill=\"#111827\">{}</text>\n", kLeft,
                     title);
  out += fmt::format("<text x=\"{}\" y=\"58\" font-size=\"13\" fill=\"#6b7280\">{}</text>\n", kLeft,
                     xml_text(chart.subtitle));
  out += draw_legend(chart) + draw_frame(chart, plot);
  for (const ChartSeries& series : chart.series) out += draw_series(series, plot);
  out += draw_last_values(chart, plot);
  if (!any)
    out += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" font-size=\"15\" fill=\"#6b7280\">"
        "nothing to draw yet</text>\n",
        plot.left + plot.width / 2, plot.top + plot.height / 2);
  return out + "</svg>\n";
}

void write_svg(const std::string& path, const Chart& chart) {
  const std::string temporary = path + ".tmp";
  std::ofstream file(temporary, std::ios::binary);
  file << svg_chart(chart);
  file.close();
  HEARTH_CHECK(file, file, "chart: cannot write ", temporary);
  HEARTH_CHECK(std::rename(temporary.c_str(), path.c_str()) == 0, file, "chart: cannot rename ", temporary, " to ",
               path);
}

}  // namespace hearth
