// SPDX-License-Identifier: Apache-2.0
// Error texts of functions of shapes.
#include "array/error_texts_test.h"

namespace hearth {
namespace {

TEST(ErrorTexts, shapes) {
  expect_texts({
      {"reshape/other_size",
       [] {
         zeros({2, 3}).reshape({4});
       },
       "reshape: [4] has 4 elements, x has 6\n"
       "  x is f32[2,3]"},
      {"reshape/unknown_size_does_not_divide",
       [] {
         zeros({2, 3}).reshape({4, -1});
       },
       "reshape: no size makes 6 elements of [4,-1]\n"
       "  x is f32[2,3]"},
      {"reshape/two_unknown_sizes",
       [] {
         zeros({2, 3}).reshape({-1, -1});
       },
       "reshape: more than one size is -1: [-1,-1]\n"
       "  x is f32[2,3]"},
      {"reshape/negative_size",
       [] {
         zeros({2, 3}).reshape({-2, -3});
       },
       "reshape: negative size in [-2,-3]; x is f32[2,3]"},
      {"reshape/unknown_size_beside_zero",
       [] {
         zeros({0, 3}).reshape({0, -1});
       },
       "reshape: negative size in [0,-1]; x is f32[0,3]"},
      {"expand_dims/axis",
       [] {
         expand_dims(zeros({2, 3}), 5);
       },
       "expand_dims: axis 5 is not in [-3, 2]"},
      {"expand_dims/axis_twice",
       [] {
         expand_dims(zeros({2, 3}), Dims{0, 0});
       },
       "expand_dims: axis 0 is given twice in [0,0]"},
      {"squeeze/size_is_not_one",
       [] {
         squeeze(zeros({2, 1}), {0});
       },
       "squeeze: axis 0 of f32[2,1] has 2 elements, not 1"},
      {"broadcast_to/does_not_fit",
       [] {
         broadcast_to(zeros({2, 3}), {2, 4});
       },
       "broadcast_to: cannot broadcast x to [2,4]: 3 != 4 along axis 1\n"
       "  x is f32[2,3]"},
      {"broadcast_to/fewer_axes",
       [] {
         broadcast_to(zeros({2, 3}), {3});
       },
       "broadcast_to: x has more axes than [3]: 2 > 1\n"
       "  x is f32[2,3]"},
      {"broadcast_to/negative_size", [] { broadcast_to(zeros({1}), {-3}); }, "broadcast_to: a size is negative: [-3]"},
      {"broadcast_arrays/sizes_differ",
       [] {
         broadcast_arrays({zeros({2}), zeros({3})});
       },
       "broadcast_arrays: [3] does not fit [2]: 3 != 2"},
      {"permute_dims/axis_twice",
       [] {
         permute_dims(zeros({2, 3}), {0, 0});
       },
       "permute_dims: axis 0 is given twice in [0,0]"},
      {"permute_dims/axis_missing",
       [] {
         permute_dims(zeros({2, 3}), {1});
       },
       "permute_dims: [1] does not name every axis of f32[2,3]"},
      {"moveaxis/lengths_differ",
       [] {
         moveaxis(zeros({2, 3}), Dims{0, 1}, Dims{0});
       },
       "moveaxis: 2 axes go to 1 places"},
      {"moveaxis/axis",
       [] {
         moveaxis(zeros({2, 3}), 0, 2);
       },
       "moveaxis: there is no axis 2 in f32[2,3]"},
      {"swapaxes/axis",
       [] {
         swapaxes(zeros({2, 3}), 0, -3);
       },
       "swapaxes: there is no axis -3 in f32[2,3]"},
      {"flip/axis",
       [] {
         flip(zeros({2, 3}), {2});
       },
       "flip: there is no axis 2 in f32[2,3]"},
      {"fliplr/vector", [] { fliplr(zeros({3})); }, "fliplr: needs at least 2 axes; x is f32[3]"},
      {"rot90/one_plane_axis",
       [] {
         rot90(zeros({2, 3}), 1, {0, 0});
       },
       "rot90: axis 0 is given twice in [0,0]"},
      {"rot90/three_axes",
       [] {
         rot90(zeros({2, 3}), 1, {0, 1, 1});
       },
       "rot90: axis 1 is given twice in [0,1,1]"},
      {"roll/counts_differ",
       [] {
         roll(zeros({2, 3}), {1, 2, 3}, {0, 1});
       },
       "roll: 3 shifts for 2 axes"},
      {"roll/shift_is_float",
       [] {
         roll(zeros({2, 3}), zeros({}));
       },
       "roll: shifts must be integers; they are f32[]"},
      {"concatenate/sizes_differ",
       [] {
         concatenate({zeros({2, 3}), zeros({2, 4})});
       },
       "concatenate: sizes of axis 1 differ: 3 != 4\n"
       "  part 0 is f32[2,3]\n"
       "  part 1 is f32[2,4]"},
      {"concatenate/ranks_differ",
       [] {
         concatenate({zeros({2, 3}), zeros({3})});
       },
       "concatenate: ranks differ: 2 != 1\n"
       "  part 0 is f32[2,3]\n"
       "  part 1 is f32[3]"},
      {"concatenate/axis",
       [] {
         concatenate({zeros({2, 3}), zeros({2, 3})}, 2);
       },
       "concat: there is no axis 2 in f32[2,3]"},
      {"concatenate/scalars",
       [] {
         concatenate({zeros({}), zeros({})});
       },
       "concat: there is no axis 0 in f32[]"},
      {"stack/shapes_differ",
       [] {
         stack({zeros({2}), zeros({3})});
       },
       "stack: shapes differ: [3] != [2]\n"
       "  array 0 is f32[2]\n"
       "  array 1 is f32[3]"},
      {"stack/axis",
       [] {
         stack({zeros({2}), zeros({2})}, 2);
       },
       "stack: axis 2 is not in [-2, 1]"},
      {"hstack/nothing", [] { hstack({}); }, "hstack: needs at least one array"},
      {"split/not_equal",
       [] {
         split(zeros({2, 3}), 2, 1);
       },
       "split: axis 1 of f32[2,3] does not divide into 2 equal sections\n"
       "  hint: array_split"},
      {"split/no_sections", [] { split(zeros({3}), 0); }, "split: there cannot be 0 sections"},
      {"array_split/no_sections", [] { array_split(zeros({3}), 0); }, "array_split: there cannot be 0 sections"},
      {"unstack/scalar", [] { unstack(zeros({})); }, "unstack: there is no axis 0 in f32[]"},
      {"hsplit/scalar", [] { hsplit(zeros({}), 2); }, "hsplit: there is no axis 1 in f32[]"},
      {"vsplit/not_equal", [] { vsplit(zeros({3}), 2); },
       "vsplit: axis 0 of f32[3] does not divide into 2 equal sections\n"
       "  hint: array_split"},
      {"dsplit/matrix",
       [] {
         dsplit(zeros({2, 4}), 2);
       },
       "dsplit: there is no axis 2 in f32[2,4]"},
      {"repeat/negative", [] { repeat(zeros({3}), -1); }, "repeat: cannot repeat -1 times"},
      {"repeat/counts_differ",
       [] {
         repeat(zeros({3}), {1, 2}, 0);
       },
       "repeat: 2 counts for 3 elements"},
      {"tile/negative", [] { tile(zeros({3}), {-1}); }, "tile: cannot repeat -1 times"},
      {"delete_at/place", [] { delete_at(zeros({3}), {3}); }, "delete_at: index 3 is outside of an axis of 3"},
      {"insert_at/values_do_not_fit", [] { insert_at(zeros({3}), {0}, zeros({2})); },
       "insert_at: cannot broadcast values to [1]: 2 != 1 along axis 0\n"
       "  values is f32[2]"},
      {"pad/negative_width",
       [] {
         pad(zeros({3}), {{-1, 0}});
       },
       "pad: a width is negative: -1\n"
       "  hint: pad(x, fill, Padding) cuts"},
      {"pad/widths_for_other_rank",
       [] {
         pad(zeros({2, 3, 4}), {{1, 0}, {1, 0}});
       },
       "pad: 2 widths for f32[2,3,4]"},
      {"pad/empty_axis",
       [] {
         pad(zeros({0}), {{1, 0}}, {.mode = PadMode::reflect});
       },
       "pad: axis 0 of f32[0] is empty, so only modes constant and empty can extend it"},
      {"pad/stat_length",
       [] {
         pad(zeros({3}), {{1, 0}}, {.mode = PadMode::mean, .stat_length = PadWidths{{0, 1}}});
       },
       "pad: stat_length must be positive; it is 0"},
      {"pad/values_for_other_rank",
       [] {
         pad(zeros({2, 3, 4}), {{1, 0}}, {.values = {{0, 0}, {0, 0}}});
       },
       "pad: 2 values for f32[2,3,4]"},
      {"pad/value_is_vector",
       [] {
         pad(zeros({3}), {{1, 0}}, {.values = {{zeros({2}), 0}}});
       },
       "pad: cannot broadcast value to [1]: 2 != 1 along axis 0\n"
       "  value is f32[2]"},
      {"pad/interior_negative",
       [] {
         pad(zeros({3}), 0, Padding{{0}, {0}, {-1}});
       },
       "pad: interior amount -1 of axis 0 is negative"},
      {"pad/cuts_too_much",
       [] {
         pad(zeros({3}), 0, Padding{{-4}, {0}, {0}});
       },
       "pad: axis 0 would have -1 elements; x is f32[3]"},
      {"pad/amounts_for_other_rank",
       [] {
         pad(zeros({3}), 0, Padding{{1, 1}, {0, 0}, {0, 0}});
       },
       "pad: low, high and interior need one number an axis; x is f32[3]"},
  });
}

}  // namespace
}  // namespace hearth
