// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "call.h"

namespace hearth {

namespace {

CovarianceOptions covariance_options(const Call& c) {
  return {.rowvar = c.get<bool>("rowvar", true),
          .correction = c.get<double>("correction", 1),
          .fweights = c.maybe_array("fweights"),
          .aweights = c.maybe_array("aweights")};
}

HistogramOptions histogram_options(const Call& c) {
  return {.range = c.maybe<std::pair<double, double>>("range"),
          .weights = c.maybe_array("weights"),
          .density = c.get<bool>("density", false)};
}

GradientOptions gradient_options(const Call& c) {
  GradientOptions options{.axis = c.axes(), .edge_order = c.integer("edge_order", 1)};
  for (const Json& spacing : c.get<Json>("spacing", Json::array())) options.spacing.push_back(c.array(spacing));
  return options;
}

const CallTable kNumpy = {
    {"cov",
     [](const Call& c) {
       return Arrays{c.arrays().size() == 2 ? cov(c[0], c[1], covariance_options(c))
                                            : cov(c[0], covariance_options(c))};
     }},
    {"corrcoef", [](const Call& c) { return Arrays{corrcoef(c[0], covariance_options(c))}; }},
    {"bincount",
     [](const Call& c) {
       return Arrays{bincount(c[0], {.weights = c.maybe_array("weights"),
                                     .minlength = c.integer("minlength"),
                                     .length = c.maybe<int64_t>("length")})};
     }},
    {"histogram",
     [](const Call& c) {
       const HistogramResult h = c.has("bins") ? histogram(c[0], c.integer("bins"), histogram_options(c))
                                               : histogram(c[0], c[1], histogram_options(c));
       return Arrays{h.counts, h.edges};
     }},
    {"histogram_bin_edges",
     [](const Call& c) { return Arrays{histogram_bin_edges(c[0], c.integer("bins", 10), histogram_options(c))}; }},
    {"digitize", [](const Call& c) { return Arrays{digitize(c[0], c[1], {.right = c.get<bool>("right", false)})}; }},
    {"interp",
     [](const Call& c) {
       return Arrays{interp(
           c[0], c[1], c[2],
           {.left = c.maybe_array("left"), .right = c.maybe_array("right"), .period = c.maybe<double>("period")})};
     }},
    {"trapezoid",
     [](const Call& c) {
       return Arrays{trapezoid(
           c[0], {.x = c.maybe_array("places"), .dx = c.get<double>("dx", 1), .axis = c.integer("axis", -1)})};
     }},
    {"gradient", [](const Call& c) { return gradient(c[0], gradient_options(c)); }},
    {"ediff1d",
     [](const Call& c) { return Arrays{ediff1d(c[0], c.maybe_array("to_end"), c.maybe_array("to_begin"))}; }},
    {"convolve", [](const Call& c) { return Arrays{convolve(c[0], c[1], c.get<std::string>("mode", "full"))}; }},
    {"correlate", [](const Call& c) { return Arrays{correlate(c[0], c[1], c.get<std::string>("mode", "valid"))}; }},
};

const CallTable kFiles = {
    {"npy_bytes", [](const Call& c) { return Arrays{text_array(npy_bytes(c[0]))}; }},
    {"parse_npy",
     [](const Call& c) {
       return Arrays{parse_npy({static_cast<const char*>(c[0].data()), size_t(c[0].size())}, "a case")};
     }},
    {"parse_npz",
     [](const Call& c) {
       Arrays all;
       for (const auto& [name, x] : parse_npz({static_cast<const char*>(c[0].data()), size_t(c[0].size())}, "a case")) {
         all.push_back(text_array(name));
         all.push_back(x);
       }
       return all;
     }},
    {"load_npy", [](const Call& c) { return Arrays{load_npy(c.get<std::string>("path"))}; }},
    {"save_npy",
     [](const Call& c) {
       save_npy(c.get<std::string>("path"), c[0]);
       return Arrays{};
     }},
};

}  // namespace

void add_numpy_calls(CallTable& table) {
  for (const CallTable* rows : {&kNumpy, &kFiles}) table.insert(rows->begin(), rows->end());
}

}  // namespace hearth
