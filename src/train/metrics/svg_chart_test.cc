// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/svg_chart.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/file_test_folder.h"
#include "train/metrics/svg_axis.h"

namespace hearth {
namespace {

std::vector<std::string> labels(const ChartAxis& axis) {
  std::vector<std::string> texts;
  for (double tick : axis.ticks) texts.push_back(axis.label(tick));
  return texts;
}
using Words = std::vector<std::string>;

int64_t count(const std::string& text, const std::string& part) {
  int64_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

Chart chart_of(std::vector<double> x, std::vector<double> y) {
  return {.title = "t", .series = {{.name = "s", .x = std::move(x), .y = std::move(y)}}};
}

TEST(SvgAxis, round_ticks) {
  EXPECT_EQ(labels(make_axis(0, 555, 6, 0, true)), (Words{"0", "100", "200", "300", "400", "500"}));
  EXPECT_EQ(labels(make_axis(2.9, 6.2, 6, 0, false)), (Words{"3", "4", "5", "6"}));
  EXPECT_EQ(labels(make_axis(0, 1, 4, 0, false)), (Words{"0.00", "0.25", "0.50", "0.75", "1.00"}));
  EXPECT_EQ(labels(make_axis(1, 2, 10, 0, true)), (Words{"1", "2"}));  // no half steps
  EXPECT_EQ(labels(make_axis(0, 12000, 4, 0, true)), (Words{"0", "5,000", "10,000"}));
  EXPECT_EQ(labels(make_axis(-2000, 2000, 2, 0, true)), (Words{"-2,000", "0", "2,000"}));
  EXPECT_EQ(labels(make_axis(0, 4e9, 2, 0, false)), (Words{"0", "2e+09", "4e+09"}));
}

TEST(SvgAxis, degenerate_ranges) {
  for (const double value : {0.0, 5.0, -5.0, 1e-300, 1e99, -1e99}) {
    const ChartAxis axis = make_axis(value, value, 5, 0.05, false);
    EXPECT_LT(axis.low, value);
    EXPECT_GT(axis.high, value);
    EXPECT_GE(axis.ticks.size(), 2u) << value;
    EXPECT_LE(axis.ticks.size(), 12u) << value;
  }
  EXPECT_EQ(make_axis(0, 0, 5, 0, true).low, 0);
  EXPECT_EQ(make_axis(3, 1, 5, 0, false).low, 1);
  EXPECT_LE(make_axis(1, 1 + 1e-15, 5, 0, false).ticks.size(), 12u);
}

TEST(SvgAxis, margin_does_not_cross_zero) {
  EXPECT_EQ(make_axis(0.01, 10, 5, 0.1, false).low, 0);
  EXPECT_EQ(make_axis(-10, -0.01, 5, 0.1, false).high, 0);
  EXPECT_NEAR(make_axis(5, 10, 5, 0.1, false).low, 4.5, 1e-12);
}

TEST(SvgAxis, xml_text_is_safe) {
  EXPECT_EQ(xml_text("<a href=\"x\">&'</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;'&lt;/a&gt;");
  EXPECT_EQ(xml_text("grün 🔥"), "grün 🔥");
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(xml_text("a\x01\xff"
                     "b"),
            "a" + bad + bad + "b");
  EXPECT_EQ(xml_text("\xc0\xaf"), bad + bad);            // overlong
  EXPECT_EQ(xml_text("\xed\xa0\x80"), bad + bad + bad);  // surrogate
  EXPECT_EQ(xml_text("\xe2\x82"), bad + bad);            // cut short
  EXPECT_EQ(xml_text(std::string("\0", 1)), bad);
}

TEST(SvgChart, no_point_says_so) {
  const std::string svg = svg_chart(chart_of({}, {}));
  EXPECT_NE(svg.find("nothing to draw yet"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg_chart({.title = "t"}).find("inf"), std::string::npos);
}

TEST(SvgChart, one_point_is_a_dot) {
  const std::string svg = svg_chart(chart_of({1}, {2}));
  EXPECT_EQ(count(svg, "a2 2 0 1 0"), 2);
  EXPECT_EQ(count(svg, ">2</text>"), 2) << svg;  // tick and last value
}

std::string line_of(const std::string& svg) {
  const size_t end = svg.find("fill=\"none\"");
  const size_t begin = svg.rfind("d=\"", end) + 3;
  return svg.substr(begin, svg.find('"', begin) - begin);
}

TEST(SvgChart, two_points_are_a_line) {
  const std::string path = line_of(svg_chart(chart_of({1, 2}, {2, 3})));
  EXPECT_TRUE(path.starts_with("M72.0 ")) << path;
  EXPECT_EQ(count(path, "L876.0 "), 1) << path;
}

TEST(SvgChart, not_a_number_is_a_gap) {
  const double nan = std::nan("");
  const std::string path = line_of(svg_chart(chart_of({1, 2, 3, 4, 5, 6}, {1, 2, nan, INFINITY, 2, 1e200})));
  EXPECT_EQ(count(path, "M"), 2) << path;
  EXPECT_EQ(count(path, "L"), 1) << path;
  EXPECT_EQ(path.find("nan"), std::string::npos);
  EXPECT_EQ(path.find("inf"), std::string::npos);
}

TEST(SvgChart, a_million_points_stay_small_and_keep_extremes) {
  std::vector<double> x(1000000), y(1000000, 1.0);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
  y[123456] = 100;  // one point among a thousand in its column
  y[654321] = -100;
  const std::string svg = svg_chart(chart_of(x, y));
  EXPECT_LT(svg.size(), 200000u);
  const ChartAxis axis = make_axis(-100, 100, 6, 0.06, false);
  const double top = 104 + 378 * (axis.high - 100) / (axis.high - axis.low);  // plot: 378 pixels from 104 down
  double highest = 1e9, lowest = 0;
  std::istringstream words(line_of(svg));
  for (double x_pixel, y_pixel; words.ignore(1) && words >> x_pixel >> y_pixel;) {
    highest = std::min(highest, y_pixel);
    lowest = std::max(lowest, y_pixel);
  }
  EXPECT_NEAR(highest, top, 0.1);
  EXPECT_NEAR(lowest, 104 + 378 - (top - 104), 0.1);
  for (size_t i = 0; i < y.size(); i += 2) y[i] = std::nan("");
  EXPECT_LT(svg_chart(chart_of(x, y)).size(), 200000u);
}

TEST(SvgChart, x_and_y_of_different_length_are_refused) { EXPECT_THROW(svg_chart(chart_of({1, 2}, {1})), Error); }

TEST(SvgChart, text_is_escaped_and_nothing_is_active) {
  Chart chart = chart_of({1, 2}, {1, 2});
  chart.title = "<script>alert(1)</script>";
  chart.series[0].name = "a & b";
  const std::string svg = svg_chart(chart);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find("a &amp; b"), std::string::npos);
  EXPECT_EQ(svg.find("url("), std::string::npos);
}

TEST(SvgChart, last_values_do_not_overlap) {
  Chart chart{.title = "t"};
  for (int i = 0; i < 6; ++i)
    chart.series.push_back({.name = "s", .x = {0, 1}, .y = {0.0, 1.0 + i * 1e-3}, .color = i});
  const std::string svg = svg_chart(chart);
  std::vector<double> heights;
  size_t at = svg.find("font-weight=\"600\">\n<text");
  while ((at = svg.find(" y=\"", at + 1)) != std::string::npos) heights.push_back(std::atof(svg.c_str() + at + 4));
  ASSERT_EQ(heights.size(), 6u);
  for (size_t i = 1; i < heights.size(); ++i) EXPECT_GE(heights[i] - heights[i - 1], 15.9);
}

TEST(SvgChart, a_real_renderer_reads_it) {
  if (std::system("command -v rsvg-convert >/dev/null 2>&1") != 0) GTEST_SKIP() << "SKIP no rsvg-convert";
  const std::string path = (std::filesystem::temp_directory_path() / cat("hearth_chart_", getpid(), ".svg")).string();
  Chart chart = chart_of({0, 1, 2, 3}, {3, 1, std::nan(""), 2});
  chart.title = "a <b> & \x01 \xff ü";
  write_svg(path, chart);
  EXPECT_EQ(std::system(("rsvg-convert " + path + " -o " + path + ".png").c_str()), 0);
  EXPECT_GT(std::filesystem::file_size(path + ".png"), 5000u);
  std::filesystem::remove(path + ".png");
  std::filesystem::remove(path);
}

TEST(SvgChart, write_errors_name_the_path) {
  EXPECT_EQ(error_of(Kind::file, [] { write_svg("/no/such/folder/loss.svg", {.title = "t"}); }),
            "chart: cannot write /no/such/folder/loss.svg.tmp");
}

TEST(LossChart, smoothing_keeps_constants_lines_and_gaps) {
  for (double value : smoothed(std::vector<double>(50, 3.0), 10)) EXPECT_NEAR(value, 3.0, 1e-12);
  std::vector<double> line(101);
  for (size_t i = 0; i < line.size(); ++i) line[i] = static_cast<double>(i);
  EXPECT_NEAR(smoothed(line, 5)[50], 50, 1e-6);  // symmetric: no lag
  line[50] = std::nan("");
  EXPECT_TRUE(std::isnan(smoothed(line, 5)[50]));
  EXPECT_NEAR(smoothed(line, 5)[49], 49, 0.2);
  EXPECT_TRUE(smoothed({}, 5).empty());
  EXPECT_EQ(smoothed({1, 2}, 0), (std::vector<double>{1, 2}));
}

TEST(LossChart, smoothing_equals_its_definition) {
  const std::vector<double> y = {1, 5, 2, std::nan(""), 8, 3};
  const std::vector<double> got = smoothed(y, 2);
  for (size_t i = 0; i < y.size(); ++i) {
    if (std::isnan(y[i])) continue;
    double sum = 0, total = 0;
    for (size_t j = 0; j < y.size(); ++j) {
      if (std::isnan(y[j])) continue;
      const double weight = std::exp(-std::fabs(double(i) - double(j)) / 2);
      sum += weight * y[j];
      total += weight;
    }
    EXPECT_NEAR(got[i], sum / total, 1e-12) << i;
  }
}

TEST(LossChart, series_of_a_run) {
  std::vector<LogLine> log;
  for (int step = 1; step <= 30; ++step) log.push_back({step, {{"loss", 3.0}}});
  EXPECT_EQ(loss_chart(log, "t").series.size(), 2u);  // each step, smoothed
  log.push_back({30, {{"eval_loss", 2.0}}});
  const Chart chart = loss_chart(log, "t");
  ASSERT_EQ(chart.series.size(), 3u);
  EXPECT_EQ(chart.series[2].x, std::vector<double>{30});
  EXPECT_EQ(chart.subtitle, "30 steps · held-out loss 2, perplexity 7.389");
  log.resize(5);
  EXPECT_EQ(loss_chart(log, "t").series.size(), 1u);
  EXPECT_TRUE(loss_chart({}, "t").series.empty());
}

}  // namespace
}  // namespace hearth
