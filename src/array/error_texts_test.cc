// SPDX-License-Identifier: Apache-2.0
// Error texts of creation, arithmetic and conversions.
#include "array/error_texts_test.h"

namespace hearth {
namespace {

TEST(ErrorTexts, creation) {
  expect_texts({
      {"zeros/negative_size",
       [] {
         zeros({2, -1});
       },
       "zeros: a size is negative: [2,-1]"},
      {"ones/too_many_elements",
       [] {
         ones({1 << 30, 1 << 30, 1 << 30});
       },
       "ones: [1073741824,1073741824,1073741824] has more elements than can be counted"},
      {"full/value_does_not_fit",
       [] {
         full({2, 3}, array({1, 2}));
       },
       "full: cannot broadcast value to [2,3]: 2 != 3 along axis 1\n"
       "  value is i32[2]"},
      {"array/values_do_not_fill",
       [] {
         array(std::vector<int>{1, 2, 3}, {2, 2});
       },
       "array: 3 values do not fill i32[2,2]"},
      {"array/ragged",
       [] {
         array({{1, 2}, {3}});
       },
       "array: a row has 1 values, the first has 2"},
      {"arange/step_is_zero", [] { arange(0, 5, 0); }, "arange: the step is 0"},
      {"arange/complex_end", [] { arange(std::complex<float>(1, 2)); }, "arange: has no meaning for complex numbers"},
      {"linspace/negative_count", [] { linspace(0, 1, -2); }, "linspace: there cannot be -2 points"},
      {"linspace/complex_end_in_f32",
       [] {
         linspace({0, 1}, 1, 3, {.dtype = DType::f32});
       },
       "linspace: complex ends do not fit in f32"},
      {"logspace/negative_count", [] { logspace(0, 1, -2); }, "logspace: there cannot be -2 points"},
      {"geomspace/from_zero", [] { geomspace(0, 8, 4); },
       "geomspace: the ends must be of one sign and not 0; they are 0 and 8"},
      {"eye/negative_columns", [] { eye(2, {.columns = -1}); }, "eye: a size is negative: [2,-1]"},
      {"diag/three_axes",
       [] {
         diag(zeros({2, 3, 4}));
       },
       "diag: needs a vector or a matrix; x is f32[2,3,4]"},
      {"triu/vector", [] { triu(zeros({3})); }, "triu: needs matrices; x is f32[3]"},
      {"vander/matrix",
       [] {
         vander(zeros({2, 3}));
       },
       "vander: needs a vector; x is f32[2,3]"},
      {"vander/negative_columns", [] { vander(zeros({3}), {.columns = -1}); }, "vander: a size is negative: [3,-1]"},
      {"meshgrid/matrix",
       [] {
         meshgrid({zeros({2}), zeros({2, 3})});
       },
       "meshgrid: needs vectors; one is f32[2,3]"},
      {"indices/negative_size",
       [] {
         indices({2, -3});
       },
       "indices: a size is negative: [2,-3]"},
  });
}

TEST(ErrorTexts, arithmetic) {
  expect_texts({
      {"add/sizes_differ",
       [] {
         zeros({2, 3}) + zeros({2, 4});
       },
       "add: shapes do not broadcast: 3 != 4 along axis 1\n"
       "  a is f32[2,3]\n"
       "  b is f32[2,4]"},
      {"divide/sizes_differ", [] { arange(3) / arange(4); },
       "divide: shapes do not broadcast: 3 != 4 along axis 0\n"
       "  a is f32[3]\n"
       "  b is f32[4]"},
      {"less/sizes_differ", [] { zeros({3}) < zeros({4}); },
       "compare: shapes do not broadcast: 3 != 4 along axis 0\n"
       "  a is f32[3]\n"
       "  b is f32[4]"},
      {"less/complex", [] { zeros({3}, DType::complex64) < zeros({3}); },
       "compare: complex numbers have no order; only EQ and NE\n"
       "  a is complex64[3]\n"
       "  b is complex64[3]"},
      {"subtract/bool", [] { ones({2}, DType::boolean) - ones({2}, DType::boolean); },
       "subtract: has no meaning for bool\n"
       "  a is bool[2]\n"
       "  b is bool[2]\n"
       "  hint: a ^ b is true where they differ"},
      {"negative/bool", [] { -ones({2}, DType::boolean); }, "negate: needs numbers; x is bool[2]"},
      {"and/floats", [] { zeros({2}) & zeros({2}); }, "and: needs integers or bool; x is f32[2]"},
      {"not/floats", [] { ~zeros({2}); }, "not: needs integers or bool; x is f32[2]"},
      {"shift_left/floats", [] { arange(2) << zeros({2}); }, "shift_left: needs integers; x is f32[2]"},
      {"shift_right/bool", [] { ones({2}, DType::boolean) >> ones({2}, DType::boolean); },
       "shift_right_logical: needs integers; x is bool[2]"},
      {"remainder/complex", [] { zeros({2}, DType::complex64) % zeros({2}); },
       "mod: needs real numbers\n"
       "  a is complex64[2]\n"
       "  b is complex64[2]"},
      {"floor_divide/complex", [] { floor_divide(zeros({2}, DType::complex64), zeros({2})); },
       "floor_divide: needs real numbers\n"
       "  a is complex64[2]\n"
       "  b is complex64[2]"},
      {"maximum/sizes_differ", [] { maximum(zeros({2}), zeros({3})); },
       "maximum: shapes do not broadcast: 2 != 3 along axis 0\n"
       "  a is f32[2]\n"
       "  b is f32[3]"},
      {"floor/complex", [] { floor(zeros({2}, DType::complex64)); }, "floor: needs a float; x is complex64[2]"},
      {"atan2/complex", [] { atan2(zeros({2}, DType::complex64), zeros({2})); },
       "atan2: needs real numbers; an operand is complex64[2]"},
      {"ldexp/exponent_is_float", [] { ldexp(zeros({2}), zeros({2})); },
       "ldexp: needs integers or bool; an operand is f32[2]"},
      {"clip/sizes_differ", [] { clip(zeros({2}), zeros({3})); }, "clip: [3] does not fit [2]: 3 != 2"},
      {"round/decimals", [] { round(zeros({2}), 1000); }, "round: cannot keep 1000 decimals"},
      {"where/sizes_differ", [] { where(ones({2}, DType::boolean), zeros({3}), 0); },
       "where: [3] does not fit [2]: 3 != 2"},
      {"softmax/axis",
       [] {
         softmax(zeros({2, 3}), 2);
       },
       "softmax: there is no axis 2 in f32[2,3]"},
      {"use_before_value", [] { Array() + 1; }, "array: is used before it was given a value"},
  });
}

TEST(ErrorTexts, conversions) {
  expect_texts({
      {"item/two_elements",
       [] {
         array({1, 2}).item<int>();
       },
       "item: needs an array of one element; it is i32[2]"},
      {"data_as/other_type",
       [] {
         array({1, 2}).data_as<float>();
       },
       "data_as: the array is i32[2], not f32"},
      {"finfo/integers", [] { finfo(DType::i8); },
       "finfo: i8 is no floating-point type\n"
       "  hint: iinfo"},
      {"iinfo/floats", [] { iinfo(DType::f32); },
       "iinfo: f32 is no integer type\n"
       "  hint: finfo"},
      {"result_type/nothing", [] { result_type(Arrays{}); }, "result_type: needs at least one array"},
      {"isdtype/kind", [] { isdtype(DType::u8, "int"); },
       "isdtype: there is no kind 'int'; there are bool, signed integer, unsigned integer, integral, real floating, "
       "complex floating, numeric"},
      {"dim/no_such_axis",
       [] {
         zeros({2, 3}).dim(2);
       },
       "array: there is no axis 2 in f32[2,3]"},
  });
}

}  // namespace
}  // namespace hearth
