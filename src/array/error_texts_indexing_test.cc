// SPDX-License-Identifier: Apache-2.0
// Error texts of indexing, and of functions that pick elements.
#include "array/error_texts_test.h"

namespace hearth {
namespace {

TEST(ErrorTexts, indexing) {
  const Array x = zeros({2, 3});
  expect_texts({
      {"index/integer_outside", [&] { x(2); },
       "index: 2 is out of range for axis 0 of size 2\n"
       "  x is f32[2,3]"},
      {"index/integer_outside_from_the_end", [&] { x(0, -4); },
       "index: -4 is out of range for axis 1 of size 3\n"
       "  x is f32[2,3]"},
      {"index/too_many", [&] { x(0, kAll, 1); },
       "index: too many indices: 3 for 2 axes\n"
       "  x is f32[2,3]"},
      {"index/two_ellipses", [&] { x(kEllipsis, kEllipsis); }, "index: more than one ellipsis"},
      {"index/step_is_zero", [&] { x(Slice::every(0)); }, "index: the slice of axis 0 has step 0"},
      {"index/floats", [&] { x(0, zeros({2})); },
       "index: arrays as indices must be of integers or bool; index 1 is f32[2]"},
      {"index/arrays_do_not_broadcast", [&] { x(arange(2), arange(3)); },
       "index: index arrays do not broadcast: [2] [3]"},
      {"index/mask_does_not_fit", [&] { x(kAll, ones({2}, DType::boolean)); },
       "index: the mask does not fit axis 1: 2 != 3\n"
       "  x is f32[2,3]\n"
       "  mask is bool[2]"},
      {"index/mask_has_more_axes",
       [&] {
         x(ones({2, 3, 1}, DType::boolean));
       },
       "index: too many indices: 3 for 2 axes\n"
       "  x is f32[2,3]"},
      {"index/empty_axis",
       [] {
         zeros({0, 2})(arange(1));
       },
       "index: axis 0 is empty, no index lies inside\n"
       "  x is f32[0,2]"},
      {"index/fill_is_vector", [&] { x.at(arange(2)).get({.fill = zeros({2})}); },
       "index: fill must be a scalar; it is f32[2]"},
      {"set/integer_outside", [&] { x.at(2).set(1); },
       "at.set: 2 is out of range for axis 0 of size 2\n"
       "  x is f32[2,3]"},
      {"set/values_do_not_broadcast", [&] { x.at(0).set(zeros({2})); },
       "at.set: the values do not broadcast to the place [3]\n"
       "  x is f32[2,3]\n"
       "  values is f32[2]"},
      {"set/values_do_not_broadcast_to_mask",
       [&] {
         x.at(ones({2, 3}, DType::boolean)).set(zeros({2, 2}));
       },
       "at.set: the values do not broadcast to the place [6]\n"
       "  x is f32[2,3]\n"
       "  values is f32[2,2]"},
      {"divide/bool", [] { ones({2}, DType::boolean).at(0).divide(true); },
       "at.divide: has no meaning for bool\n"
       "  x is bool[2]"},
      {"min/complex", [] { ones({2}, DType::complex64).at(0).min(0); },
       "at.min: has no meaning for complex64\n"
       "  x is complex64[2]"},
      {"apply/other_shape", [&] { x.at(0).apply([](const Array& v) { return sum(v) + zeros({2}); }); },
       "at.apply: the values do not broadcast to the place [3]\n"
       "  x is f32[2,3]\n"
       "  values is f32[2]"},
      {"put/floats", [&] { put(x, zeros({2}), 1); },
       "put: indices must be integers\n"
       "  x is f32[2,3]\n"
       "  indices is f32[2]"},
      {"place/mask_of_other_shape", [&] { place(x, ones({2}, DType::boolean), arange(1)); },
       "place: the mask must be bool and of x's shape\n"
       "  x is f32[2,3]\n"
       "  mask is bool[2]"},
      {"place/no_values",
       [&] {
         place(x, ones({2, 3}, DType::boolean), zeros({0}));
       },
       "place: there are no values\n"
       "  x is f32[2,3]\n"
       "  values is f32[0]"},
      {"fill_diagonal/vector", [] { fill_diagonal(zeros({3}), 1); },
       "fill_diagonal: x must be a matrix or have axes of one size; it is f32[3]"},
      {"ix_/matrix",
       [&] {
         ix_({arange(2), x});
       },
       "ix_: needs vectors; argument 1 is f32[2,3]"},
      {"choose/floats",
       [&] {
         choose(x, {x, x});
       },
       "choose: the index must be of integers; it is f32[2,3]"},
      {"choose/no_choices", [] { choose(arange(2), {}); }, "choose: there are no choices"},
      {"take/axis", [&] { take(x, arange(2), {.axis = 2}); }, "take: axis 2 does not exist in x f32[2,3]"},
      {"take/floats", [&] { take(x, zeros({2})); }, "take: indices must be integers; they are f32[2]"},
      {"take_along_axis/axis",
       [&] {
         take_along_axis(x, zeros({2, 3}, DType::i32), 2);
       },
       "take_along_axis: axis 2 does not exist in x f32[2,3]"},
      {"take_along_axis/ranks_differ", [&] { take_along_axis(x, arange(2)); },
       "take_along_axis: ranks differ: 2 != 1\n"
       "  x is f32[2,3]\n"
       "  indices is i32[2]"},
      {"take_along_axis/sizes_differ",
       [&] {
         take_along_axis(x, zeros({4, 1}, DType::i32));
       },
       "take_along_axis: sizes of axis 0 do not broadcast: 2 != 4\n"
       "  x is f32[2,3]\n"
       "  indices is i32[4,1]"},
      {"take_along_axis/floats", [&] { take_along_axis(x, x); },
       "take_along_axis: indices must be integers; they are f32[2,3]"},
      {"compress/condition_too_long", [] { compress(ones({4}, DType::boolean), zeros({3})); },
       "compress: condition has 4 elements, the axis of x 3\n"
       "  x is f32[3]"},
      {"compress/condition_is_matrix",
       [] {
         compress(ones({1, 3}, DType::boolean), zeros({3}));
       },
       "compress: condition needs one axis; it is bool[1,3]"},
      {"select/counts_differ",
       [&] {
         select({x > 0}, {x, x});
       },
       "select: 1 conditions and 2 choices"},
      {"select/condition_is_float", [&] { select({x}, {x}); }, "select: condition 0 must be bool; it is f32[2,3]"},
  });
}

}  // namespace
}  // namespace hearth
