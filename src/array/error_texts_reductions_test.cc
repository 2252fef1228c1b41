// SPDX-License-Identifier: Apache-2.0
// Error texts of reductions, sorting and random numbers.
#include "array/error_texts_test.h"

namespace hearth {
namespace {

TEST(ErrorTexts, reductions) {
  const Array x = zeros({2, 3});
  expect_texts({
      {"sum/axis", [&] { sum(x, {.axis = 2}); },
       "sum: axis 2 does not exist\n"
       "  x is f32[2,3]"},
      {"sum/axis_twice",
       [&] {
         sum(x, {.axis = {0, -2}});
       },
       "sum: axis -2 is named twice\n"
       "  x is f32[2,3]"},
      {"mean/axis", [&] { mean(x, {.axis = -3}); },
       "mean: axis -3 does not exist\n"
       "  x is f32[2,3]"},
      {"max/no_elements",
       [] {
         max(zeros({2, 0}), {.axis = 1});
       },
       "max: axes [1] have no elements\n"
       "  x is f32[2,0]"},
      {"max/complex", [] { max(zeros({2}, DType::complex64)); },
       "max: complex numbers have no order\n"
       "  x is complex64[2]"},
      {"var/axis", [&] { var(x, {.axis = 5}); },
       "var: axis 5 does not exist\n"
       "  x is f32[2,3]"},
      {"average/weights_do_not_fit", [&] { average(x, zeros({2}), {.axis = 1}); },
       "average: weights need x's shape, or one number for each element of one axis\n"
       "  x is f32[2,3]\n"
       "  weights is f32[2]"},
      {"average/weights_without_axis", [&] { average(x, zeros({3})); },
       "average: weights need x's shape, or one number for each element of one axis\n"
       "  x is f32[2,3]\n"
       "  weights is f32[3]"},
      {"cumulative_sum/axis_is_needed", [&] { cumulative_sum(x); },
       "cumulative_sum: needs an axis, x has 2\n"
       "  x is f32[2,3]"},
      {"cumulative_prod/axis", [&] { cumulative_prod(x, {.axis = 2}); },
       "cumulative_prod: axis 2 does not exist in x f32[2,3]"},
      {"diff/negative", [&] { diff(x, {.n = -1}); }, "diff: n is -1, it cannot be negative"},
      {"diff/prepend_does_not_fit",
       [&] {
         diff(x, {.prepend = zeros({3, 1})});
       },
       "concatenate: sizes of axis 0 differ: 3 != 2\n"
       "  part 0 is f32[3,1]\n"
       "  part 1 is f32[2,3]"},
      {"argmax/no_elements", [] { argmax(zeros({0})); }, "argmax: axis 0 has no elements; x is f32[0]"},
      {"argmax/index_type", [&] { argmax(x, {.index = DType::f32}); },
       "argmax: the index must be i32 or i64; x is f32[6]"},
      {"argmin/axis", [&] { argmin(x, {.axis = 2}); }, "argmin: axis 2 does not exist in x f32[2,3]"},
      {"median/axis", [&] { median(x, {.axis = 2}); },
       "median: axis 2 does not exist\n"
       "  x is f32[2,3]"},
      {"logsumexp/axis", [&] { logsumexp(x, {.axes = Dims{2}}); }, "logsumexp: there is no axis 2 in f32[2,3]"},
      {"sort/axis", [&] { sort(x, 2); }, "sort: axis 2 does not exist in x f32[2,3]"},
      {"argsort/scalar", [] { argsort(Array(1)); }, "argsort: axis -1 does not exist in x i32[]"},
      {"lexsort/shapes_differ",
       [] {
         lexsort({zeros({2}), zeros({3})});
       },
       "lexsort: shapes of keys differ\n"
       "  one is f32[2]\n"
       "  another is f32[3]"},
      {"lexsort/no_keys", [] { lexsort({}); }, "lexsort: needs at least one key"},
      {"partition/outside", [&] { partition(x, 3); },
       "partition: no element 3 among 3\n"
       "  x is f32[2,3]"},
      {"top_k/too_many", [&] { top_k(x, 4); }, "top_k: k is 4, the axis has 3 elements; x is f32[2,3]"},
      {"top_k/negative", [&] { top_k(x, -1); }, "top_k: k is -1, the axis has 3 elements; x is f32[2,3]"},
      {"searchsorted/matrix", [&] { searchsorted(x, 1); }, "searchsorted: sorted needs one axis; it is f32[2,3]"},
      {"searchsorted/side", [] { searchsorted(arange(3), 1, {.side = "middle"}); },
       "searchsorted: side 'middle' is neither left nor right"},
      {"searchsorted/sorter_of_other_size", [] { searchsorted(arange(3), 1, {.sorter = arange(2)}); },
       "searchsorted: shapes differ\n"
       "  sorted is i32[3]\n"
       "  sorter is i32[2]"},
      {"unique_slices/axis", [&] { unique_slices(x, 2); }, "unique_slices: there is no axis 2 in f32[2,3]"},
  });
}

TEST(ErrorTexts, random_numbers) {
  const Array key = random::key(0);
  expect_texts({
      {"key/float_seed", [] { random::key(Array(1.5)); }, "key: a seed is an integer scalar; it is f32[]"},
      {"uniform/key_is_no_key", [] { random::uniform(zeros({2})); }, "uniform: a key is u32[2]; it is f32[2]"},
      {"uniform/integers", [&] { random::uniform(key, {3}, DType::i32); }, "uniform: dtype must be a float; it is i32"},
      {"uniform/negative_size", [&] { random::uniform(key, {-3}); }, "random: a size is negative: [-3]"},
      {"uniform/bounds_do_not_fit", [&] { random::uniform(key, {3}, DType::f32, {.minval = zeros({2})}); },
       "uniform: parameter 0 does not broadcast to the shape\n"
       "  parameter is f32[2]\n"
       "  shape is f32[3]"},
      {"randint/floats", [&] { random::randint(key, {3}, 0.0, 10.0); },
       "randint: limits must be integers\n"
       "  minval is f32[]\n"
       "  maxval is f32[]"},
      {"randint/dtype", [&] { random::randint(key, {3}, 0, 10, DType::f32); },
       "randint: dtype must be an integer; it is f32"},
      {"randint/bounds_do_not_fit", [&] { random::randint(key, {3}, zeros({2}, DType::i32), 10); },
       "randint: parameter 0 does not broadcast to the shape\n"
       "  parameter is i32[2]\n"
       "  shape is i32[3]"},
      {"bits/signed", [&] { random::bits(key, {3}, DType::i32); }, "bits: dtype must be unsigned; it is i32"},
      {"normal/integers", [&] { random::normal(key, {3}, DType::i32); },
       "normal: dtype must be a float or complex; it is i32"},
      {"normal/negative_size",
       [&] {
         random::normal(key, {2, -1});
       },
       "random: a size is negative: [2,-1]"},
      {"split/negative", [&] { random::split(key, -1); }, "random: a size is negative: [-1]"},
      {"fold_in/float", [&] { random::fold_in(key, 0.5); }, "fold_in: data is an integer scalar; it is f32[]"},
      {"permutation/axis", [&] { random::permutation(key, zeros({3}), {.axis = 1}); },
       "permutation: axis 1 does not exist in f32[3]"},
      {"permutation/negative", [&] { random::permutation(key, -1); }, "permutation: of -1 numbers"},
      {"choice/too_many", [&] { random::choice(key, 3, {4}, {.replace = false}); },
       "choice: cannot draw 4 of 3 elements without replacement"},
      {"choice/nothing", [&] { random::choice(key, 0, {4}); }, "choice: cannot draw from 0 elements"},
      {"choice/probabilities_do_not_fit", [&] { random::choice(key, 3, {4}, {.p = zeros({2})}); },
       "choice: p must have one number for each of 3 elements; it is f32[2]"},
      {"categorical/axis", [&] { random::categorical(key, zeros({3}), {.axis = 1}); },
       "categorical: axis 1 does not exist in logits f32[3]"},
      {"categorical/shape",
       [&] {
         random::categorical(key, zeros({2, 3}), {.shape = Dims{3}});
       },
       "categorical: shape must end with that of logits without the axis\n"
       "  shape is i32[3]\n"
       "  logits are f32[2,3]"},
      {"categorical/integers", [&] { random::categorical(key, arange(3)); },
       "categorical: logits must be floats; they are i32[3]"},
      {"gumbel/mode", [&] { random::gumbel(key, {3}, DType::f32, {.mode = "fine"}); },
       "gumbel: no mode \"fine\"; has low, high, highest"},
      {"bernoulli/integers", [&] { random::bernoulli(key, arange(2)); }, "bernoulli: p must be a float; it is i32[2]"},
      {"bernoulli/shape", [&] { random::bernoulli(key, zeros({2}), {.shape = Dims{3}}); },
       "bernoulli: parameter 0 does not broadcast to the shape\n"
       "  parameter is f32[2]\n"
       "  shape is f32[3]"},
      {"poisson/dtype", [&] { random::poisson(key, 2.0, {}, DType::f32); },
       "poisson: dtype must be an integer; it is f32"},
      {"gamma/shape", [&] { random::gamma(key, ones({2}), Dims{3}); },
       "gamma: parameter 0 does not broadcast to the shape\n"
       "  parameter is f32[2]\n"
       "  shape is f32[3]"},
      {"dirichlet/scalar", [&] { random::dirichlet(key, 1.0); }, "dirichlet: alpha needs an axis; it is f32[]"},
      {"multivariate_normal/sizes_differ", [&] { random::multivariate_normal(key, zeros({3}), eye(2)); },
       "multivariate_normal: cov must be [..., N, N] for a mean [..., N]\n"
       "  mean is f32[3]\n"
       "  cov is f32[2,2]"},
      {"multivariate_normal/method",
       [&] { random::multivariate_normal(key, zeros({2}), eye(2), DType::f32, {.method = "lu"}); },
       "multivariate_normal: no method \"lu\"; has cholesky, svd, eigh"},
      {"orthogonal/negative", [&] { random::orthogonal(key, -1); }, "orthogonal: -1 rows"},
  });
}

}  // namespace
}  // namespace hearth
