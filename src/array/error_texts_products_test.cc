// SPDX-License-Identifier: Apache-2.0
// Error texts of products: matmul, tensordot, einsum and their kin.
#include "array/error_texts_test.h"

namespace hearth {
namespace {

TEST(ErrorTexts, products) {
  expect_texts({
      {"matmul/inner_sizes_differ",
       [] {
         matmul(zeros({3, 4}), zeros({5, 4}));
       },
       "matmul: inner sizes differ: 4 != 5\n"
       "  a is f32[3,4]\n"
       "  b is f32[5,4]"},
      {"matmul/inner_sizes_differ_without_hint",
       [] {
         matmul(zeros({3, 4}), zeros({5, 6}));
       },
       "matmul: inner sizes differ: 4 != 5\n"
       "  a is f32[3,4]\n"
       "  b is f32[5,6]"},
      {"matmul/batches_differ",
       [] {
         matmul(zeros({2, 3, 4}), zeros({3, 4, 5}));
       },
       "matmul: leading axes do not broadcast: 2 and 3\n"
       "  a is f32[2,3,4]\n"
       "  b is f32[3,4,5]"},
      {"matmul/scalar",
       [] {
         matmul(zeros({3, 4}), 2);
       },
       "matmul: needs at least 1 axis\n"
       "  a is f32[3,4]\n"
       "  b is f32[]\n"
       "  hint: a * b multiplies by a number"},
      {"dot/sizes_differ", [] { dot(zeros({3}), zeros({4})); },
       "dot: inner sizes differ: 3 != 4\n"
       "  a is f32[3]\n"
       "  b is f32[4]"},
      {"vdot/sizes_differ", [] { vdot(zeros({3}), zeros({4})); },
       "vdot: inner sizes differ: 3 != 4\n"
       "  a is f32[3]\n"
       "  b is f32[4]"},
      {"inner/sizes_differ",
       [] {
         inner(zeros({2, 3}), zeros({2, 4}));
       },
       "inner: inner sizes differ: 3 != 4\n"
       "  a is f32[2,3]\n"
       "  b is f32[2,4]"},
      {"vecdot/sizes_differ",
       [] {
         vecdot(zeros({2, 3}), zeros({2, 4}));
       },
       "vecdot: inner sizes differ: 3 != 4\n"
       "  a is f32[2,3]\n"
       "  b is f32[2,4]"},
      {"vecdot/axis", [] { vecdot(zeros({3}), zeros({3}), 1); }, "vecdot: axis 1 does not exist in x f32[3]"},
      {"tensordot/sizes_differ",
       [] {
         tensordot(zeros({2, 3}), zeros({4, 2}), 1);
       },
       "tensordot: inner sizes differ: 3 != 4\n"
       "  a is f32[2,3]\n"
       "  b is f32[4,2]"},
      {"tensordot/too_many_axes",
       [] {
         tensordot(zeros({2}), zeros({2, 3}), 2);
       },
       "tensordot: cannot contract 2 axes\n"
       "  a is f32[2]\n"
       "  b is f32[2,3]"},
      {"tensordot/counts_differ",
       [] {
         tensordot(zeros({2, 3}), zeros({2, 3}), {0, 1}, {0});
       },
       "tensordot: axes [0,1] and [0] do not pair up"},
      {"cross/size_is_not_three",
       [] {
         cross(zeros({2, 4}), zeros({2, 4}));
       },
       "cross: needs 3 elements along axis -1\n"
       "  a is f32[2,4]\n"
       "  b is f32[2,4]"},
      {"multi_dot/sizes_differ",
       [] {
         multi_dot({zeros({2, 3}), zeros({4, 5})});
       },
       "multi_dot: inner sizes differ: 3 != 4\n"
       "  operand 0 is f32[2,3]\n"
       "  operand 1 is f32[4,5]"},
      {"multi_dot/nothing", [] { multi_dot({}); }, "multi_dot: needs at least two matrices, has 0"},
      {"einsum/sizes_differ",
       [] {
         einsum("ij,jk->ik", {zeros({2, 3}), zeros({4, 5})});
       },
       "einsum: sizes of 'j' differ: 3 != 4\n"
       "  equation is 'ij,jk->ik'\n"
       "  operand 1 is [4,5]"},
      {"einsum/operands_missing",
       [] {
         einsum("ij,jk->ik", {zeros({2, 3})});
       },
       "einsum: 'ij,jk->ik' names 2 operands, given 1"},
      {"einsum/term_does_not_fit",
       [] {
         einsum("ijk->i", {zeros({2, 3})});
       },
       "einsum: term 'ijk' of 'ijk->i' does not fit operand 0, which is [2,3]"},
      {"einsum/unknown_letter_in_result",
       [] {
         einsum("ij->ik", {zeros({2, 3})});
       },
       "einsum: cannot read 'ij->ik': 'k' of the result is in no operand"},
      {"einsum/letter_twice_in_result",
       [] {
         einsum("ij->ii", {zeros({2, 3})});
       },
       "einsum: cannot read 'ij->ii': 'i' is twice in the result"},
      {"einsum/two_arrows",
       [] {
         einsum("ij->i->j", {zeros({2, 3})});
       },
       "einsum: cannot read 'ij->i->j': '-' is no letter"},
      {"einsum/no_letter",
       [] {
         einsum("i1->i", {zeros({2, 3})});
       },
       "einsum: cannot read 'i1->i': '1' is no letter"},
      {"einsum/diagonal_of_other_sizes",
       [] {
         einsum("ii->i", {zeros({2, 3})});
       },
       "einsum: sizes of 'i' differ: 2 != 3\n"
       "  equation is 'ii->i'\n"
       "  operand 0 is [2,3]"},
      {"einsum/result_without_ellipsis",
       [] {
         einsum("...i->i", {zeros({2, 3})});
       },
       "einsum: cannot read '...i->i': the result needs an ellipsis, as the operands have one"},
      {"einsum/no_operands", [] { einsum("->", {}); }, "einsum: needs at least one operand"},
      {"linear/sizes_differ",
       [] {
         linear(zeros({2, 3}), zeros({4, 5}));
       },
       "linear: x needs 5 features\n"
       "  x is f32[2,3]\n"
       "  weight [out,in] is f32[4,5]"},
      {"conv2d/channels_differ",
       [] {
         conv2d(zeros({1, 3, 8, 8}), zeros({4, 2, 3, 3}));
       },
       "convolution: lhs has 3 features, rhs takes 2\n"
       "  lhs is f32[1,3,8,8]\n"
       "  rhs is f32[4,2,3,3]"},
  });
}

}  // namespace
}  // namespace hearth
