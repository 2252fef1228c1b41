// SPDX-License-Identifier: Apache-2.0
// Inside jit these functions compute the same; those whose shape depends on elements refuse.
#include <gtest/gtest.h>

#include "array/einsum.h"
#include "array/fourier.h"
#include "array/jit.h"
#include "array/linear_algebra.h"
#include "array/numpy_extras.h"
#include "array/searching.h"
#include "array/sets.h"
#include "array/sorting.h"
#include "array/statistics_nan.h"
#include "array/statistics_order.h"
#include "base/error.h"

namespace hearth {
namespace {

TEST(StatisticsInJit, compute_the_same) {
  const Array x = array({{3.0f, 1.0f, 2.0f}, {0.5f, 9.0f, -4.0f}});
  const std::vector<std::pair<const char*, ArrayFunction>> functions = {
      {"stddev", [](const Arrays& in) { return Arrays{stddev(in[0], {.axis = 1})}; }},
      {"nanmax", [](const Arrays& in) { return Arrays{nanmax(in[0], {.axis = 0})}; }},
      {"median", [](const Arrays& in) { return Arrays{median(in[0])}; }},
      {"quantile", [](const Arrays& in) { return Arrays{quantile(in[0], 0.3, {.axis = 1})}; }},
      {"argsort", [](const Arrays& in) { return Arrays{argsort(in[0], 0)}; }},
      {"searchsorted",
       [](const Arrays& in) {
         return Arrays{searchsorted(array({0.0f, 1.0f, 2.5f}), in[0])};
       }},
      {"isin",
       [](const Arrays& in) {
         return Arrays{isin(in[0], array({1.0f, 9.0f}))};
       }},
      {"histogram", [](const Arrays& in) { return Arrays{histogram(in[0], 4).counts}; }},
      {"bincount", [](const Arrays& in) { return Arrays{bincount(argmax(in[0], {.axis = 1}), {.length = 3})}; }},
      {"interp",
       [](const Arrays& in) {
         return Arrays{interp(in[0], array({0.0f, 3.0f}), array({1.0f, 4.0f}))};
       }},
      {"convolve",
       [](const Arrays& in) {
         return Arrays{convolve(sum(in[0], {.axis = 0}), array({1.0f, 2.0f}))};
       }},
      {"einsum",
       [](const Arrays& in) {
         return Arrays{einsum("ij,kj->ik", {in[0], in[0]})};
       }},
      {"cov", [](const Arrays& in) { return Arrays{cov(in[0])}; }},
      {"gradient", [](const Arrays& in) { return gradient(in[0]); }},
  };
  for (const auto& [name, f] : functions) {
    const Arrays plain = f({x}), compiled = jit(f)({x});
    ASSERT_EQ(plain.size(), compiled.size()) << name;
    for (size_t k = 0; k < plain.size(); ++k) {
      EXPECT_EQ(plain[k].type(), compiled[k].type()) << name;
      const std::vector<float> a = plain[k].to_vector<float>(), b = compiled[k].to_vector<float>();
      for (size_t i = 0; i < a.size(); ++i) EXPECT_FLOAT_EQ(a[i], b[i]) << name << " element " << i;
    }
  }
}

TEST(StatisticsInJit, shapes_that_depend_on_elements_are_refused) {
  const std::vector<std::pair<const char*, ArrayFunction>> functions = {
      {"nonzero", [](const Arrays& in) { return nonzero(in[0]); }},
      {"unique_values", [](const Arrays& in) { return Arrays{unique_values(in[0])}; }},
      {"bincount", [](const Arrays& in) { return Arrays{bincount(in[0])}; }},
      {"compress", [](const Arrays& in) { return Arrays{compress(in[0] > 1, in[0])}; }},
  };
  for (const auto& [name, f] : functions) EXPECT_THROW(jit(f)({array({1, 2, 2})}), Error) << name;
  EXPECT_EQ(jit([](const Array& x) { return x + 1; })(array({1})).item<int>(), 2);  // tracing has ended
}

}  // namespace
}  // namespace hearth
