// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution/convolution.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "ops/complex/complex.h"
#include "ops/convolution/convolution_test_kit_test.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

const ConvolutionAxes kLast = convolution_axes("NHWC", "HWIO", "NHWC"),
                      kFirst = convolution_axes("NCHW", "OIHW", "NCHW");

OpTest row(const std::string& name, const Dims& lhs, const Dims& rhs, const ConvolutionOptions& options = {}) {
  Dims axes = options.axes.rhs;
  for (int64_t i = int64_t(axes.size()); i < int64_t(rhs.size()); ++i) axes.push_back(i);
  double terms = 1;
  for (size_t i = 1; i < axes.size(); ++i) terms *= double(rhs[size_t(axes[i])]);
  return {.op = "convolution",
          .cases = {{name, {{lhs, -1, 1}, {rhs, -1, 1}}, terms}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {conv_general_dilated(in[0], in[1], options)};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            return {convolution_definition(in[0], in[1], options)};
          }};
}

std::vector<OpTest> windows() {
  return {
      row("one", {1, 1, 1, 1}, {1, 1, 1, 1}),
      row("plain", {2, 3, 5, 6}, {4, 3, 3, 2}),
      row("padded", {2, 3, 5, 6}, {4, 3, 3, 3}, {.low = {1, 2}, .high = {1, 0}}),
      row("strided", {1, 2, 9, 8}, {3, 2, 3, 3}, {.strides = {2, 3}, .low = {1, 1}, .high = {1, 1}}),
      row("stride_larger_than_window", {1, 2, 9, 8}, {3, 2, 1, 2}, {.strides = {2, 3}}),
      row("negative_padding", {1, 2, 7, 8}, {3, 2, 2, 3}, {.low = {-1, -2}, .high = {-2, 1}}),
      row("negative_padding_of_holes", {1, 2, 4, 5}, {3, 2, 2, 3},
          {.low = {-1, -2}, .high = {1, -1}, .lhs_dilation = {2, 3}}),
      row("window_dilated", {2, 2, 9, 9}, {3, 2, 3, 2}, {.low = {1, 0}, .high = {2, 1}, .rhs_dilation = {2, 4}}),
      row("lhs_dilated", {2, 3, 4, 5}, {4, 3, 3, 3}, {.low = {2, 1}, .high = {1, 2}, .lhs_dilation = {2, 3}}),
      row("everything", {2, 4, 5, 6}, {6, 2, 3, 2},
          {.strides = {2, 3},
           .low = {2, -1},
           .high = {3, 2},
           .lhs_dilation = {3, 2},
           .rhs_dilation = {2, 3},
           .reversal = {1, 0},
           .feature_groups = 2}),
      row("dilations_with_common_factor", {1, 2, 5, 4}, {3, 2, 3, 3},
          {.strides = {2, 4}, .low = {1, 3}, .high = {4, 2}, .lhs_dilation = {4, 6}, .rhs_dilation = {2, 3}}),
      row("reversed", {1, 2, 5, 6}, {3, 2, 3, 2}, {.low = {1, 0}, .high = {0, 1}, .reversal = {1, 1}}),
      row("window_larger_than_lhs", {1, 2, 3, 3}, {3, 2, 5, 2}),
      row("window_only_in_padding", {1, 2, 2, 2}, {3, 2, 2, 2}, {.low = {3, 3}, .high = {3, 3}}),
      row("padding_cuts_everything", {1, 2, 3, 3}, {3, 2, 1, 1}, {.low = {-2, 0}, .high = {-2, 0}}),
  };
}

std::vector<OpTest> groups() {
  return {
      row("feature_groups", {2, 6, 4, 5}, {4, 3, 2, 3}, {.low = {0, 1}, .high = {1, 1}, .feature_groups = 2}),
      row("depthwise", {2, 5, 6, 7}, {5, 1, 3, 3}, {.low = {1, 1}, .high = {1, 1}, .feature_groups = 5}),
      row("depthwise_times_two", {2, 3, 6, 7}, {6, 1, 3, 3}, {.strides = {2, 1}, .feature_groups = 3}),
      row("batch_groups", {6, 2, 4, 5}, {4, 2, 2, 3}, {.low = {1, 1}, .high = {1, 0}, .batch_groups = 2}),
      row("batch_groups_of_one", {4, 3, 4, 5}, {4, 3, 2, 3}, {.strides = {1, 2}, .batch_groups = 4}),
      row("batch_groups_lhs_dilated", {4, 3, 4, 5}, {2, 3, 2, 3},
          {.high = {2, 2}, .lhs_dilation = {2, 2}, .batch_groups = 2}),
  };
}

std::vector<OpTest> ranks_and_axes() {
  return {
      row("no_spatial_axes", {3, 5}, {4, 5}),
      row("no_spatial_axes_grouped", {3, 6}, {4, 3}, {.feature_groups = 2}),
      row("one_axis", {2, 3, 9}, {4, 3, 4}, {.strides = {2}, .low = {3}, .high = {1}}),
      row("three_axes", {1, 2, 4, 3, 5}, {3, 2, 2, 3, 2},
          {.strides = {1, 1, 2}, .low = {0, 1, 1}, .high = {1, 1, 0}, .rhs_dilation = {2, 1, 1}}),
      row("four_axes", {1, 2, 3, 2, 3, 2}, {2, 2, 2, 1, 2, 2}, {.lhs_dilation = {1, 2, 1, 1}}),
      row("channels_last", {2, 5, 6, 3}, {3, 3, 3, 4}, {.low = {1, 1}, .high = {1, 1}, .axes = kLast}),
      row("channels_last_grouped", {2, 5, 6, 4}, {3, 3, 2, 6},
          {.strides = {1, 2}, .low = {1, 1}, .high = {1, 1}, .axes = kLast, .feature_groups = 2}),
      row("channels_last_depthwise", {2, 5, 6, 20}, {3, 3, 1, 20},
          {.low = {1, 1}, .high = {1, 1}, .axes = kLast, .feature_groups = 20}),
      row("spatial_axes_in_other_orders", {5, 3, 6, 2}, {3, 4, 2, 3},
          {.low = {1, 0}, .high = {0, 1}, .axes = convolution_axes("WCHN", "IOHW", "HNWC")}),
  };
}

std::vector<OpTest> sizes() {
  std::vector<OpTest> tests = {
      row("empty_batch", {0, 3, 5, 6}, {4, 3, 3, 2}),
      row("no_in_features", {2, 0, 5, 6}, {4, 0, 3, 2}),
      row("no_out_features", {2, 3, 5, 6}, {0, 3, 3, 2}),
      row("empty_lhs_axis", {2, 3, 0, 6}, {4, 3, 2, 2}, {.low = {1, 0}, .high = {2, 0}}),
      row("empty_window", {2, 3, 4, 6}, {4, 3, 0, 2}),
      row("image", {2, 16, 14, 15}, {33, 16, 3, 3}, {.low = {1, 1}, .high = {1, 1}}),
      row("image_channels_last", {2, 14, 15, 16}, {3, 3, 16, 33}, {.low = {1, 1}, .high = {1, 1}, .axes = kLast}),
      row("image_strided", {2, 19, 15, 14}, {24, 19, 3, 3}, {.strides = {2, 2}, .low = {1, 1}, .high = {1, 1}}),
      row("one_by_one", {2, 17, 7, 9}, {35, 17, 1, 1}),
      row("one_by_one_strided_channels_last", {2, 7, 9, 17}, {1, 1, 17, 35}, {.strides = {2, 2}, .axes = kLast}),
      row("first_layer", {1, 3, 21, 20}, {18, 3, 7, 7}, {.strides = {2, 2}, .low = {3, 3}, .high = {3, 3}}),
      row("first_layer_channels_last", {1, 21, 20, 3}, {7, 7, 3, 18},
          {.strides = {2, 2}, .low = {3, 3}, .high = {3, 3}, .axes = kLast}),
      row("depthwise_image", {2, 37, 9, 8}, {37, 1, 3, 3}, {.low = {1, 1}, .high = {1, 1}, .feature_groups = 37}),
      row("more_borders_than_classes", {2, 3, 40}, {18, 3, 25}, {.low = {12}, .high = {12}}),
      row("channels_last_groups_of_four", {2, 6, 9, 32}, {3, 3, 4, 32},
          {.low = {1, 1}, .high = {1, 1}, .axes = kLast, .feature_groups = 8}),
      row("channels_last_depthwise_whole_vectors", {2, 6, 9, 48}, {3, 3, 1, 48},
          {.low = {1, 1}, .high = {1, 1}, .axes = kLast, .feature_groups = 48}),
      row("channels_last_depthwise_strided", {2, 9, 12, 37}, {3, 4, 1, 37},
          {.strides = {2, 3}, .low = {1, 2}, .high = {2, 1}, .axes = kLast, .feature_groups = 37}),
      row("channels_last_depthwise_dilated", {1, 9, 30, 33}, {3, 2, 1, 33},
          {.low = {2, -1},
           .high = {1, 2},
           .rhs_dilation = {2, 3},
           .reversal = {0, 1},
           .axes = kLast,
           .feature_groups = 33}),
      row("channels_last_depthwise_window_larger_than_rows", {1, 3, 5, 17}, {7, 7, 1, 17},
          {.low = {3, 3}, .high = {3, 3}, .axes = kLast, .feature_groups = 17}),
      row("channels_last_groups_of_two", {2, 5, 11, 38}, {3, 3, 2, 38},
          {.strides = {1, 2}, .low = {1, 1}, .high = {1, 0}, .axes = kLast, .feature_groups = 19}),
      row("channels_last_groups_of_four_no_whole_vectors", {1, 5, 20, 36}, {2, 3, 4, 36},
          {.low = {-1, 1}, .high = {1, 1}, .reversal = {1, 0}, .axes = kLast, .feature_groups = 9}),
      row("channels_last_groups_of_eight", {1, 4, 19, 40}, {3, 3, 8, 40},
          {.low = {1, 1}, .high = {1, 1}, .axes = kLast, .feature_groups = 5}),
      row("channels_last_depthwise_three_axes", {1, 3, 4, 5, 16}, {2, 2, 3, 1, 16},
          {.low = {1, 0, 1},
           .high = {0, 1, 1},
           .axes = convolution_axes("NDHWC", "DHWIO", "NDHWC"),
           .feature_groups = 16}),
      row("audio", {1, 2, 400}, {16, 2, 25}, {.strides = {4}, .low = {12}, .high = {12}}),
  };
  for (const int64_t f : {15, 16, 17, 31, 32, 33})
    tests.push_back(row("features_" + std::to_string(f), {1, f, 3, 5}, {f, f, 2, 2}));
  for (const int64_t w : {13, 14, 15, 28, 29})
    tests.push_back(row("positions_" + std::to_string(w), {1, 4, w}, {6, 4, 1}, {.low = {1}, .high = {-1}}));
  // Sums of 1350 terms grow to a few tens before they fall back. Measured: 2.5e-5 at 0.98, 5.7 eps sqrt(K).
  OpTest many =
      row("many_terms_channels_last", {2, 4, 4, 150}, {3, 3, 150, 66}, {.low = {1, 1}, .high = {1, 1}, .axes = kLast});
  many.c = 8;
  tests.push_back(many);
  tests.push_back(row("many_terms", {1, 300, 4, 4}, {5, 300, 3, 3}, {.low = {1, 1}, .high = {1, 1}}));
  return tests;
}

// Every form of the kernels. The definition sums in f64 as well, so both err. Measured: 1.2 times one side's tolerance.
std::vector<OpTest> doubles() {
  std::vector<OpTest> tests = {
      row("f64_image", {2, 16, 14, 15}, {33, 16, 3, 3}, {.low = {1, 1}, .high = {1, 1}}),
      row("f64_channels_last", {1, 21, 20, 3}, {7, 7, 3, 18},
          {.strides = {2, 2}, .low = {3, 3}, .high = {3, 3}, .axes = kLast}),
      row("f64_holes", {2, 5, 9}, {17, 5, 3}, {.low = {1}, .high = {2}, .lhs_dilation = {2}, .rhs_dilation = {2}}),
      row("f64_depthwise", {2, 37, 9, 8}, {37, 1, 3, 3}, {.low = {1, 1}, .high = {1, 1}, .feature_groups = 37}),
      row("f64_depthwise_whole_vectors", {2, 6, 9, 48}, {3, 3, 1, 48},
          {.low = {1, 1}, .high = {1, 1}, .axes = kLast, .feature_groups = 48})};
  for (OpTest& test : tests) {
    test.dtypes = {DType::f64};
    test.c *= 2;
  }
  return tests;
}

// Real and imaginary parts are inputs and outputs of their own.
OpTest complex_row(const std::string& name, const Dims& lhs, const Dims& rhs, const ConvolutionOptions& o) {
  OpTest test = row(name, lhs, rhs, o);
  test.cases[0].in = {{lhs, -1, 1}, {lhs, -1, 1}, {rhs, -1, 1}, {rhs, -1, 1}};
  test.cases[0].terms *= 2;
  test.build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
    const Value y = conv_general_dilated(complex(in[0], in[1]), complex(in[2], in[3]), o);
    return {real(y), imag(y)};
  };
  test.definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
    Reals re = convolution_definition(in[0], in[2], o), im = convolution_definition(in[0], in[3], o);
    const Reals bd = convolution_definition(in[1], in[3], o), bc = convolution_definition(in[1], in[2], o);
    for (size_t i = 0; i < re.at.size(); ++i) re.at[i] -= bd.at[i], im.at[i] += bc.at[i];
    return {re, im};
  };
  test.dtypes = {DType::f32, DType::f64};
  return test;
}

// NaN and infinities of lhs reach the outputs whose windows meet them, and no others.
OpTest not_finite(const std::string& name, const Dims& lhs, const Dims& rhs, const ConvolutionOptions& o) {
  OpTest test = row(name, lhs, rhs, o);
  const double inf = std::numeric_limits<double>::infinity();
  test.cases[0].in[0].values = {1, 2, std::nan(""), 3, 0.5, -1, inf, 1, 2, 0.25, -2, 1, -inf, 1, 1.5, 3, 2};
  test.cases[0].in[1] = {rhs, 0.5, 1};
  test.cases[0].grad = false;
  return test;
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests;
  tests.push_back(
      complex_row("complex", {2, 4, 5, 6}, {6, 2, 3, 2},
                  {.strides = {2, 1}, .low = {1, 1}, .high = {1, 0}, .reversal = {0, 1}, .feature_groups = 2}));
  tests.push_back(not_finite("not_finite", {1, 3, 5, 6}, {20, 3, 2, 2}, {.low = {1, 1}, .high = {1, 1}}));
  tests.push_back(not_finite("not_finite_holes", {1, 1, 9}, {2, 1, 2}, {.low = {1}, .high = {1}, .lhs_dilation = {2}}));
  tests.push_back(
      not_finite("not_finite_depthwise", {1, 17, 4}, {17, 1, 2}, {.low = {1}, .high = {1}, .feature_groups = 17}));
  tests.push_back(
      not_finite("not_finite_channels_last_depthwise", {1, 4, 17}, {2, 1, 17},
                 {.low = {1}, .high = {1}, .axes = convolution_axes("NWC", "WIO", "NWC"), .feature_groups = 17}));
  for (const auto part : {windows, groups, ranks_and_axes, sizes, doubles}) {
    for (OpTest& test : part()) tests.push_back(std::move(test));
  }
  OpTest integers =
      row("integers", {2, 4, 5, 6}, {6, 2, 3, 2},
          {.strides = {1, 2}, .low = {1, 1}, .high = {1, 1}, .lhs_dilation = {2, 1}, .feature_groups = 2});
  integers.dtypes = {DType::i32, DType::u8, DType::i64, DType::i16, DType::u32};
  for (TestInput& in : integers.cases[0].in) in = {in.dims, 0, 3};
  tests.push_back(integers);
  return tests;
}

HEARTH_OP_TESTS(convolution, rows)

// --- errors ---------------------------------------------------------------------------------------------------------

std::string error_of(const Dims& lhs, const Dims& rhs, const ConvolutionOptions& options,
                     DType rhs_dtype = DType::f32) {
  Graph g;
  const Value x = g.input("x", {DType::f32, lhs}), w = g.input("w", {rhs_dtype, rhs});
  try {
    conv_general_dilated(x, w, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Convolution, errors_name_both_operands) {
  const std::string operands = "\n  lhs is x f32[2,3,5,5]\n  rhs is w f32[4,2,3,3]";
  EXPECT_EQ(error_of({2, 3, 5, 5}, {4, 2, 3, 3}, {}), "convolution: lhs has 3 features, rhs takes 2" + operands);
  EXPECT_EQ(error_of({2, 3, 5, 5}, {4, 2, 3, 3}, {.feature_groups = 2}),
            "convolution: lhs has 3 features, rhs takes 2 in each of 2 groups" + operands);
  EXPECT_EQ(error_of({2, 2, 5, 5}, {4, 2, 3, 3}, {.strides = {1}}),
            "convolution: strides [1] needs 2 numbers, one per spatial axis\n  lhs is x f32[2,2,5,5]\n  rhs is w "
            "f32[4,2,3,3]");
  EXPECT_EQ(error_of({2, 3, 5, 5}, {4, 2, 3, 3}, {.axes = {{0, 1, 2, 2}, {}, {}}}),
            "convolution: lhs_axes [0,1,2,2] do not name each of 4 axes once" + operands);
  EXPECT_EQ(error_of({2, 3, 5, 5}, {4, 2, 3, 3}, {.feature_groups = 2, .batch_groups = 2}),
            "convolution: feature_groups 2 and batch_groups 2: one of them must be 1" + operands);
  EXPECT_EQ(error_of({2, 3, 5, 5}, {4, 2, 3, 3}, {.batch_groups = 0}),
            "convolution: batch_groups is 0, must be at least 1" + operands);
  EXPECT_EQ(
      error_of({2, 2, 5, 5}, {4, 2, 3, 3}, {.batch_groups = 3}),
      "convolution: 4 out features do not divide into 3 groups\n  lhs is x f32[2,2,5,5]\n  rhs is w f32[4,2,3,3]");
  EXPECT_EQ(
      error_of({3, 2, 5, 5}, {4, 2, 3, 3}, {.batch_groups = 2}),
      "convolution: a batch of 3 does not divide into 2 groups\n  lhs is x f32[3,2,5,5]\n  rhs is w f32[4,2,3,3]");
  EXPECT_EQ(error_of({2, 3, 5}, {4, 3, 3, 3}, {}),
            "convolution: lhs and rhs need the same rank, at least 2\n  lhs is x f32[2,3,5]\n  rhs is w f32[4,3,3,3]");
  EXPECT_EQ(error_of({2, 3}, {4, 3}, {}, DType::bf16),
            "convolution: dtypes differ\n  lhs is x f32[2,3]\n  rhs is w bf16[4,3]");
}

TEST(Convolution, numbers_that_make_no_sense_are_errors) {
  const int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_NE(error_of({1, 1, 5}, {1, 1, 3}, {.strides = {0}}).find("must lie in 1.."), std::string::npos);
  EXPECT_NE(error_of({1, 1, 5}, {1, 1, 3}, {.lhs_dilation = {0}}).find("must lie in 1.."), std::string::npos);
  EXPECT_NE(error_of({1, 1, 5}, {1, 1, 3}, {.low = {huge}}).find("must lie in"), std::string::npos);
  EXPECT_NE(error_of({1, 1, 5}, {1, 1, 3}, {.low = {-huge}}).find("must lie in"), std::string::npos);
  EXPECT_NE(error_of({1, 1, 5}, {1, 1, 3}, {.lhs_dilation = {int64_t{1} << 48}}).find("is larger than"),
            std::string::npos);
  EXPECT_NE(error_of({1, 1, 5}, {1, 1, 1}, {.low = {int64_t{1} << 40}, .high = {int64_t{1} << 40}}).find("no error"),
            std::string::npos);
  EXPECT_THROW(convolution_axes("NCHW", "OIHW", "NCHH"), Error);
  EXPECT_THROW(convolution_axes("NCH", "OIHW", "NCHW"), Error);
}

}  // namespace
}  // namespace hearth
