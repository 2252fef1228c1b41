// SPDX-License-Identifier: Apache-2.0
// Batching and second derivatives of convolution, and the functions made of it.
#include <gtest/gtest.h>

#include <cmath>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "ir/op.h"
#include "ops/convolution/convolution.h"
#include "ops/convolution/convolution_test_kit_test.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

std::vector<double> random_values(const Dims& dims, uint64_t seed) {
  std::vector<double> values(size_t(num_elements(dims)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = rounded(DType::f32, random_unit(seed, i) * 2 - 1);
  return values;
}

// Inputs are random; results of all outputs, as doubles.
std::vector<std::vector<double>> results(Graph& graph, const std::vector<Value>& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) graph.output("y" + std::to_string(i), outputs[i]);
  std::vector<Bytes> bytes;
  for (const GraphInput& input : graph.inputs())
    bytes.push_back(
        to_bytes(DType::f32, random_values(graph.node(input.node).types[0].dims, uint64_t(input.name.front()))));
  std::vector<std::vector<double>> all;
  for (const Bytes& result : run_graph(graph, bytes)) all.push_back(to_doubles(DType::f32, result));
  return all;
}

void expect_close(const std::vector<double>& got, const std::vector<double>& wanted, const std::string& where) {
  ASSERT_EQ(got.size(), wanted.size()) << where;
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], wanted[i], 1e-5 * std::max(1.0, std::fabs(wanted[i]))) << where << ", element " << i;
}

struct Shapes {
  const char* name;
  Dims lhs, rhs;
  ConvolutionOptions options;
};
const std::vector<Shapes>& shapes() {
  static const std::vector<Shapes> all = {
      {"plain", {2, 3, 5, 6}, {4, 3, 3, 2}, {.strides = {1, 2}, .low = {1, 0}, .high = {1, 2}}},
      {"feature_groups", {2, 6, 5, 4}, {4, 3, 2, 3}, {.low = {1, 1}, .high = {1, 1}, .feature_groups = 2}},
      {"batch_groups", {4, 3, 5, 4}, {6, 3, 2, 3}, {.low = {1, 1}, .high = {1, 1}, .batch_groups = 2}},
      {"channels_last",
       {2, 5, 6, 4},
       {3, 2, 2, 6},
       {.lhs_dilation = {2, 1}, .axes = convolution_axes("NHWC", "HWIO", "NHWC"), .feature_groups = 2}},
      {"batch_between",
       {5, 6, 4, 3},
       {3, 2, 3, 4},
       {.axes = convolution_axes("HWNC", "HWIO", "HNCW"), .batch_groups = 2}},
  };
  return all;
}

// Each example by itself against all in one node.
void check_batch(const Shapes& s, bool lhs_batched, bool rhs_batched) {
  const int64_t size = 3;
  Graph graph;
  const auto input = [&](const char* name, Dims dims, bool batched) {
    if (batched) dims.insert(dims.begin(), size);
    return graph.input(name, {DType::f32, dims});
  };
  const Value lhs = input("a", s.lhs, lhs_batched), rhs = input("b", s.rhs, rhs_batched);
  const auto example = [](const Value& x, bool batched, int64_t i) {
    return batched ? reshape(slice_axis(x, 0, i, i + 1), Dims(x.dims().begin() + 1, x.dims().end())) : x;
  };
  std::vector<Value> ones;
  for (int64_t i = 0; i < size; ++i) {
    const Value y = conv_general_dilated(example(lhs, lhs_batched, i), example(rhs, rhs_batched, i), s.options);
    Dims dims = y.dims();
    dims.insert(dims.begin(), 1);
    ones.push_back(reshape(y, dims));
  }
  const Node node = graph.node(graph.node(ones[0]).inputs[0]);
  BatchArgs args{graph, node, {lhs, rhs}, {lhs_batched, rhs_batched}, size};
  find_op("convolution").batch(args);
  ASSERT_EQ(args.out.size(), 1u);
  const std::vector<std::vector<double>> got = results(graph, {args.out[0], concatenate(ones, 0)});
  expect_close(got[0], got[1], cat(s.name, lhs_batched ? ", lhs batched" : "", rhs_batched ? ", rhs batched" : ""));
}

TEST(ConvolutionRules, a_batch_is_the_examples_one_by_one) {
  for (const Shapes& s : shapes()) {
    check_batch(s, true, false);
    check_batch(s, false, true);
    check_batch(s, true, true);
  }
}

// <u, conv(x, w)> is bilinear in x and w: the derivative by w of <v, its derivative by x> is that of <u, conv(v, w)>.
TEST(ConvolutionRules, second_derivatives) {
  for (const Shapes& s : shapes()) {
    Graph graph;
    const Value x = graph.input("x", {DType::f32, s.lhs}), w = graph.input("w", {DType::f32, s.rhs}),
                v = graph.input("v", {DType::f32, s.lhs});
    const Value y = conv_general_dilated(x, w, s.options), u = graph.input("u", y.type());
    const Value by_x = vjp({y}, {u}, {x})[0], by_w = vjp({y}, {u}, {w})[0];
    const Value mixed = vjp({by_x}, {v}, {w})[0], other = vjp({by_w}, {w}, {x})[0];
    const Value plain = vjp({conv_general_dilated(v, w, s.options)}, {u}, {w})[0];
    const std::vector<std::vector<double>> got = results(graph, {mixed, plain, other, by_x});
    expect_close(got[0], got[1], cat(s.name, ", by x then w"));
    expect_close(got[2], got[3], cat(s.name, ", by w then x"));
  }
}

TEST(ConvolutionRules, transposed_convolution_is_the_derivative) {
  const ConvOptions cases[] = {{},
                               {.stride = {2}, .padding = {1}, .dilation = {2}},
                               {.stride = {2, 1}, .padding = {0, 2}, .groups = 2},
                               {.stride = {2}, .padding = {1}, .groups = 2, .channels_last = true},
                               {.stride = {3, 2}, .same = true}};
  for (const ConvOptions& o : cases) {
    Graph graph;
    const Dims x = o.channels_last ? Dims{2, 9, 8, 4} : Dims{2, 4, 9, 8};
    const Dims w = o.channels_last ? Dims{3, 2, 4 / o.groups, 6} : Dims{6, 4 / o.groups, 3, 2};
    const Value image = graph.input("x", {DType::f32, x}), weight = graph.input("w", {DType::f32, w});
    const Value y = conv2d(image, weight, o), u = graph.input("u", y.type());
    const Value wanted = vjp({y}, {u}, {image})[0];
    Dims more;  // what striding left over
    for (size_t i = 0; i < 2; ++i) {
      const Value plain = conv_transpose(u, weight, o);
      const size_t axis = i + (o.channels_last ? 1 : 2);
      more.push_back(x[axis] - plain.dims()[axis]);
    }
    if (o.same) {
      EXPECT_EQ(conv_transpose(u, weight, o).dim(2), 3 * u.dim(2));
    }
    const std::vector<std::vector<double>> got = results(graph, {conv_transpose(u, weight, o, more), wanted});
    if (!o.same || (more[0] == 0 && more[1] == 0)) expect_close(got[0], got[1], "conv_transpose");
  }
}

TEST(ConvolutionRules, padding_to_the_same_size) {
  for (const int64_t stride : {1, 2, 3}) {
    for (const int64_t window : {1, 2, 3, 5}) {
      Graph graph;
      const Value x = graph.input("x", {DType::f32, {1, 2, 7}}), w = graph.input("w", {DType::f32, {3, 2, window}});
      const Value y = conv1d(x, w, {.stride = {stride}, .same = true});
      const int64_t out = (7 + stride - 1) / stride, all = std::max<int64_t>(0, (out - 1) * stride + window - 7);
      ASSERT_EQ(y.dims(), (Dims{1, 3, out}));
      const Value wanted = conv_general_dilated(x, w, {.strides = {stride}, .low = {all / 2}, .high = {all - all / 2}});
      const std::vector<std::vector<double>> got = results(graph, {y, wanted});
      expect_close(got[0], got[1], "same");
    }
  }
}

TEST(ConvolutionRules, conveniences_name_what_disagrees) {
  Graph graph;
  const Value x = graph.input("x", {DType::f32, {1, 2, 7}}), w = graph.input("w", {DType::f32, {3, 2, 3}});
  const auto error_of = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of([&] { conv2d(x, w); }),
            "conv2d: x needs 4 axes, has 3\n  x is x f32[1,2,7]\n  weight is w f32[3,2,3]");
  EXPECT_EQ(error_of([&] {
              conv1d(x, w, {.stride = {1, 2}});
            }),
            "conv1d: stride [1,2] needs one number or 1; x is x f32[1,2,7]");
  EXPECT_EQ(error_of([&] { conv1d(x, w, {.stride = {0}}); }),
            "conv1d: stride [0] and dilation [1] must be at least 1; x is x f32[1,2,7]");
  EXPECT_EQ(error_of([&] { conv_transpose(x, w, {.groups = 2}); }),
            "conv_transpose: 3 features do not divide into 2 groups\n  x is x f32[1,2,7]\n  weight is w f32[3,2,3]");
}

// Padding of which there is far more than data: in few classes of outputs, and in more than a kernel keeps apart.
TEST(ConvolutionRules, padding_out_of_proportion) {
  for (const int64_t window : {3, 20}) {
    Graph graph;
    const int64_t far = 10000019, reach = (window - 1) * far;
    const Value x = graph.input("x", {DType::f32, {1, 1, 9}}), w = graph.input("w", {DType::f32, {1, 1, window}});
    const Value y =
        conv_general_dilated(x, w, {.strides = {far}, .low = {reach}, .high = {reach}, .rhs_dilation = {far}});
    ASSERT_EQ(y.dims(), (Dims{1, 1, window}));
    const std::vector<double> a = random_values({1, 1, 9}, 'x'), b = random_values({1, 1, window}, 'w');
    std::vector<double> wanted;
    for (int64_t o = 0; o < window; ++o) wanted.push_back(a[0] * b[size_t(window - 1 - o)]);
    expect_close(results(graph, {y})[0], wanted, "far padding");
  }
}

}  // namespace
}  // namespace hearth
