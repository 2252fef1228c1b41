// SPDX-License-Identifier: Apache-2.0
// Statistics, sorting, searching, sets.
#include "base/error.h"
#include "call.h"

namespace hearth {

namespace {

SumOptions sums(const Call& c) { return {.axis = c.axes(), .keepdims = c.keepdims(), .dtype = c.maybe_dtype()}; }
ReduceOptions reduces(const Call& c) { return {.axis = c.axes(), .keepdims = c.keepdims()}; }
VarianceOptions varies(const Call& c) {
  return {.axis = c.axes(), .keepdims = c.keepdims(), .correction = c.get<double>("correction", 0)};
}
CumulativeOptions accumulates(const Call& c) {
  return {.axis = c.maybe<int64_t>("axis"),
          .dtype = c.maybe_dtype(),
          .include_initial = c.get<bool>("include_initial", false)};
}
QuantileOptions quantiles(const Call& c) {
  return {.axis = c.axes(), .keepdims = c.keepdims(), .method = c.get<std::string>("method", "linear")};
}
ArgOptions places(const Call& c) {
  return {
      .axis = c.maybe<int64_t>("axis"), .keepdims = c.keepdims(), .index = c.maybe_dtype("index").value_or(DType::i32)};
}

#define HEARTH_CALL_WITH(f, options)                              \
  {                                                               \
#f, [](const Call& c) { return Arrays{f(c[0], options(c))}; } \
  }
#define HEARTH_CALL_TWO_WITH(f, options)                                \
  {                                                                     \
#f, [](const Call& c) { return Arrays{f(c[0], c[1], options(c))}; } \
  }

const CallTable kStatistics = {
    HEARTH_CALL_WITH(sum, sums),
    HEARTH_CALL_WITH(prod, sums),
    HEARTH_CALL_WITH(mean, sums),
    HEARTH_CALL_WITH(max, reduces),
    HEARTH_CALL_WITH(min, reduces),
    HEARTH_CALL_WITH(ptp, reduces),
    HEARTH_CALL_WITH(all, reduces),
    HEARTH_CALL_WITH(any, reduces),
    HEARTH_CALL_WITH(count_nonzero, reduces),
    HEARTH_CALL_WITH(var, varies),
    HEARTH_CALL_WITH(stddev, varies),
    HEARTH_CALL_WITH(cumulative_sum, accumulates),
    HEARTH_CALL_WITH(cumulative_prod, accumulates),
    HEARTH_CALL_WITH(nansum, sums),
    HEARTH_CALL_WITH(nanprod, sums),
    HEARTH_CALL_WITH(nanmean, reduces),
    HEARTH_CALL_WITH(nanvar, varies),
    HEARTH_CALL_WITH(nanstd, varies),
    HEARTH_CALL_WITH(nanmax, reduces),
    HEARTH_CALL_WITH(nanmin, reduces),
    HEARTH_CALL_WITH(nanargmax, places),
    HEARTH_CALL_WITH(nanargmin, places),
    HEARTH_CALL_WITH(nancumsum, accumulates),
    HEARTH_CALL_WITH(nancumprod, accumulates),
    HEARTH_CALL_WITH(median, reduces),
    HEARTH_CALL_WITH(nanmedian, reduces),
    HEARTH_CALL_TWO_WITH(quantile, quantiles),
    HEARTH_CALL_TWO_WITH(nanquantile, quantiles),
    HEARTH_CALL_TWO_WITH(percentile, quantiles),
    HEARTH_CALL_TWO_WITH(nanpercentile, quantiles),
    HEARTH_CALL_WITH(argmax, places),
    HEARTH_CALL_WITH(argmin, places),
    {"average", [](const Call& c) { return Arrays{average(c[0], c.maybe_array("weights"), reduces(c))}; }},
    {"diff",
     [](const Call& c) {
       return Arrays{diff(c[0], {.n = c.integer("n", 1),
                                 .axis = c.integer("axis", -1),
                                 .prepend = c.maybe_array("prepend"),
                                 .append = c.maybe_array("append")})};
     }},
};

SortOptions orders(const Call& c) { return {.descending = c.get<bool>("descending", false)}; }

const CallTable kOrder = {
    {"sort", [](const Call& c) { return Arrays{sort(c[0], c.integer("axis", -1), orders(c))}; }},
    {"argsort", [](const Call& c) { return Arrays{argsort(c[0], c.integer("axis", -1), orders(c))}; }},
    {"lexsort", [](const Call& c) { return Arrays{lexsort(c.arrays(), c.integer("axis", -1))}; }},
    {"partition", [](const Call& c) { return Arrays{partition(c[0], c.integer("kth"), c.integer("axis", -1))}; }},
    {"argpartition", [](const Call& c) { return Arrays{argpartition(c[0], c.integer("kth"), c.integer("axis", -1))}; }},
    {"top_k",
     [](const Call& c) {
       const TopKResult top = top_k(c[0], c.integer("k"), c.integer("axis", -1));
       return Arrays{top.values, top.indices};
     }},
    {"nonzero", [](const Call& c) { return nonzero(c[0]); }},
    HEARTH_CALL_ONE(flatnonzero),
    HEARTH_CALL_ONE(argwhere),
    {"searchsorted",
     [](const Call& c) {
       return Arrays{
           searchsorted(c[0], c[1], {.side = c.get<std::string>("side", "left"), .sorter = c.maybe_array("sorter")})};
     }},
    {"take",
     [](const Call& c) {
       const std::map<std::string, TakeMode> modes = {
           {"clip", TakeMode::clip}, {"wrap", TakeMode::wrap}, {"fill", TakeMode::fill}};
       return Arrays{
           take(c[0], c[1], {.axis = c.maybe<int64_t>("axis"), .mode = modes.at(c.get<std::string>("mode", "fill"))})};
     }},
    {"take_along_axis", [](const Call& c) { return Arrays{take_along_axis(c[0], c[1], c.integer("axis", -1))}; }},
    {"compress", [](const Call& c) { return Arrays{compress(c[0], c[1], c.maybe<int64_t>("axis"))}; }},
    {"select",
     [](const Call& c) {
       const size_t n = (c.arrays().size() - 1) / 2;  // conditions, choices, otherwise
       const auto at = c.arrays().begin();
       return Arrays{select(Arrays(at, at + n), Arrays(at + n, at + 2 * n), c[2 * n])};
     }},
};

Arrays list(const UniqueAll& u) { return {u.values, u.indices, u.inverse_indices, u.counts}; }

const CallTable kSets = {
    HEARTH_CALL_ONE(unique_values),
    HEARTH_CALL_TWO(union1d),
    HEARTH_CALL_TWO(intersect1d),
    HEARTH_CALL_TWO(setdiff1d),
    HEARTH_CALL_TWO(setxor1d),
    {"unique_counts",
     [](const Call& c) {
       const UniqueCounts u = unique_counts(c[0]);
       return Arrays{u.values, u.counts};
     }},
    {"unique_inverse",
     [](const Call& c) {
       const UniqueInverse u = unique_inverse(c[0]);
       return Arrays{u.values, u.inverse_indices};
     }},
    {"unique_all", [](const Call& c) { return list(unique_all(c[0])); }},
    {"unique_slices", [](const Call& c) { return list(unique_slices(c[0], c.integer("axis"))); }},
    {"isin", [](const Call& c) { return Arrays{isin(c[0], c[1], {.invert = c.get<bool>("invert", false)})}; }},
};

}  // namespace

void add_statistics_calls(CallTable& table) {
  for (const CallTable* rows : {&kStatistics, &kOrder, &kSets}) table.insert(rows->begin(), rows->end());
}

}  // namespace hearth
