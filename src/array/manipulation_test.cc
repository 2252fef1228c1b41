// SPDX-License-Identifier: Apache-2.0
#include "array/manipulation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/creation.h"
#include "array/elementwise_extras.h"
#include "array/jit.h"
#include "array/padding.h"
#include "base/file_test_folder.h"

namespace hearth {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

Ints list(const Array& x) { return x.to_vector<int64_t>(); }

TEST(Manipulation, shapes) {
  const Array x = arange(6).reshape({2, 3});
  EXPECT_EQ(ravel(x).shape(), (Dims{6}));
  EXPECT_EQ(expand_dims(x, {0, -1}).shape(), (Dims{1, 2, 3, 1}));
  EXPECT_EQ(expand_dims(x, 1).shape(), (Dims{2, 1, 3}));
  EXPECT_EQ(squeeze(zeros({1, 2, 1})).shape(), (Dims{2}));
  EXPECT_EQ(squeeze(zeros({1, 2, 1}), {-1}).shape(), (Dims{1, 2}));
  EXPECT_EQ(atleast_1d(Array(3)).shape(), (Dims{1}));
  EXPECT_EQ(atleast_2d(arange(3)).shape(), (Dims{1, 3}));
  EXPECT_EQ(atleast_3d(arange(3)).shape(), (Dims{1, 3, 1}));
  EXPECT_EQ(atleast_3d(x).shape(), (Dims{2, 3, 1}));
  EXPECT_EQ(broadcast_shapes({{2, 1}, {3}, {}}), (Dims{2, 3}));
  EXPECT_EQ(broadcast_shapes({{0}, {1}}), (Dims{0}));
  EXPECT_EQ(list(broadcast_to(arange(2), {2, 2})), (Ints{0, 1, 0, 1}));
  EXPECT_EQ(broadcast_arrays({x, Array(1)})[1].shape(), (Dims{2, 3}));
  EXPECT_TRUE(expand_dims(Array(2)).weak());  // a number stays a number that adapts
}

TEST(Manipulation, order_of_axes) {
  const Array x = arange(6).reshape({1, 2, 3});
  EXPECT_EQ(permute_dims(x, {2, 0, -2}).shape(), (Dims{3, 1, 2}));
  EXPECT_EQ(list(transpose(x)), (Ints{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(moveaxis(x, 0, -1).shape(), (Dims{2, 3, 1}));
  EXPECT_EQ(moveaxis(zeros({2, 3, 4, 5}), {0, 1}, {-1, -2}).shape(), (Dims{4, 5, 3, 2}));
  EXPECT_EQ(swapaxes(x, 0, -1).shape(), (Dims{3, 2, 1}));
}

TEST(Manipulation, order_of_elements) {
  const Array x = arange(6).reshape({2, 3});
  EXPECT_EQ(list(flip(x)), (Ints{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(list(fliplr(x)), (Ints{2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(list(flipud(x)), (Ints{3, 4, 5, 0, 1, 2}));
  EXPECT_EQ(list(rot90(x)), (Ints{2, 5, 1, 4, 0, 3}));
  EXPECT_EQ(list(rot90(x, 2)), (Ints{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(list(rot90(x, -1)), (Ints{3, 0, 4, 1, 5, 2}));
  EXPECT_EQ(list(roll(x, 2)), (Ints{4, 5, 0, 1, 2, 3}));
  EXPECT_EQ(list(roll(x, {1, -1}, {0, 1})), (Ints{4, 5, 3, 1, 2, 0}));
  EXPECT_EQ(list(roll(x, {INT64_MIN}, {1})), list(roll(x, {INT64_MIN % 3}, {1})));
  EXPECT_EQ(roll(zeros({0}), 3).size(), 0);
}

TEST(Manipulation, joining) {
  const Array x = arange(4).reshape({2, 2});
  EXPECT_EQ(list(concat({x, x}, 1)), (Ints{0, 1, 0, 1, 2, 3, 2, 3}));
  EXPECT_EQ(concat({x, array({{1.5f, 2.0f}})}).dtype(), DType::f32);
  EXPECT_EQ(concat({x, Array(7).reshape({1})}, std::nullopt).size(), 5);
  EXPECT_EQ(concat({zeros({0, 2}), ones({1, 2})}).shape(), (Dims{1, 2}));
  EXPECT_EQ(list(stack({arange(2), arange(2)}, -1)), (Ints{0, 0, 1, 1}));
  EXPECT_EQ(hstack({arange(2), arange(1)}).shape(), (Dims{3}));
  EXPECT_EQ(hstack({x, x}).shape(), (Dims{2, 4}));
  EXPECT_EQ(vstack({arange(2), x}).shape(), (Dims{3, 2}));
  EXPECT_EQ(dstack({x, x}).shape(), (Dims{2, 2, 2}));
  EXPECT_EQ(list(column_stack({arange(2), x})), (Ints{0, 0, 1, 1, 2, 3}));
  EXPECT_EQ(list(append(x, 9)), (Ints{0, 1, 2, 3, 9}));
}

TEST(Manipulation, splitting) {
  const Array x = arange(10).reshape({2, 5});
  EXPECT_EQ(list(unstack(x)[1]), (Ints{5, 6, 7, 8, 9}));
  EXPECT_EQ(unstack(x, 1).size(), 5u);
  EXPECT_EQ(split(x, 2)[1].shape(), (Dims{1, 5}));
  const Arrays parts = array_split(arange(5), 3);
  EXPECT_EQ(list(parts[0]), (Ints{0, 1}));
  EXPECT_EQ(list(parts[2]), (Ints{4}));
  EXPECT_EQ(array_split(arange(1), 3)[2].size(), 0);
  const Arrays cut = split(arange(6), Dims{2, 4, 9});
  EXPECT_EQ(list(cut[1]), (Ints{2, 3}));
  EXPECT_EQ(cut[3].size(), 0);
  EXPECT_EQ(list(split(arange(6), Dims{3, 1, 5})[2]), (Ints{1, 2, 3, 4}));  // as slices do
  EXPECT_EQ(split(arange(6), {2})[1].size(), 4);                            // a list of one place, not 2 sections
  EXPECT_EQ(hsplit(x, 5)[0].shape(), (Dims{2, 1}));
  EXPECT_EQ(vsplit(x, 2)[0].shape(), (Dims{1, 5}));
  EXPECT_EQ(dsplit(zeros({1, 1, 4}), 2)[0].shape(), (Dims{1, 1, 2}));
}

TEST(Manipulation, repeating_and_leaving_out) {
  const Array x = arange(4).reshape({2, 2});
  EXPECT_EQ(list(repeat(x, 2)), (Ints{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(list(repeat(x, 2, 0)), (Ints{0, 1, 0, 1, 2, 3, 2, 3}));
  EXPECT_EQ(list(repeat(x, Dims{0, 3}, 1)), (Ints{1, 1, 1, 3, 3, 3}));
  EXPECT_EQ(repeat(x, 0, 1).shape(), (Dims{2, 0}));
  EXPECT_EQ(list(tile(arange(2), {2, 2})), (Ints{0, 1, 0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(tile(x, {3}).shape(), (Dims{2, 6}));
  EXPECT_EQ(tile(x, {0}).shape(), (Dims{2, 0}));
  EXPECT_EQ(list(delete_at(arange(5), {1, -1, 1})), (Ints{0, 2, 3}));
  EXPECT_EQ(list(delete_at(x, {0}, 1)), (Ints{1, 3}));
  EXPECT_EQ(list(insert_at(arange(4), {1, 1, 4}, array({10, 11, 12}))), (Ints{0, 10, 11, 1, 2, 3, 12}));
  EXPECT_EQ(list(insert_at(x, {1}, 9, 1)), (Ints{0, 9, 1, 2, 9, 3}));
}

TEST(Manipulation, has_derivatives_and_batches) {
  const auto f = [](const Array& x) { return logsumexp(tile(roll(flip(x), 1), {2}) * arange(6)); };
  const Array x = array({0.0f, 0.0f, 0.0f});
  const Floats g = grad(f)(x).to_vector<float>();  // roll(flip(x)) = x0 x2 x1, each times (i + (i + 3)) / 6
  EXPECT_NEAR(g[0], 3 / 6.0, 1e-6);
  EXPECT_NEAR(g[1], 7 / 6.0, 1e-6);
  EXPECT_NEAR(g[2], 5 / 6.0, 1e-6);
  const Array rows = vmap([](const Array& v) { return roll(v, 1); })(arange(6).reshape({2, 3}));
  EXPECT_EQ(list(rows), (Ints{2, 0, 1, 5, 3, 4}));
}

TEST(Manipulation, errors) {
  const Array x = zeros({2, 3});
  EXPECT_EQ(message_of([&] { flip(x, {2}); }), "flip: there is no axis 2 in f32[2,3]");
  EXPECT_EQ(message_of([&] { squeeze(x, {0}); }), "squeeze: axis 0 of f32[2,3] has 2 elements, not 1");
  EXPECT_EQ(message_of([&] { permute_dims(x, {0, 0}); }), "permute_dims: axis 0 is given twice in [0,0]");
  EXPECT_EQ(message_of([&] { permute_dims(x, {0}); }), "permute_dims: [0] does not name every axis of f32[2,3]");
  EXPECT_EQ(message_of([&] { expand_dims(x, 5); }), "expand_dims: axis 5 is not in [-3, 2]");
  EXPECT_EQ(message_of([&] { split(x, 2, 1); }),
            "split: axis 1 of f32[2,3] does not divide into 2 equal sections\n  hint: array_split");
  EXPECT_EQ(message_of([] {
              stack({zeros({2}), zeros({3})});
            }),
            "stack: shapes differ: [3] != [2]\n  array 0 is f32[2]\n  array 1 is f32[3]");
  EXPECT_EQ(message_of([] { concat({}); }), "concat: needs at least one array");
  EXPECT_EQ(message_of([] { broadcast_shapes({{2}, {3}}); }), "broadcast_shapes: [3] does not fit [2]: 3 != 2");
  EXPECT_EQ(message_of([&] { repeat(x, -1); }), "repeat: cannot repeat -1 times");
  EXPECT_EQ(message_of([&] { delete_at(x, {6}); }), "delete_at: index 6 is outside of an axis of 6");
  EXPECT_EQ(message_of([&] { repeat(x, INT64_MAX); }),
            "repeat: f32[6] repeated 9223372036854775807 times has more elements than can be counted");
}

}  // namespace
}  // namespace hearth
